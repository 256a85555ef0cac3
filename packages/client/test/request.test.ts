import { Agent as HttpsAgent } from 'node:https';
import { expect, test } from '@jest/globals';
import { WebSocket, type ClientOptions } from '../src/index.js';
import { opened, switching, wsServer } from './peers.js';
import { requestOf, withOptions } from './requests.js';

test('WS-040 NW-007 the request of RFC 6455 §4.1, and nothing that was not asked for', async () => {
  const { line, headers, key, text, socket } = await requestOf(
    (port) => new WebSocket(`ws://127.0.0.1:${port}/a/b?c=d`),
  );
  expect(line).toBe('GET /a/b?c=d HTTP/1.1');
  expect(Object.fromEntries(headers)).toEqual({
    host: [`127.0.0.1:${socket.localPort}`],
    upgrade: ['websocket'],
    connection: ['Upgrade'],
    'sec-websocket-key': [key],
    'sec-websocket-version': ['13'],
    'sec-websocket-extensions': ['permessage-deflate; client_max_window_bits'],
  });
  expect(Buffer.from(key, 'base64')).toHaveLength(16);
  expect(text.endsWith('\r\n\r\n')).toBe(true);
});

test('B-16 every handshake has a key of its own', async () => {
  const keys = new Set<string>();
  for (let i = 0; i < 10; i++) keys.add((await withOptions({})).key);
  expect(keys.size).toBe(10);
});

test('NW-007 the constructor returns at once, CONNECTING', async () => {
  const { url } = await wsServer();
  const websocket = new WebSocket(url);
  expect(websocket.readyState).toBe(WebSocket.CONNECTING);
  expect(websocket.url).toBe(url);
  await opened(websocket);
  expect(websocket.readyState).toBe(WebSocket.OPEN);
});

test('WS-040 the second argument may be the options', async () => {
  const { headers } = await requestOf(
    (port) => new WebSocket(new URL(`http://127.0.0.1:${port}`), { origin: 'http://o' }),
  );
  expect(headers.get('origin')).toEqual(['http://o']);
});

const PROTOCOLS = [
  { given: 'one', sent: 'one', chosen: 'one' },
  { given: ['one'], sent: 'one', chosen: 'one' },
  { given: ['one', 'two', 'Two'], sent: 'one, two, Two', chosen: 'two' },
];

test.each(PROTOCOLS)('NW-010 WS-042 subprotocols $given', async ({ given, sent, chosen }) => {
  let websocket: WebSocket | undefined;
  const { headers } = await requestOf(
    (port) => (websocket = new WebSocket(`ws://127.0.0.1:${port}/`, given)),
    ({ key }) => switching(key, { 'Sec-WebSocket-Protocol': chosen }),
  );
  expect(headers.get('sec-websocket-protocol')).toEqual([sent]);
  expect(websocket?.protocol).toBe(chosen);
  expect(websocket?.requestedProtocols).toEqual([given].flat());
  expect(websocket?.extensions).toBe('');
});

test.each([[[]], [undefined]])('NW-010 no subprotocols: %j', async (given) => {
  const { headers } = await requestOf((port) => new WebSocket(`ws://127.0.0.1:${port}/`, given));
  expect(headers.has('sec-websocket-protocol')).toBe(false);
});

const HEADERS: { name: string; options: ClientOptions; sent: Record<string, string[] | undefined> }[] = [
  {
    name: 'WS-044 NW-009 headers',
    options: { headers: { 'X-A': 'b', 'x-n': 5 } },
    sent: { 'x-a': ['b'], 'x-n': ['5'] },
  },
  {
    name: 'flags, a URL, and what is not there',
    options: { headers: { a: true, b: false, c: new URL('http://o/'), d: null, e: undefined } as never },
    sent: { a: ['true'], b: ['false'], c: ['http://o/'], d: undefined, e: undefined },
  },
  { name: 'several values', options: { headers: { 'X-A': ['b', 'c'] } }, sent: { 'x-a': ['b', 'c'] } },
  { name: 'names that differ in case', options: { headers: { 'X-A': 'b', 'x-a': 'c' } }, sent: { 'x-a': ['b', 'c'] } },
  { name: 'a list as rawHeaders', options: { headers: ['X-A', 'b', 'x-a', 'c'] }, sent: { 'x-a': ['b', 'c'] } },
  { name: 'Headers', options: { headers: new Headers({ 'X-A': 'b' }) }, sent: { 'x-a': ['b'] } },
  { name: 'a Map', options: { headers: new Map([['X-A', 'b']]) }, sent: { 'x-a': ['b'] } },
  {
    name: 'undefined values are left out',
    options: { headers: { 'X-A': undefined, 'X-B': 'c' } },
    sent: { 'x-b': ['c'] },
  },
  { name: 'latin1', options: { headers: { 'X-A': 'caf\u00e9\t!' } }, sent: { 'x-a': ['caf\u00e9\t!'] } },
  {
    name: 'names of Object.prototype',
    options: { headers: ['__proto__', 'a', 'constructor', 'b'] },
    sent: { __proto__: ['a'], constructor: ['b'] },
  },
  { name: 'cookies', options: { headers: { Cookie: 'a=b; c=d' } }, sent: { cookie: ['a=b; c=d'] } },
  { name: 'WS-046 A-37 origin', options: { origin: 'https://o' }, sent: { origin: ['https://o'] } },
  { name: 'an empty origin is none', options: { origin: '' }, sent: { origin: undefined } },
  { name: 'WS-046 A-37 host', options: { host: 'other.example:81' }, sent: { host: ['other.example:81'] } },
  {
    name: 'NW-009 Host and Origin in headers',
    options: { headers: { hOst: 'a.example', oRigin: 'b' }, origin: 'c', host: 'd' },
    sent: { host: ['a.example'], origin: ['b'] },
  },
  {
    name: 'WS-045 A-37 X-16 version 8',
    options: { protocolVersion: 8, origin: 'https://o' },
    sent: { 'sec-websocket-version': ['8'], 'sec-websocket-origin': ['https://o'] },
  },
  {
    name: 'WS-050 auth',
    options: { auth: 'us:er:ü' },
    sent: { authorization: [`Basic ${Buffer.from('us:er:ü').toString('base64')}`] },
  },
  {
    name: 'an Authorization header goes before auth',
    options: { auth: 'a:b', headers: { authorization: 'Bearer x' } },
    sent: { authorization: ['Bearer x'] },
  },
];

test.each(HEADERS)('$name', async ({ options, sent }) => {
  const { headers } = await withOptions(options);
  for (const [name, values] of Object.entries(sent)) expect([name, headers.get(name)]).toEqual([name, values]);
});

test('WS-045 version 8 has no Origin header, version 13 no Sec-WebSocket-Origin', async () => {
  expect((await withOptions({ origin: 'o', protocolVersion: 8 })).headers.has('origin')).toBe(false);
  expect((await withOptions({ origin: 'o', protocolVersion: 13 })).headers.has('sec-websocket-origin')).toBe(false);
});

test('NW-009 what makes the handshake one cannot be overridden, nor a body announced', async () => {
  const { headers, key } = await withOptions({
    headers: {
      Upgrade: 'h2c',
      Connection: 'close',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'Sec-WebSocket-Version': '7',
      'Sec-WebSocket-Protocol': 'mine',
      'Sec-WebSocket-Extensions': 'mine',
      'sec-websocket-accept': 'x',
      'Content-Length': '100',
      'Transfer-Encoding': 'chunked',
    },
  });
  expect(key).not.toBe('AAAAAAAAAAAAAAAAAAAAAA==');
  expect([...headers.keys()]).toEqual([
    'host',
    'upgrade',
    'connection',
    'sec-websocket-key',
    'sec-websocket-version',
    'sec-websocket-extensions',
  ]);
  expect([headers.get('upgrade'), headers.get('connection')]).toEqual([['websocket'], ['Upgrade']]);
  expect(headers.get('sec-websocket-version')).toEqual(['13']);
  expect(headers.get('sec-websocket-extensions')).toEqual(['permessage-deflate; client_max_window_bits']);
});

test('NW-008 options that would change the request or its destination have no effect', async () => {
  const { line, headers, socket } = await withOptions({
    method: 'POST',
    path: '/other',
    hostname: 'nowhere.invalid',
    port: 1,
    defaultPort: 2,
    protocol: 'https:',
    setHost: true,
    setDefaultHeaders: false,
    _defaultAgent: new HttpsAgent(),
    onread: { buffer: Buffer.alloc(1), callback: () => false },
  } as ClientOptions);
  expect(line).toBe('GET / HTTP/1.1');
  expect(headers.get('host')).toEqual([`127.0.0.1:${socket.localPort}`]);
});

test('WS-050 credentials in the address are sent, and go before the option', async () => {
  const { headers } = await requestOf(
    (port) => new WebSocket(`ws://us%65r:p%3Ass@127.0.0.1:${port}/`, { auth: 'other:one' }),
  );
  expect(headers.get('authorization')).toEqual([`Basic ${Buffer.from('user:p:ss').toString('base64')}`]);
});
