import type { IncomingMessage, ServerResponse } from 'node:http';
import { checkUpgradeRequest, HandshakeError, refusalResponse } from '@ws/handshake';
import type { LimitRefusal } from './admission.js';

/**
 * A request listener for an http or https server that has no pages: 426, or what a request lacks that tried to be an upgrade. Without one, Node
 * lets requests wait for an answer until they time out.
 */
export function upgradeRequired(request: IncomingMessage, response: ServerResponse): void {
  answerPlainRequest(request, response);
}

/** @returns what is wrong with the request */
export function answerPlainRequest(request: IncomingMessage, response: ServerResponse): HandshakeError {
  const error = whyNoUpgrade(request);
  answer(response, { status: error.status, body: error.message, headers: error.headers });
  return error;
}

export function answer(response: ServerResponse, refusal: Pick<LimitRefusal, 'status' | 'body' | 'headers'>): void {
  const { status, reason, headers, body } = refusalResponse(refusal.status, refusal);
  response.writeHead(status, reason, [...headers]).end(body);
}

function whyNoUpgrade({ method = '', url = '', httpVersion, headers, rawHeaders }: IncomingMessage): HandshakeError {
  if (headers.upgrade !== undefined) {
    const decision = checkUpgradeRequest({ method, target: url, httpVersion, headers: rawHeaders });
    if (!decision.accepted) return decision.error;
  }
  return new HandshakeError('WS_ERR_UPGRADE_REQUIRED');
}
