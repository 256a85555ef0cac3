// Invariant: whatever a peer puts into a request, an answer or one of their fields, it is decided on and nothing is thrown but a
// HandshakeError; the decision, and what is read, are those of a naive reading with regular expressions; what is accepted can be written and
// is read back the same, what is refused names an answer that can be written; whatever a caller puts into an option is refused or stays in
// its place on the wire; what we call the same origin a URL parser calls the same; work grows with the text and not faster.
import {
  acceptFor,
  addressKey,
  checkHost,
  checkOrigin,
  checkUpgradeRequest,
  checkUpgradeResponse,
  clientAddress,
  formatExtensions,
  formatRequest,
  formatResponse,
  HandshakeError,
  isOrigin,
  isToken,
  parseExtensions,
  parseSubprotocols,
  refusalResponse,
  selectSubprotocol,
  upgradeRequest,
  upgradeResponse,
} from '@ws/handshake';
import { createHash } from 'node:crypto';
import type { Counters } from '../counting/counters.js';
import { must, same } from '../engine/failure.js';
import { mustBeLinear } from '../engine/linear.js';
import { naiveClient, naiveKey } from '../oracle/addresses.js';
import {
  extensionsOf,
  isHostAllowed,
  linesOf,
  requestOf,
  responseOf,
  subprotocolsOf,
  isToken as isNaiveToken,
} from '../oracle/http.js';
import { hashOf, type Random } from '../random.js';
import type { MakeTarget } from '../target.js';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';

/** What a text is taken for, by its first character. */
const READINGS: Readonly<Record<string, (text: string) => string>> = {
  q: request,
  Q: (text) => request(text, true),
  r: response,
  e: readExtensions,
  p: readSubprotocols,
  h: readHost,
  o: readOrigin,
  w: writeRequest,
  W: writeResponse,
  k: key,
  x: behindProxies,
};

/** The first octet says what, the second which characters, the rest is the text. */
function read(input: Uint8Array): { kind: string; text: string } {
  const kinds = Object.keys(READINGS);
  const given = String.fromCharCode(input[0] ?? 0);
  const kind = kinds.includes(given) ? given : kinds[(input[0] ?? 0) % kinds.length]!;
  return { kind, text: Buffer.from(input.subarray(2)).toString((input[1] ?? 0) === 0x75 ? 'utf8' : 'latin1') };
}

/** Lines to a head: the first is the start line; blanks at the colon are the value's. */
function headOf(text: string): { start: string; headers: string[] } {
  const [start = '', ...lines] = text.split('\n');
  return {
    start,
    headers: lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon === -1 ? [line] : [line.slice(0, colon), line.slice(colon + 1)];
    }),
  };
}

function request(text: string, draft08 = false): string {
  const { start, headers } = headOf(text);
  const [method = '', target = '', version = ''] = start.split(' ');
  const given = { method, target, httpVersion: version.replace('HTTP/', ''), headers };
  checkHeadLimits(given);
  const decision = checkUpgradeRequest(given, { draft08 });
  const expected = requestOf(given, draft08);
  if (!decision.accepted) {
    const { error } = decision;
    must(error instanceof HandshakeError && error.status >= 400, 'refused without a status');
    must(expected === undefined, `refused with ${error.code}, is a handshake`);
    const written = linesOf(
      formatResponse(refusalResponse(error.status, { body: error.message, headers: error.headers })),
    );
    must(written?.start.startsWith(`HTTP/1.1 ${error.status}`) === true, 'the refusal cannot be written');
    return error.code;
  }
  const { offer } = decision;
  same(sorted(offer), sorted(expected ?? { refused: true }), 'an offer is read as something else');
  const names = [...new Map(offer.extensions.map((extension) => [extension.name, extension])).values()];
  const answer = upgradeResponse(offer, {
    ...(offer.protocols[0] === undefined ? {} : { protocol: offer.protocols[0] }),
    extensions: names,
  });
  must(linesOf(formatResponse(answer)) !== undefined, 'our answer cannot be written');
  const sent = { key: offer.key, protocols: offer.protocols.slice(0, 1), extensions: offer.extensions };
  must(checkUpgradeResponse(answer, sent).accepted, 'our own answer is refused');
  return 'accepted';
}

/** A head that is one octet or one field too large is refused for that, before all else; and one that is not, is not. */
function checkHeadLimits(given: Parameters<typeof checkUpgradeRequest>[0]): void {
  const lines = Array.from({ length: Math.ceil(given.headers.length / 2) }, (_, i) =>
    given.headers.slice(2 * i, 2 * i + 2).join(': '),
  );
  if (given.headers.length % 2 !== 0) return; // no head of any request
  const size = [`${given.method} ${given.target} HTTP/1.1`, ...lines].reduce((sum, line) => sum + line.length + 2, 2);
  const codeFor = (maxHeaderSize: number, maxHeaderCount: number): string => {
    const decision = checkUpgradeRequest(given, { maxHeaderSize, maxHeaderCount });
    return decision.accepted ? '' : decision.error.code;
  };
  must(codeFor(size - 1, Infinity) === 'WS_ERR_HEADER_TOO_LARGE', 'a large head is not refused');
  must(codeFor(size, Infinity) !== 'WS_ERR_HEADER_TOO_LARGE', 'a head that fits is refused');
  must(
    lines.length === 0 || codeFor(Infinity, lines.length - 1) === 'WS_ERR_TOO_MANY_HEADERS',
    'many headers are not refused',
  );
  must(codeFor(Infinity, lines.length) !== 'WS_ERR_TOO_MANY_HEADERS', 'headers that fit are refused');
}

/** In the order of the names: what is left out is as good as undefined. */
const sorted = (value: object): unknown =>
  Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)));

function response(text: string): string {
  const { start, headers } = headOf(text);
  const [status = '', protocols = '', offered = ''] = start.split(' ');
  const wanted = subprotocolsOf(protocols) ?? [];
  const extensions = (extensionsOf(offered) ?? []).map(({ name }) => ({ name, parameters: [] }));
  const given = { status: Number(status), headers };
  const decision = checkUpgradeResponse(given, { key: KEY, protocols: wanted, extensions });
  const expected = responseOf(
    given,
    ACCEPT,
    wanted,
    extensions.map(({ name }) => name),
  );
  if (decision.accepted) {
    same(
      { protocol: decision.protocol, extensions: decision.extensions },
      expected ?? 'refused',
      'an answer is read as something else',
    );
    return 'accepted';
  }
  must(
    expected === undefined && decision.error instanceof HandshakeError && decision.error.status === 0,
    `refused with ${decision.error.code}`,
  );
  return decision.error.code;
}

function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof HandshakeError) return undefined;
    throw error;
  }
}

function readExtensions(text: string): string {
  const list = attempt(() => parseExtensions(text));
  same(list, extensionsOf(text), 'extensions are read as something else');
  if (list === undefined) return 'refused';
  same(parseExtensions(formatExtensions(list)), list, 'extensions are written as something else');
  return 'accepted';
}

function readSubprotocols(text: string): string {
  const list = attempt(() => parseSubprotocols(text));
  same(list, subprotocolsOf(text), 'subprotocols are read as something else');
  if (list === undefined) return 'refused';
  same(parseSubprotocols(list.join(', ')), list, 'subprotocols are written as something else');
  const ours = [...list].reverse();
  same(
    [selectSubprotocol(list, ours), selectSubprotocol(list, ours, 'server')],
    [list[0], ours[0]],
    'another subprotocol is selected',
  );
  return 'accepted';
}

function readHost(text: string): string {
  const [actual = '', ...allowed] = text.split('\n');
  const is = checkHost(actual, allowed);
  same(is, isHostAllowed(actual, allowed), 'a host is judged wrongly');
  same(checkHost(actual, [actual]), isHostAllowed(actual, [actual]), 'a host is not itself');
  return String(is);
}

function readOrigin(text: string): string {
  const [given = '', ownHost = '', ...rule] = text.split('\n');
  const isSame = checkOrigin(given, ownHost, 'same');
  const isListed = checkOrigin(given, ownHost, rule);
  must(checkOrigin(given, ownHost, 'any') && checkOrigin(undefined, ownHost, rule), 'any origin is any');
  must(!isListed || rule.some((entry) => isOrigin(entry)), 'an origin is on no list');
  must(!isOrigin(given) || checkOrigin(given, ownHost, [given]), 'an origin is not itself');
  if (isSame) {
    const url = new URL(given); // what we call the same, the parser of the WHATWG standard must call the same
    const own = new URL(`${url.protocol}//${ownHost}`);
    must(
      url.host === own.host && url.pathname === '/' && url.username === '' && /^https?:$/.test(url.protocol),
      'not the same host',
    );
  }
  if (isListed)
    must(
      rule.some((entry) => parsed(entry)?.host.toLowerCase() === new URL(given).host.toLowerCase()),
      'not one of the list',
    );
  // And the other way round: an origin as a browser writes it, with a host as a browser writes it.
  const url = parsed(given);
  const own = parsed(`${url?.protocol}//${ownHost}`);
  if (
    url &&
    own &&
    /^https?:$/.test(url.protocol) &&
    url.origin === given &&
    own.host === ownHost &&
    url.host === own.host &&
    /^[\w.:[\]-]+$/.test(ownHost)
  )
    must(isSame, 'the same host is called another one');
  return `${isSame} ${isListed}`;
}

/** Not `URL.canParse`: that of Node 20 says yes to what the constructor then refuses. */
function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** Each line is an option; whatever is in it, it is refused or stays where it belongs. */
function writeRequest(text: string): string {
  const [
    ownHost = '',
    target = '',
    ownOrigin = '',
    protocol = '',
    name = '',
    value = '',
    extension = '',
    parameter = '',
  ] = text.split('\v');
  let written;
  try {
    const asked = upgradeRequest({
      host: ownHost,
      target,
      key: KEY,
      origin: ownOrigin,
      protocols: protocol === '' ? [] : [protocol],
      headers: name === '' ? [] : [name, value],
      extensions: extension === '' ? [] : [{ name: extension, parameters: [[parameter, true]] }],
    });
    written = formatRequest(asked);
  } catch (error) {
    must(
      error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError,
      `threw ${String(error)}`,
    );
    return error.constructor.name;
  }
  const lines = linesOf(written);
  must(
    lines !== undefined && lines.body === '' && lines.start === `GET ${target} HTTP/1.1`,
    'a request line is something else',
  );
  must(
    lines.headers.every(([field]) => isNaiveToken(field)),
    'a field of no name',
  );
  same(
    lines.headers.filter(([field]) => /^(host|upgrade|connection|sec-websocket-(key|version))$/i.test(field)).length,
    5,
    'a field is missing or comes twice',
  );
  const decision = checkUpgradeRequest({ method: 'GET', target, httpVersion: '1.1', headers: lines.headers.flat() });
  must(decision.accepted || decision.error.code === 'WS_ERR_INVALID_HOST', () => `our own request is refused: ${decision.accepted ? '' : decision.error.message}`); // prettier-ignore
  return 'written';
}

function writeResponse(text: string): string {
  const [status = '', reason = '', body = '', name = '', value = ''] = text.split('\v');
  let written;
  try {
    written = formatResponse(
      refusalResponse(Number(status), { reason, body, headers: name === '' ? [] : [name, value] }),
    );
  } catch (error) {
    must(error instanceof TypeError || error instanceof RangeError, `threw ${String(error)}`);
    return error.constructor.name;
  }
  const lines = linesOf(written);
  must(lines?.start === `HTTP/1.1 ${Number(status)} ${reason}`, 'a status line is something else');
  must(
    lines.headers.every(([field]) => isNaiveToken(field)),
    'a field of no name',
  );
  same(
    lines.headers.find(([field]) => field === 'Content-Length')?.[1],
    String(lines.body.length),
    'the length of the body',
  );
  same(Buffer.from(lines.body, 'latin1').toString('utf8'), Buffer.from(body).toString('utf8'), 'the body');
  return 'written';
}

/** Who has connected, the number of our proxies, and what they say, a line each. */
function behindProxies(text: string): string {
  const [remote = '', hops = '', ...values] = text.split('\n');
  const trusted = Number(hops.trim().slice(0, 2)) || 0;
  const headers = values.flatMap((value) => ['X-Forwarded-For', value]);
  const address = clientAddress(remote === '' ? undefined : remote, headers, trusted);
  same(address, naiveClient(remote === '' ? undefined : remote, values, trusted), 'the client is somebody else');
  same(
    clientAddress(remote, headers, (_, hop) => hop < trusted),
    clientAddress(remote, headers, trusted),
    'a number is no function',
  );
  for (const one of [remote, address ?? '', ...values])
    same(addressKey(one), naiveKey(one), 'an address counts as another one');
  return String(address === remote);
}

function key(text: string): string {
  same(isToken(text), isNaiveToken(text), 'a token is judged wrongly');
  let accept: string | undefined;
  try {
    accept = acceptFor(text);
  } catch (error) {
    must(error instanceof TypeError, `threw ${String(error)}`);
  }
  const isLatin1 = /^[\0-\xff]*$/.test(text);
  const hash = createHash('sha1')
    .update(Buffer.from(`${text}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'latin1'))
    .digest('base64');
  same(accept, isLatin1 ? hash : undefined, 'an accept value');
  return String(isLatin1);
}

/** The text with a piece of it again and again. */
async function checkWork(input: Uint8Array, counters: Counters): Promise<void> {
  const { kind, text } = read(input);
  const hash = hashOf(input);
  const from = hash % (text.length + 1);
  const piece = text.slice(from, from + 1 + ((hash >>> 16) % 12)) || 'a';
  const costOf = (length: number): { steps: number; ms: number } => {
    const long = text.slice(0, from) + piece.repeat(Math.ceil(length / piece.length)) + text.slice(from);
    const before = counters.steps();
    const { user } = process.cpuUsage();
    attemptAny(kind, long);
    return { steps: counters.steps() - before, ms: (process.cpuUsage().user - user) / 1000 };
  };
  await mustBeLinear((length) => costOf(length).steps);
  // What is quadratic inside the engine's own functions shows in time alone; linear work takes a few ms.
  const isSlow = (): boolean => costOf(65_536).ms > 400;
  must(!isSlow() || !isSlow() || !isSlow(), '64 KiB take more than 400 ms');
}

/** The packages alone: the naive readings are not held to anything. */
function attemptAny(kind: string, text: string): void {
  const { start, headers } = headOf(text);
  const [method = '', target = '', version = ''] = start.split(' ');
  try {
    if (kind === 'q' || kind === 'Q')
      checkUpgradeRequest({ method, target, httpVersion: version.replace('HTTP/', ''), headers });
    else if (kind === 'r') checkUpgradeResponse({ status: 101, headers }, { key: KEY });
    else if (kind === 'e') parseExtensions(text);
    else if (kind === 'p') parseSubprotocols(text);
    else if (kind === 'h') checkHost(text, [text]);
    else if (kind === 'o') checkOrigin(text, text, [text]);
    else if (kind === 'k') acceptFor(text);
    else if (kind === 'x') {
      clientAddress('::1', ['X-Forwarded-For', text], 100);
      addressKey(text);
    }
  } catch (error) {
    if (!(error instanceof HandshakeError || error instanceof TypeError)) throw error;
  }
}

const REQUEST = `GET /chat?a HTTP/1.1
Host: localhost:8080
Upgrade: websocket
Connection: keep-alive, Upgrade
Sec-WebSocket-Key: ${KEY}
Sec-WebSocket-Version: 13`;
const FIELDS = [
  'Origin: http://localhost:8080',
  'Sec-WebSocket-Protocol: chat.v2, chat.v1',
  'Sec-WebSocket-Extensions: a; b=1; c="d\\e", f',
  'Content-Length: 0',
  'Transfer-Encoding: chunked',
  'Sec-WebSocket-Origin: http://a',
  'Sec-WebSocket-Version: 8',
  'x',
  '__proto__: constructor',
];
const RESPONSE = `101 chat.v1,chat.v2 a,f
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Accept: ${ACCEPT}
Sec-WebSocket-Protocol: chat.v1
Sec-WebSocket-Extensions: a; b`;

const SEEDS = [
  ['q', REQUEST],
  ['q', `${REQUEST}\n${FIELDS.slice(0, 4).join('\n')}`],
  ['q', REQUEST.replace('/chat?a', 'http://localhost:8080/chat')],
  ['Q', `${REQUEST.replace('13', '8')}\nSec-WebSocket-Origin: http://a`],
  ['r', RESPONSE],
  ['e', 'a; b=1; c="d\\e", f'],
  ['e', 'permessage-deflate; client_max_window_bits; server_max_window_bits = "10", , x'],
  ['p', 'chat.v2, chat.v1,superchat'],
  ['h', 'localhost:8080\nlocalhost\n.example.com\n[::1]:443'],
  ['h', 'a.example.com\n.example.com:80'],
  ['h', '[1:2::3:1.2.3.4]:443\n[::1]'],
  ['o', 'http://localhost:8080\nlocalhost:8080\nhttps://app.example.com'],
  ['o', 'https://[::1]\n[::1]:443\nhttps://[::1]:443'],
  ['o', 'http://127.0.0.1\n127.0.0.1\nnull'],
  ['o', 'chrome-extension://abc\nabc\nchrome-extension://abc'],
  ['w', 'a:80\v/chat?x\vhttp://a\vchat\vX-A\vvalue\vext\vp'],
  ['W', '403\vForbidden\vwhy not? ü\vX-A\vvalue'],
  ['k', KEY],
  ['x', '::ffff:10.0.0.1\n2\n1.2.3.4, 10.0.0.2\n[2001:db8::1]:443, 10.0.0.3:80'],
  ['x', 'fe80::1%eth0\n9\n64:ff9b::1.2.3.4, unknown, 2001:DB8:0:0:1::1'],
] as const;

const PIECES = ['', ' ', '\t', ',', ';', '=', '"', '\\', '\r\n', '\n', '\v', '\0', '\u00ff', '\u212a', '\ud800', 'a', 'Z', '0', '13', '8', '/', '?', '#', ':', '@', '[', ']', '.', '::', '://', 'http://', 'https://', 'null', '%', '65535', '65536', '255', '256', '0x7f', 'ffff', 'websocket', 'upgrade', '__proto__', 'constructor', 'Host: ', 'Origin: ', KEY, ACCEPT, ...FIELDS.map((field) => `\n${field}`)]; // prettier-ignore

function bend(text: string, random: Random): string {
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    const from = random.below(text.length + 1);
    const to = Math.min(text.length, from + random.below(6));
    const middle = [
      () => '',
      () => random.pick(PIECES),
      () => text.slice(from, to).repeat(2),
      () => random.pick(PIECES).repeat(random.below(50)),
      () => String.fromCharCode(random.below(0x180)),
    ][random.below(5)]!();
    text = text.slice(0, from) + middle + text.slice(to);
  }
  return text;
}

export const makeTarget: MakeTarget = ({ counters }) => ({
  name: 'handshake',
  covers: ['handshake/'],
  maxLength: 2000,
  seeds: () => SEEDS.map(([kind, text]) => Buffer.from(`${kind}u${text}`)),
  dictionary: PIECES.map((piece) => Buffer.from(piece)),
  mutate(input, other, random) {
    const text = Buffer.from(input.subarray(2)).toString('utf8');
    const lines = text.split('\n');
    const at = random.below(lines.length);
    if (random.oneIn(4))
      lines.splice(at, random.below(2), random.oneIn(2) ? random.pick(FIELDS) : random.pick(Buffer.from(other).toString('utf8').split('\n'))); // prettier-ignore
    else lines[at] = bend(lines[at] ?? '', random);
    return Buffer.concat([Buffer.from([input[0] ?? 0, random.oneIn(4) ? 0x6c : 0x75]), Buffer.from(lines.join('\n'))]);
  },
  describe: (input) => JSON.stringify(read(input)),
  run(input) {
    const { kind, text } = read(input);
    counters.saw(`${kind} ${READINGS[kind]!(text)}`);
    return hashOf(input) % 256 === 0 ? checkWork(input, counters) : undefined;
  },
});
