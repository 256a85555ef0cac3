// A handshake that is right, and ways to bend it.
import fc from 'fast-check';
import {
  checkUpgradeRequest,
  type HandshakeError,
  type HeaderList,
  type UpgradeOffer,
  type UpgradeRequest,
} from '../src/index.js';

/** RFC 6455 §1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** Header lines as a list. */
export function fields(...lines: string[]): string[] {
  return lines.flatMap((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]);
}

/** The request of RFC 6455 §1.2, without its subprotocols and origin. */
export const REQUEST: UpgradeRequest = {
  method: 'GET',
  target: '/chat',
  httpVersion: '1.1',
  headers: fields(
    'Host: server.example.com',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13',
  ),
};

/** What it asks for. */
export const OFFER: UpgradeOffer = {
  version: 13,
  key: KEY,
  host: 'server.example.com',
  origin: undefined,
  path: '/chat',
  protocols: [],
  extensions: [],
};

/** The answer to it. */
export const RESPONSE: { status: number; headers: HeaderList } = {
  status: 101,
  headers: fields('Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`),
};

/** The list with the field set to those values, one line each; with no value the field is missing. */
export function withField(headers: HeaderList, name: string, ...values: string[]): string[] {
  const kept = headers.filter((_, at) => headers[at - (at % 2)]?.toLowerCase() !== name.toLowerCase());
  return [...kept, ...values.flatMap((value) => [name, value])];
}

export const requestWith = (name: string, ...values: string[]): UpgradeRequest => ({
  ...REQUEST,
  headers: withField(REQUEST.headers, name, ...values),
});

export const responseWith = (name: string, ...values: string[]): typeof RESPONSE => ({
  ...RESPONSE,
  headers: withField(RESPONSE.headers, name, ...values),
});

/** `constructor`, `__proto__`, `toString`, …: what a plain object would find in itself. */
export const PROTOTYPE_NAMES: readonly string[] = Object.getOwnPropertyNames(Object.prototype);

/** What no header may carry; each is put into the middle of something harmless. */
export const LINE_BREAKERS: readonly string[] = [
  '\r',
  '\n',
  '\r\n',
  '\0',
  '\u0001',
  '\u001f',
  '\u007f',
  '\u0100',
  '\u20ac',
  '\u{1f600}',
  '\ud800',
  '\u2028',
];

/** One of these characters. */
export const charOf = (chars: string): fc.Arbitrary<string> => fc.constantFrom(...chars.split(''));

/** What is wrong with a request. */
export function errorOf(request: UpgradeRequest, draft08 = false): HandshakeError {
  const decision = checkUpgradeRequest(request, { draft08 });
  if (decision.accepted) throw new Error('accepted');
  return decision.error;
}
