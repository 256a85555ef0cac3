import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerOptions as HttpOptions,
  type ServerResponse,
} from 'node:http';
import {
  createServer as createHttpsServer,
  type Server as HttpsServer,
  type ServerOptions as HttpsOptions,
} from 'node:https';
import type { Duplex } from 'node:stream';
import {
  checkUpgradeRequest,
  formatResponse,
  HandshakeError,
  refusalResponse,
  type UpgradeResponse,
} from '@ws/handshake';

/** ms that a handshake may take, that of TLS and then that of HTTP. */
const HANDSHAKE = { handshakeTimeout: 10_000, headersTimeout: 10_000, connectionsCheckingInterval: 1000 };

/** An http or https server where nobody but a WebSocket client has any business: other requests get 426, or 400 where they want to be one. */
export function createWebSocketOnlyServer(
  secure: boolean,
  given: HttpOptions & HttpsOptions,
): HttpServer | HttpsServer {
  const options = { ...HANDSHAKE, ...given };
  return secure ? createHttpsServer(options, refuseRequest) : createHttpServer(options, refuseRequest);
}

/** How long a peer has to read the answer and to close. */
const LINGER_MS = 1000;

/** Answers a malformed handshake, and ends the stream. What still comes is dropped: unread bytes would make a reset of the end. */
export function refuseUpgrade(error: Error, socket: Duplex): void {
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.resume().end(formatResponse(answerTo(error as HandshakeError)), 'latin1');
}

/** Answers a request that is none for a WebSocket, or is not seen as one for want of a header. */
function refuseRequest(request: IncomingMessage, response: ServerResponse): void {
  const { status, reason, headers, body } = answerTo(faultOf(request));
  response.writeHead(status, reason, [...headers]).end(body);
}

/** As the old library: 400, but for who could do better. */
const answerTo = ({ status, message, headers }: HandshakeError): UpgradeResponse =>
  status === 426 ? refusalResponse(426, { body: message, headers }) : refusalResponse(400, { body: message });

function faultOf({ method = '', url = '', httpVersion, headers, rawHeaders }: IncomingMessage): HandshakeError {
  const request = { method, target: url, httpVersion, headers: rawHeaders };
  const decision = headers.upgrade === undefined ? undefined : checkUpgradeRequest(request);
  return decision?.accepted === false ? decision.error : new HandshakeError('WS_ERR_UPGRADE_REQUIRED');
}
