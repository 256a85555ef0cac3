// A handshake that is right, and ways to bend it.
import type { HeaderList, UpgradeRequest } from '../src/index.js';

/** RFC 6455 §1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
export const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** The request of RFC 6455 §1.2, without its subprotocols and origin. */
export const REQUEST: UpgradeRequest = {
  method: 'GET',
  target: '/chat',
  httpVersion: '1.1',
  headers: [
    ...['Host', 'server.example.com'],
    ...['Upgrade', 'websocket'],
    ...['Connection', 'Upgrade'],
    ...['Sec-WebSocket-Key', KEY],
    ...['Sec-WebSocket-Version', '13'],
  ],
};

/** The answer to it. */
export const RESPONSE: { status: number; headers: HeaderList } = {
  status: 101,
  headers: ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', ACCEPT],
};

/** The list with the field set to those values, one line each; with no value the field is missing. */
export function withField(headers: HeaderList, name: string, ...values: string[]): string[] {
  const list: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    if (headers[at]!.toLowerCase() !== name.toLowerCase()) list.push(headers[at]!, headers[at + 1]!);
  }
  for (const value of values) list.push(name, value);
  return list;
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
