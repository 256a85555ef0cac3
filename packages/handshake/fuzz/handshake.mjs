// Invariant: whatever a peer puts into a request or an answer, the check functions return a decision and never throw; an accepted one
// keeps its promises (one key of 16 bytes, distinct subprotocols, extensions that can be written and read back, a host that a second
// look accepts); a refused one names an answer that can be written. The policies return a boolean for any text.
//
// Run: npm run build && npm run fuzz. FUZZ_SECONDS (10) bounds the time, FUZZ_SEED repeats a run.
import {
  checkHost,
  checkOrigin,
  checkUpgradeRequest,
  checkUpgradeResponse,
  formatExtensions,
  formatResponse,
  HandshakeError,
  isToken,
  parseExtensions,
  parseSubprotocols,
  refusalResponse,
  upgradeResponse,
} from '@ws/handshake';

const seconds = Number(process.env.FUZZ_SECONDS ?? 10);
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32);
let state = seed >>> 0;

/** mulberry32 */
function random(below) {
  state = (state + 0x6d2b79f5) >>> 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}
const pick = (list) => list[random(list.length)];

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const REQUEST = [
  'Host',
  'localhost:8080',
  'Upgrade',
  'websocket',
  'Connection',
  'keep-alive, Upgrade',
  'Sec-WebSocket-Key',
  KEY,
  'Sec-WebSocket-Version',
  '13',
];
const RESPONSE = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', ACCEPT];
const EXTRA = [
  'Origin',
  'http://localhost:8080',
  'Sec-WebSocket-Protocol',
  'chat.v2, chat.v1',
  'Sec-WebSocket-Extensions',
  'a; b=1; c="d\\e", f',
  'Content-Length',
  '0',
];
const NAMES = [
  ...REQUEST,
  ...RESPONSE,
  ...EXTRA,
  'Sec-WebSocket-Origin',
  'Transfer-Encoding',
  'x',
  '',
  '__proto__',
].filter((_, at) => at % 2 === 0);
const PIECES = ['', ' ', '\t', ',', ';', '=', '"', '\\', '\r\n', '\0', '\u00ff', '\u212a', '\ud800', 'a', 'Z', '0', '13', '8', '/', ':', '@', '[', ']', '.', '::', '://', 'null', 'websocket', 'upgrade', '__proto__', 'constructor', KEY, ACCEPT]; // prettier-ignore

/** A text with a few pieces cut out, doubled or put in. */
function bend(text) {
  for (let edits = random(4); edits > 0; edits--) {
    const from = random(text.length + 1);
    const to = Math.min(text.length, from + random(6));
    const middle = pick([
      () => '',
      () => pick(PIECES),
      () => text.slice(from, to).repeat(2),
      () => pick(PIECES).repeat(random(50)),
      () => String.fromCharCode(random(0x180)),
    ])();
    text = text.slice(0, from) + middle + text.slice(to);
  }
  return text;
}

function bendHeaders(base) {
  const headers = [...base];
  for (let at = 0; at + 1 < EXTRA.length; at += 2) if (random(3) === 0) headers.push(EXTRA[at], EXTRA[at + 1]);
  for (let edits = random(3); edits > 0; edits--) {
    const at = random(headers.length >> 1) * 2;
    pick([
      () => headers.splice(at, 2),
      () => headers.splice(at, 0, headers[at] ?? '', headers[at + 1] ?? ''),
      () => headers.splice(at, 0, pick(NAMES), bend(pick(PIECES))),
      () => (headers[at] = bend(headers[at] ?? '')),
      () => (headers[at + 1] = bend(headers[at + 1] ?? '')),
      () => headers.splice(at, 1),
    ])();
  }
  return headers;
}

function must(fact, what, input) {
  if (fact) return;
  console.error(`broken: ${what}, seed ${seed}`, input);
  process.exit(1);
}

function fuzzRequest() {
  const request = {
    method: random(20) ? 'GET' : bend('GET'),
    target: random(3) ? '/chat?a' : bend(pick(['/chat?a', 'http://localhost:8080/chat'])),
    httpVersion: random(20) ? '1.1' : bend('1.1'),
    headers: bendHeaders(REQUEST),
  };
  const decision = checkUpgradeRequest(request, { draft08: random(2) === 0 });
  if (!decision.accepted) {
    const { error } = decision;
    must(error instanceof HandshakeError && error.status >= 400, 'error', request);
    formatResponse(refusalResponse(error.status, { body: error.message, headers: error.headers }));
    return 'refused';
  }
  const { offer } = decision;
  must(Buffer.from(offer.key, 'base64').length === 16, 'key', request);
  must(
    new Set(offer.protocols).size === offer.protocols.length && offer.protocols.every(isToken),
    'protocols',
    request,
  );
  must(checkHost(offer.host, [offer.host]), 'host', request);
  const extensions = [...new Map(offer.extensions.map((extension) => [extension.name, extension])).values()];
  const response = upgradeResponse(offer, { protocol: offer.protocols[0], extensions });
  const sent = { key: offer.key, protocols: offer.protocols.slice(0, 1), extensions: offer.extensions };
  must(checkUpgradeResponse(response, sent).accepted, 'own answer', request);
  return 'accepted';
}

function fuzzResponse() {
  const chosen = random(3) ? [] : ['Sec-WebSocket-Protocol', pick(['chat.v1', 'chat.v2'])];
  const response = { status: random(20) ? 101 : random(1000), headers: bendHeaders([...RESPONSE, ...chosen]) };
  const protocols = pick([[], ['chat.v1'], ['chat.v2', 'chat.v1']]);
  const extensions = parseExtensions(pick(['a, f', 'f']));
  const decision = checkUpgradeResponse(response, { key: KEY, protocols, extensions });
  must(decision.accepted || decision.error.status === 0, 'error', response);
  return decision.accepted ? 'accepted' : 'refused';
}

function fuzzGrammar() {
  const value = bend(pick(['a; b=1; c="d\\e", f', 'a, b, c', 'permessage-deflate; client_max_window_bits']));
  try {
    if (random(2)) {
      const list = parseExtensions(value);
      must(JSON.stringify(parseExtensions(formatExtensions(list))) === JSON.stringify(list), 'round trip', value);
    } else {
      const names = parseSubprotocols(value);
      must(parseSubprotocols(names.join(', ')).join() === names.join(), 'round trip', value);
    }
    return 'accepted';
  } catch (error) {
    must(error instanceof HandshakeError, String(error), value);
    return 'refused';
  }
}

function fuzzPolicy() {
  const origin = bend(pick(['http://localhost:8080', 'https://[::1]', 'http://127.0.0.1', 'null']));
  const host = bend(pick(['localhost:8080', '[::1]:443', '127.0.0.1']));
  const same = checkOrigin(origin, host, 'same');
  must(typeof same === 'boolean' && typeof checkHost(host, ['localhost', '.com', host]) === 'boolean', 'policy', {
    origin,
    host,
  });
  if (!same) return 'refused';
  // what we call the same, the URL parser of the WHATWG standard must call the same
  const url = new URL(origin);
  must(
    url.host === new URL(`${url.protocol}//${host}`).host && url.pathname === '/' && url.username === '',
    'same origin',
    { origin, host },
  );
  return 'accepted';
}

const counts = new Map();
const end = performance.now() + seconds * 1000;
while (performance.now() < end) {
  for (let runs = 0; runs < 200; runs++) {
    const target = pick([fuzzRequest, fuzzResponse, fuzzGrammar, fuzzPolicy]);
    const before = state;
    try {
      const outcome = `${target.name} ${target()}`;
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    } catch (error) {
      console.error(`thrown by ${target.name}, seed ${seed}, state ${before}`, error);
      process.exit(1);
    }
  }
}
console.log(`seed ${seed}, ${seconds} s`);
for (const outcome of [...counts.keys()].sort((one, other) => one.localeCompare(other)))
  console.log(`${outcome.padEnd(24)} ${counts.get(outcome)}`);
