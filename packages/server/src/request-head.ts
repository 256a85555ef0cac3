/** The head of a request: a GET of HTTP/1.1 that asks for a WebSocket. */
export interface RequestHead {
  readonly target: string;
  /** Names and values in turn, as they were sent. */
  readonly headers: string[];
}

/** What a request may have at most. */
export interface HeadLimits {
  /** Bytes; as many are too many, so that this is never larger than what Node's parser counts. */
  readonly size: number;
  readonly count: number;
}

const CR = 0x0d;
const LF = 0x0a;
const SPACE = 0x20;
const HASH = 0x23;
const SLASH = 0x2f;
const COLON = 0x3a;
const TILDE = 0x7e;

const METHOD = Buffer.from('GET ', 'latin1');
/** From the blank behind the target on. */
const VERSION = Buffer.from(' HTTP/1.1\r\n', 'latin1');
const END = Buffer.from('\r\n\r\n', 'latin1');

/** 1 where an octet may be in the name of a header: a tchar of RFC 9110 §5.6.2. */
const IS_NAME = new Uint8Array(256);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
  IS_NAME[char.charCodeAt(0)] = 1;

/** Headers that a WebSocket client sends once, and a bit for each. */
const ONCE: ReadonlyMap<string, number> = new Map([
  ['host', 1],
  ['upgrade', 2],
  ['connection', 4],
]);
const ALL_ONCE = 7;
/** What they say: anything else is for a parser that knows all of HTTP. */
const SAID: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['upgrade', new Set(['websocket'])],
  ['connection', new Set(['upgrade', 'keep-alive, upgrade'])],
]);
/** With one of these there may be more to a request than its head. */
const BEYOND: ReadonlySet<string> = new Set([
  'content-length',
  'expect',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
]);

/**
 * Reads the request of a WebSocket client, if `chunk` is exactly one: whole, with nothing behind it, and so plain that every parser there is reads
 * the same out of it. Visible ASCII and blanks alone, no folded lines, one Host, no word of a body. It does not say what is wrong with another one.
 */
export function readRequestHead(chunk: Buffer, limits: HeadLimits): RequestHead | undefined {
  const { length } = chunk;
  if (length < METHOD.length + END.length || length >= limits.size) return undefined;
  if (!isAt(chunk, 0, METHOD) || !isAt(chunk, length - END.length, END)) return undefined; // every loop below ends at a CR

  let at = METHOD.length;
  if (chunk[at] !== SLASH) return undefined;
  while (isTarget(chunk[at]!)) at++;
  const target = chunk.toString('latin1', METHOD.length, at);
  if (!isAt(chunk, at, VERSION)) return undefined;
  at += VERSION.length;

  const headers: string[] = [];
  let once = 0;
  while (chunk[at] !== CR) {
    const nameAt = at;
    while (IS_NAME[chunk[at]!] === 1) at++;
    const nameEnd = at;
    if (nameEnd === nameAt || chunk[at++] !== COLON) return undefined;
    while (chunk[at] === SPACE) at++;
    const valueAt = at;
    while (isVisible(chunk[at]!)) at++;
    if (chunk[at] !== CR || chunk[at + 1] !== LF) return undefined;
    let valueEnd = at;
    while (valueEnd > valueAt && chunk[valueEnd - 1] === SPACE) valueEnd--;
    at += 2;

    const name = chunk.toString('latin1', nameAt, nameEnd);
    const value = chunk.toString('latin1', valueAt, valueEnd);
    const bit = bitOf(name.toLowerCase(), value);
    if (bit === undefined || (once & bit) !== 0) return undefined;
    once |= bit;
    headers.push(name, value);
  }
  if (at + 2 !== length || once !== ALL_ONCE || headers.length > 2 * limits.count) return undefined;
  return { target, headers };
}

/** Which of the headers that come once this is, 0 for another; undefined for one that is none of ours to judge. */
function bitOf(name: string, value: string): number | undefined {
  if (BEYOND.has(name)) return undefined;
  const said = SAID.get(name);
  return said === undefined || said.has(value.toLowerCase()) ? (ONCE.get(name) ?? 0) : undefined;
}

function isAt(chunk: Buffer, at: number, bytes: Buffer): boolean {
  for (let n = 0; n < bytes.length; n++) if (chunk[at + n] !== bytes[n]) return false;
  return true;
}

const isVisible = (code: number): boolean => code >= SPACE && code <= TILDE;
/** A fragment is not for a server. */
const isTarget = (code: number): boolean => code > SPACE && code <= TILDE && code !== HASH;
