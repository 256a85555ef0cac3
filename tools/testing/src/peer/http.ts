import { createHash } from 'node:crypto';

/** `undefined` takes one away, a list repeats it. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The key of RFC 6455 §1.3. */
export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Those of a good request. */
export const GOOD: Headers = {
  Host: 'server.example',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
};

/** A good handshake, but for what is given. */
export const handshake = (headers: Headers = {}, line = 'GET / HTTP/1.1'): string =>
  `${line}\r\n${fields({ ...GOOD, ...headers })}\r\n`;

/** The answer to a handshake with that key, but for what is given. */
export function switching(key = '', headers: Headers = {}, line = 'HTTP/1.1 101 Switching Protocols'): string {
  const good = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': acceptOf(key) };
  return `${line}\r\n${fields({ ...good, ...headers })}\r\n`;
}

export const fields = (headers: Headers): string =>
  Object.entries(headers)
    .flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`)))
    .join('');

/** RFC 6455 §4.2.2, by another hand than the library's. */
export const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** What comes before the blank line, of a request or of an answer. */
export interface Head extends Omit<Answer, 'body'> {
  /** The first line. */
  readonly line: string;
  /** With the blank line. */
  readonly text: string;
}

export interface Answer {
  /** NaN where it is none. */
  readonly status: number;
  readonly phrase: string;
  /** Names in lower case; values of the same name are joined. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function parseHead(text: string): Head {
  const [line = '', ...lines] = text.trimEnd().split('\r\n');
  const [, status, ...phrase] = line.split(' ');
  const headers: Record<string, string> = {};
  for (const each of lines) {
    const [name, value] = [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()];
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]}, ${value}` : value;
  }
  return { line, status: Number(status), phrase: phrase.join(' '), headers, text };
}

/** An answer whose end has been read, or as much of one as came. */
export function parseAnswer(text: string): Answer {
  const blank = text.indexOf('\r\n\r\n');
  const end = blank === -1 ? text.length : blank + 4;
  const { status, phrase, headers } = parseHead(text.slice(0, end));
  return { status, phrase, headers, body: text.slice(end) };
}
