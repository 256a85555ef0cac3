import { Agent } from 'node:http';
import { connect, createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket, type ClientOptions } from '../src/index.js';
import { ending, listen, next, rawServer } from './peers.js';

/** What the call throws; nobody may have come to the server before our own probe has. */
async function refusal(make: (url: string) => unknown): Promise<Error & { code?: string }> {
  let connections = 0;
  const port = await listen(
    createServer((socket) => {
      connections++;
      socket.destroy();
    }),
  );
  let thrown: unknown;
  try {
    make(`ws://127.0.0.1:${port}/`);
  } catch (error) {
    thrown = error;
  }
  const probe = connect(port, '127.0.0.1');
  probe.on('error', () => {});
  await next(probe, 'close');
  expect(connections).toBe(1);
  expect(thrown).toBeDefined();
  return thrown as Error & { code?: string };
}

const BAD_OPTIONS: { name: string; options: object; error: string; says?: string }[] = [
  { name: 'protocolVersion', options: { protocolVersion: 9 }, error: 'RangeError' },
  { name: 'protocolVersion', options: { protocolVersion: '13' }, error: 'RangeError' },
  { name: 'followRedirects', options: { followRedirects: 1 }, error: 'TypeError' },
  { name: 'maxRedirects', options: { maxRedirects: -1 }, error: 'RangeError' },
  { name: 'maxRedirects', options: { maxRedirects: 1.5 }, error: 'RangeError' },
  { name: 'maxRedirects', options: { maxRedirects: '3' }, error: 'TypeError' },
  { name: 'handshakeTimeout', options: { handshakeTimeout: -1 }, error: 'RangeError' },
  { name: 'handshakeTimeout', options: { handshakeTimeout: NaN }, error: 'RangeError' },
  { name: 'handshakeTimeout', options: { handshakeTimeout: 2 ** 31 }, error: 'RangeError' },
  { name: 'handshakeTimeout', options: { handshakeTimeout: '5' }, error: 'TypeError' },
  { name: 'handshakeTimeout', options: { handshakeTimeout: true }, error: 'TypeError' },
  { name: 'timeout', options: { timeout: 'soon' }, error: 'TypeError' },
  { name: 'timeout', options: { timeout: -1 }, error: 'RangeError' },
  { name: 'maxPayload', options: { maxPayload: -1 }, error: 'RangeError' },
  { name: 'memoryLimit', options: { memoryLimit: -1 }, error: 'RangeError' },
  { name: 'maxFragments', options: { maxFragments: '1' }, error: 'TypeError' },
  { name: 'maxBufferedChunks', options: { maxBufferedChunks: 0.5 }, error: 'RangeError' },
  { name: 'closeTimeout', options: { closeTimeout: {} }, error: 'TypeError' },
  { name: 'highWaterMark', options: { highWaterMark: -1 }, error: 'RangeError' },
  { name: 'autoPong', options: { autoPong: 'yes' }, error: 'TypeError' },
  { name: 'allowSynchronousEvents', options: { allowSynchronousEvents: 0 }, error: 'TypeError' },
  { name: 'skipUTF8Validation', options: { skipUTF8Validation: null }, error: 'TypeError' },
  { name: 'strictLength', options: { strictLength: 1 }, error: 'TypeError' },
  { name: 'generateMask', options: { generateMask: 1 }, error: 'TypeError' },
  { name: 'finishRequest', options: { finishRequest: {} }, error: 'TypeError' },
  { name: 'createConnection', options: { createConnection: 'tcp' }, error: 'TypeError' },
  { name: 'lookup', options: { lookup: true }, error: 'TypeError' },
  { name: 'checkServerIdentity', options: { checkServerIdentity: 1 }, error: 'TypeError' },
  { name: 'agent', options: { agent: 7 }, error: 'TypeError' },
  { name: 'family', options: { family: 5 }, error: 'RangeError' },
  { name: 'family', options: { family: '4' }, error: 'RangeError' },
  { name: 'localAddress', options: { localAddress: 'here' }, error: 'TypeError' },
  { name: 'localAddress', options: { localAddress: 1 }, error: 'TypeError' },
  { name: 'socketPath', options: { socketPath: 1 }, error: 'TypeError' },
  { name: 'servername', options: { servername: 1 }, error: 'TypeError' },
  { name: 'signal', options: { signal: {} }, error: 'TypeError' },
  { name: 'signal', options: { signal: 'stop' }, error: 'TypeError' },
  { name: 'auth', options: { auth: { user: 'x' } }, error: 'TypeError' },
  { name: 'host', options: { host: 1 }, error: 'TypeError' },
  { name: 'origin', options: { origin: new URL('http://x') }, error: 'TypeError' },
  { name: 'perMessageDeflate', options: { perMessageDeflate: 1 }, error: 'TypeError' },
  { name: 'perMessageDeflate is an array', options: { perMessageDeflate: [{}] }, error: 'TypeError' },
  { name: 'headers', options: { headers: 'X: y' }, error: 'TypeError' },
  { name: 'headers', options: { headers: ['X'] }, error: 'TypeError' },
  { name: 'headers', options: { headers: { X: () => 'y' } }, error: 'TypeError' },
  { name: 'headers', options: { headers: { X: Symbol('y') } }, error: 'TypeError' },
  { name: 'headers', options: { headers: { X: { y: 1 } } }, error: 'TypeError' },
  { name: 'headers', options: { headers: { 'a b': 'c' } }, error: 'TypeError' },
  { name: 'headers', options: { headers: { '': 'c' } }, error: 'TypeError' },
];

test.each(BAD_OPTIONS)('$error at the call: $options', async ({ name, options, error }) => {
  const thrown = await refusal((url) => new WebSocket(url, options));
  expect(thrown.name).toBe(error);
  expect(thrown.message).toContain(name);
});

test('WS-047 a certificate that is none is refused at the call', async () => {
  const thrown = await refusal((url) => new WebSocket(url.replace('ws:', 'wss:'), { cert: 'garbage', key: 'garbage' }));
  expect(thrown.message).toMatch(/PEM/);
});

/** Those of the negotiation, of the codec and of zlib: none waits for the server's answer. WS-048 */
const BAD_DEFLATE: { name: string; perMessageDeflate: object; error: string }[] = [
  { name: 'serverMaxWindowBits is 7, expected', perMessageDeflate: { serverMaxWindowBits: 7 }, error: 'RangeError' },
  { name: 'clientMaxWindowBits is 16, expected', perMessageDeflate: { clientMaxWindowBits: 16 }, error: 'RangeError' },
  { name: 'serverNoContextTakeover', perMessageDeflate: { serverNoContextTakeover: 1 }, error: 'TypeError' },
  { name: 'clientNoContextTakeover', perMessageDeflate: { clientNoContextTakeover: 'no' }, error: 'TypeError' },
  { name: 'threshold', perMessageDeflate: { threshold: -1 }, error: 'RangeError' },
  { name: 'thresholdMode', perMessageDeflate: { thresholdMode: 'never' }, error: 'RangeError' },
  { name: 'maxRatio', perMessageDeflate: { maxRatio: '10' }, error: 'TypeError' },
  { name: 'zlibDeflateOptions.level', perMessageDeflate: { zlibDeflateOptions: { level: 10 } }, error: 'RangeError' },
  { name: 'zlibInflateOptions', perMessageDeflate: { zlibInflateOptions: 1 }, error: 'TypeError' },
  { name: 'concurrencyLimit', perMessageDeflate: { concurrencyLimit: 0 }, error: 'RangeError' },
];

test.each(BAD_DEFLATE)('$error at the call: $name', async ({ name, perMessageDeflate, error }) => {
  const thrown = await refusal((url) => new WebSocket(url, { perMessageDeflate }));
  expect(thrown.name).toBe(error);
  expect(thrown.message).toContain(name);
});

const INJECTIONS = ['a\r\nX-Injected: 1', 'a\nX-Injected: 1', 'a\rb', 'a\0b', 'a\x7fb', 'a\u0100b', '日本'];
const PLACES: { place: string; options: (text: string) => ClientOptions }[] = [
  { place: 'header value', options: (text) => ({ headers: { 'X-Test': text } }) },
  { place: 'one of several header values', options: (text) => ({ headers: { 'X-Test': ['fine', text] } }) },
  { place: 'header list', options: (text) => ({ headers: ['X-Test', text] }) },
  { place: 'header name', options: (text) => ({ headers: { [`X-${text}`]: 'x' } }) },
  { place: 'Host header', options: (text) => ({ headers: { Host: text } }) },
  { place: 'Origin header', options: (text) => ({ headers: { Origin: text } }) },
  { place: 'Authorization header', options: (text) => ({ headers: { Authorization: text } }) },
  { place: 'host', options: (text) => ({ host: text }) },
  { place: 'origin', options: (text) => ({ origin: text }) },
];
const CASES = PLACES.flatMap(({ place, options }) => INJECTIONS.map((text) => ({ place, text, options })));

test.each(CASES)('B-18 NW-009 TypeError for $text in $place', async ({ text, options }) => {
  const thrown = await refusal((url) => new WebSocket(url, options(text)));
  expect(thrown.name).toBe('TypeError');
});

test.each(INJECTIONS.slice(0, 5))('B-18 TypeError for %j in auth', async (text) => {
  const thrown = await refusal((url) => new WebSocket(url, { auth: text }));
  expect(thrown).toMatchObject({ name: 'TypeError', message: expect.stringContaining('auth') as unknown });
});

test.each([
  ...INJECTIONS.map((text) => [text]),
  ...INJECTIONS.map((text) => ['fine', text]),
  ['a', 'a'],
  [''],
  ['a b'],
  ['a,b'],
])('NW-010 SyntaxError for the subprotocols %j, %j', async (...protocols) => {
  const thrown = await refusal((url) => new WebSocket(url, protocols));
  expect(thrown).toMatchObject({ name: 'SyntaxError', code: 'WS_ERR_INVALID_SUBPROTOCOL' });
});

test.each([[null], [5], [[5]], [[null]], [''], [['a', ['b']]]])(
  'NW-010 SyntaxError for the subprotocols %j',
  async (value) => {
    const thrown = await refusal((url) => new WebSocket(url, value as unknown as string));
    expect(thrown.name).toBe('SyntaxError');
  },
);

test.each([undefined, 5, {}, 'nowhere', 'ws://h/#f'])('WS-040 SyntaxError for the address %j', (address) => {
  expect(() => new WebSocket(address as string)).toThrow(SyntaxError);
});

test('B-18 B-24 options, headers, protocols and address stay as they were, and changing them later changes nothing', async () => {
  const seen = new Promise<ReadonlyMap<string, string[]>>((resolve, reject) => {
    rawServer(({ headers, socket }) => {
      resolve(headers);
      socket.destroy();
    }).then((port) => {
      const headers = { 'X-One': '1', 'X-Many': ['a', 'b'] };
      const options = { headers, origin: 'http://o', handshakeTimeout: 5000, agent: false as const, maxPayload: 5 };
      const protocols = ['one', 'two'];
      const address = new URL(`ws://u:p@127.0.0.1:${port}/`);
      const before = structuredClone({ options, protocols, href: address.href });
      void ending(new WebSocket(address, protocols, options));
      expect({ options, protocols, href: address.href }).toEqual(before);
      headers['X-One'] = '2';
      headers['X-Many'].push('c');
      protocols.push('three');
    }, reject);
  });
  const headers = await seen;
  expect(headers.get('x-one')).toEqual(['1']);
  expect(headers.get('x-many')).toEqual(['a', 'b']);
  expect(headers.get('sec-websocket-protocol')).toEqual(['one, two']);
});

test('frozen options are taken', async () => {
  const port = await rawServer(({ socket }) => socket.destroy());
  const options = Object.freeze({ headers: Object.freeze({ a: 'b' }), followRedirects: true, agent: new Agent() });
  const { events } = await ending(new WebSocket(`ws://127.0.0.1:${port}`, Object.freeze(['p']) as string[], options));
  expect(events).toEqual(['error ECONNRESET', 'close 1006']);
});
