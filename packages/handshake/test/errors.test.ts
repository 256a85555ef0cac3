import { expect, test } from '@jest/globals';
import { FAULTS } from '../src/errors.js';
import {
  checkUpgradeRequest,
  checkUpgradeResponse,
  formatResponse,
  HandshakeError,
  refusalResponse,
  type HandshakeErrorCode,
  type RequestDecision,
  type ResponseDecision,
} from '../src/index.js';
import { KEY, REQUEST, requestWith, RESPONSE, responseWith } from './messages.js';

const asked = (request = REQUEST, options = {}): RequestDecision => checkUpgradeRequest(request, options);
const answered = (response: typeof RESPONSE, protocols: string[] = []): ResponseDecision =>
  checkUpgradeResponse(response, { key: KEY, protocols });

// One way, at least, to each row of the table, and the status that a server answers with.
const VECTORS: Record<HandshakeErrorCode, [status: number, decision: RequestDecision | ResponseDecision]> = {
  WS_ERR_INVALID_METHOD: [405, asked({ ...REQUEST, method: 'POST' })],
  WS_ERR_INVALID_HTTP_VERSION: [400, asked({ ...REQUEST, httpVersion: '1.0' })],
  WS_ERR_UPGRADE_REQUIRED: [426, asked(requestWith('Upgrade'))],
  WS_ERR_HEADER_TOO_LARGE: [431, asked(REQUEST, { maxHeaderSize: 100 })],
  WS_ERR_TOO_MANY_HEADERS: [431, asked(REQUEST, { maxHeaderCount: 2 })],
  WS_ERR_INVALID_UPGRADE: [400, asked(requestWith('Upgrade', 'h2c'))],
  WS_ERR_INVALID_CONNECTION: [400, asked(requestWith('Connection', 'close'))],
  WS_ERR_INVALID_HOST: [400, asked(requestWith('Host', 'a b'))],
  WS_ERR_INVALID_TARGET: [400, asked({ ...REQUEST, target: 'http://evil.com/' })],
  WS_ERR_UNEXPECTED_BODY: [400, asked(requestWith('Content-Length', '1'))],
  WS_ERR_INVALID_VERSION: [400, asked(requestWith('Sec-WebSocket-Version'))],
  WS_ERR_UNSUPPORTED_VERSION: [426, asked(requestWith('Sec-WebSocket-Version', '7'))],
  WS_ERR_INVALID_KEY: [400, asked(requestWith('Sec-WebSocket-Key', 'x'))],
  WS_ERR_INVALID_ORIGIN: [400, asked(requestWith('Origin', 'a', 'b'))],
  WS_ERR_INVALID_SUBPROTOCOL: [400, asked(requestWith('Sec-WebSocket-Protocol', 'a,a'))],
  WS_ERR_INVALID_EXTENSIONS: [400, asked(requestWith('Sec-WebSocket-Extensions', 'a b'))],
  WS_ERR_UNEXPECTED_STATUS: [0, answered({ ...RESPONSE, status: 200 })],
  WS_ERR_INVALID_ACCEPT: [0, answered(responseWith('Sec-WebSocket-Accept', 'x'))],
  WS_ERR_UNEXPECTED_SUBPROTOCOL: [0, answered(responseWith('Sec-WebSocket-Protocol', 'x'))],
  WS_ERR_MISSING_SUBPROTOCOL: [0, answered(RESPONSE, ['x'])],
  WS_ERR_UNEXPECTED_EXTENSION: [0, answered(responseWith('Sec-WebSocket-Extensions', 'x'))],
};

test('the table of vectors is the table of errors', () => {
  expect(Object.keys(VECTORS).sort()).toEqual(Object.keys(FAULTS).sort());
});

test.each(Object.entries(VECTORS))('%s', (code, [status, decision]) => {
  if (decision.accepted) throw new Error('accepted');
  const { error } = decision;
  expect({ code: error.code, status: error.status, name: error.name }).toEqual({
    code,
    status,
    name: 'HandshakeError',
  });
  expect(error.message).toContain(FAULTS[code as HandshakeErrorCode].section);
  expect(FAULTS[code as HandshakeErrorCode].status).toBe(status);
  if (status !== 0)
    expect(formatResponse(refusalResponse(status, { headers: error.headers }))).toContain(`HTTP/1.1 ${status} `);
});

test('405 names the method, 426 the protocol and its version', () => {
  const text = (code: HandshakeErrorCode): string => {
    const decision = VECTORS[code][1];
    return decision.accepted
      ? ''
      : formatResponse(refusalResponse(decision.error.status, { headers: decision.error.headers }));
  };
  expect(text('WS_ERR_INVALID_METHOD')).toContain('\r\nAllow: GET\r\n');
  for (const code of ['WS_ERR_UPGRADE_REQUIRED', 'WS_ERR_UNSUPPORTED_VERSION'] as const) {
    expect(text(code)).toContain('\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n');
    expect(text(code).split('Sec-WebSocket-Version')).toHaveLength(2);
  }
  expect(text('WS_ERR_INVALID_VERSION')).toContain('\r\nSec-WebSocket-Version: 13\r\n');
});

test('is an Error with a name, and its message says the rest', () => {
  const error = new HandshakeError('WS_ERR_INVALID_KEY', 'why');
  expect(error).toBeInstanceOf(Error);
  expect(String(error)).toBe(
    'HandshakeError: Sec-WebSocket-Key header is not one base64 value of 16 bytes: why (RFC 6455 §4.2.1)',
  );
  expect(new HandshakeError('WS_ERR_INVALID_KEY').message).toBe(
    'Sec-WebSocket-Key header is not one base64 value of 16 bytes (RFC 6455 §4.2.1)',
  );
});

test('instanceof holds for another copy of the class, and for nothing else', () => {
  const copy = Object.create(Error.prototype, {
    [Symbol.for('@ws/handshake.HandshakeError')]: { value: true },
  }) as unknown;
  expect(copy).toBeInstanceOf(HandshakeError);
  const others: unknown[] = [new Error('x'), new TypeError('x'), {}, null, undefined, 'HandshakeError', 1];
  for (const other of others) {
    expect(other instanceof HandshakeError).toBe(false);
  }
  class Special extends HandshakeError {}
  expect(new Special('WS_ERR_INVALID_KEY')).toBeInstanceOf(HandshakeError);
  expect(new Special('WS_ERR_INVALID_KEY')).toBeInstanceOf(Special);
  expect(new HandshakeError('WS_ERR_INVALID_KEY')).not.toBeInstanceOf(Special);
});
