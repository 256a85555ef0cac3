import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { exchange, handshake, isAlive, portOf, shake, start } from './support.js';

test('WS-031 the 101 has the accept hash of RFC 6455 §1.3 and nothing that was not asked for', async () => {
  const server = await start();
  expect(await shake(portOf(server), handshake())).toEqual({
    status: 101,
    phrase: 'Switching Protocols',
    headers: { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' },
    body: '',
  });
});

const PLAIN = { connection: 'close', 'content-type': 'text/plain; charset=utf-8' };
const VERSION = { 'sec-websocket-version': '13' };
const SWITCH = { ...PLAIN, ...VERSION, connection: 'close, Upgrade', upgrade: 'websocket' };

const REFUSALS: { name: string; request: string; status: number; code: string; headers?: Record<string, string> }[] = [
  {
    name: 'POST',
    request: handshake({}, 'POST / HTTP/1.1'),
    status: 405,
    code: 'WS_ERR_INVALID_METHOD',
    headers: { ...PLAIN, allow: 'GET' },
  },
  {
    name: 'HEAD',
    request: handshake({}, 'HEAD / HTTP/1.1'),
    status: 405,
    code: 'WS_ERR_INVALID_METHOD',
    headers: { ...PLAIN, allow: 'GET' },
  },
  { name: 'HTTP/1.0', request: handshake({}, 'GET / HTTP/1.0'), status: 400, code: 'WS_ERR_INVALID_HTTP_VERSION' },
  { name: 'no Host', request: handshake({ Host: undefined }), status: 400, code: 'WS_ERR_INVALID_HOST' },
  { name: 'Host twice', request: handshake({ Host: ['a', 'b'] }), status: 400, code: 'WS_ERR_INVALID_HOST' },
  { name: 'h2c', request: handshake({ Upgrade: 'h2c' }), status: 400, code: 'WS_ERR_INVALID_UPGRADE' },
  { name: 'no key', request: handshake({ 'Sec-WebSocket-Key': undefined }), status: 400, code: 'WS_ERR_INVALID_KEY' },
  { name: 'an empty key', request: handshake({ 'Sec-WebSocket-Key': '' }), status: 400, code: 'WS_ERR_INVALID_KEY' },
  {
    name: 'a key of 15 bytes',
    request: handshake({ 'Sec-WebSocket-Key': 'MTIzNDU2Nzg5MDEyMzQ1' }),
    status: 400,
    code: 'WS_ERR_INVALID_KEY',
  },
  {
    name: 'key twice',
    request: handshake({ 'Sec-WebSocket-Key': ['dGhlIHNhbXBsZSBub25jZQ==', 'dGhlIHNhbXBsZSBub25jZQ=='] }),
    status: 400,
    code: 'WS_ERR_INVALID_KEY',
  },
  {
    name: 'no version',
    request: handshake({ 'Sec-WebSocket-Version': undefined }),
    status: 400,
    code: 'WS_ERR_INVALID_VERSION',
    headers: { ...PLAIN, ...VERSION },
  },
  {
    name: 'version 8 (B-20)',
    request: handshake({ 'Sec-WebSocket-Version': '8' }),
    status: 426,
    code: 'WS_ERR_UNSUPPORTED_VERSION',
    headers: SWITCH,
  },
  {
    name: 'version 0',
    request: handshake({ 'Sec-WebSocket-Version': '0' }),
    status: 426,
    code: 'WS_ERR_UNSUPPORTED_VERSION',
    headers: SWITCH,
  },
  {
    name: 'version 14',
    request: handshake({ 'Sec-WebSocket-Version': '14' }),
    status: 426,
    code: 'WS_ERR_UNSUPPORTED_VERSION',
    headers: SWITCH,
  },
  { name: 'a body', request: handshake({ 'Content-Length': '4' }), status: 400, code: 'WS_ERR_UNEXPECTED_BODY' },
  {
    name: 'another host in the target',
    request: handshake({}, 'GET http://169.254.169.254/ HTTP/1.1'),
    status: 400,
    code: 'WS_ERR_INVALID_TARGET',
  },
  {
    name: 'a broken subprotocol list',
    request: handshake({ 'Sec-WebSocket-Protocol': 'a b' }),
    status: 400,
    code: 'WS_ERR_INVALID_SUBPROTOCOL',
  },
  {
    name: 'a broken extension list',
    request: handshake({ 'Sec-WebSocket-Extensions': 'a; b=' }),
    status: 400,
    code: 'WS_ERR_INVALID_EXTENSIONS',
  },
  {
    name: 'no Connection (WS-031)',
    request: handshake({ Connection: undefined }),
    status: 400,
    code: 'WS_ERR_INVALID_CONNECTION',
  },
  {
    name: 'Connection without upgrade',
    request: handshake({ Connection: 'keep-alive' }),
    status: 400,
    code: 'WS_ERR_INVALID_CONNECTION',
  },
  {
    name: 'no Upgrade (NW-030)',
    request: handshake({ Upgrade: undefined }),
    status: 426,
    code: 'WS_ERR_UPGRADE_REQUIRED',
    headers: SWITCH,
  },
];

test.each(REFUSALS)('NW-030 $name: $status', async ({ request, status, code, headers = PLAIN }) => {
  const server = await start();
  const refused = once(server, 'refused');
  const answer = await exchange(portOf(server), request);
  const [reason, , error] = await refused;
  expect({ reason, code: error.code }).toEqual({ reason: 'handshake', code });
  const { date: _date, ...sent } = answer.headers; // A request that is no upgrade is answered by node:http, which adds a date.
  expect(answer.status).toBe(status);
  expect(sent).toEqual({ ...headers, 'content-length': sent['content-length'] });
  if (!request.startsWith('HEAD')) expect(answer.body).toHaveLength(Number(sent['content-length']));
  expect(server.clients.size).toBe(0);
});

test('B-31 Connection: keep-alive, Upgrade is accepted, in any case', async () => {
  const port = portOf(await start());
  expect((await shake(port, handshake({ Connection: 'keep-alive, Upgrade' }))).status).toBe(101);
  expect((await shake(port, handshake({ Connection: ['keep-alive', 'UPGRADE'], Upgrade: 'WebSocket' }))).status).toBe(
    101,
  );
});

test('X-16 draft08 opens version 8, with its own origin header', async () => {
  const server = await start({ draft08: true });
  const headers = { 'Sec-WebSocket-Version': '8' };
  expect((await shake(portOf(server), handshake(headers))).status).toBe(101);
  const foreign = handshake({ ...headers, 'Sec-WebSocket-Origin': 'https://evil.example' });
  expect((await exchange(portOf(server), foreign)).status).toBe(403);
  const other = await exchange(portOf(server), handshake({ 'Sec-WebSocket-Version': '7' }));
  expect([other.status, other.headers['sec-websocket-version']]).toEqual([426, '13, 8']);
});

test.each(['Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version', 'Host'])(
  '%s absent, empty or doubled never ends the process (B-39)',
  async (name) => {
    const server = await start();
    const port = portOf(server);
    const good = /^Host|^Upgrade|^Connection/.test(name)
      ? { Host: 'a', Upgrade: 'websocket', Connection: 'Upgrade' }[name]!
      : 'x';
    for (const value of [undefined, '', [good, good], ['', '']]) {
      const { status } = await shake(port, handshake({ [name]: value }));
      expect([101, 400, 426]).toContain(status);
    }
    expect(await isAlive(server)).toBe(true);
  },
);

test('names of Object.prototype as extension, parameter and subprotocol names are names like any other', async () => {
  const port = portOf(await start());
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const answer = await shake(
      port,
      handshake({ 'Sec-WebSocket-Extensions': `${name}; ${name}`, 'Sec-WebSocket-Protocol': name }),
    );
    expect([answer.status, answer.headers['sec-websocket-protocol']]).toEqual([101, name]);
    expect(answer.headers['sec-websocket-extensions']).toBeUndefined();
  }
});
