import { expect, test } from '@jest/globals';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import * as api from '../src/index.js';
import { closeLater, handshake, manage, opened, peer, portOf, RawPeer, shake, startHttp } from './support.js';

const packageFolder = new URL('..', import.meta.url);
const NODE = ['--no-warnings', '--input-type=module', '-e'];

/** Runs a program against the built package and returns the lines it prints. */
function run(code: string): { lines: AsyncIterator<string>; exit: Promise<number> } {
  const child = spawn(process.execPath, [...NODE, code], { cwd: packageFolder, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(child, 'exit').then(([status]) => status as number);
  closeLater(() => {
    child.kill();
    return exit;
  });
  return { lines: createInterface(child.stdout)[Symbol.asyncIterator](), exit };
}

const portFrom = async (lines: AsyncIterator<string>): Promise<number> => Number((await lines.next()).value);

test('the public names', () => {
  expect(Object.keys(api).sort()).toEqual([
    'ClosedError',
    'DeflateError',
    'GuardError',
    'HandshakeError',
    'Incoming',
    'MemoryBudget',
    'MessageError',
    'Meter',
    'Outgoing',
    'PreparedMessage',
    'ProtocolError',
    'WebSocket',
    'WebSocketServer',
    'createWebSocketStream',
    'isPeerFault',
    'refuseUpgrade',
    'upgradeRequired',
  ]);
});

test('the members of a server', () => {
  const names = Object.getOwnPropertyNames(api.WebSocketServer.prototype);
  expect(names.sort()).toEqual([
    'address',
    'attach',
    'broadcast',
    'close',
    'completeUpgrade',
    'constructor',
    'createBroadcast',
    'handleUpgrade',
    'handshakeOf',
    'listener',
    'messages',
    'metrics',
    'shouldHandle',
    'shutdown',
  ]);
  expect(Object.keys(new api.WebSocketServer({ noServer: true })).filter((name) => !name.startsWith('_'))).toEqual([
    'options',
    'clients',
  ]);
});

test('class identity: instanceof and the routes hold between two copies of the package', async () => {
  const name = '@ws/server';
  const copy = (await import(name)) as typeof api;
  class Mine extends api.WebSocketServer {}
  expect(copy.WebSocketServer).not.toBe(api.WebSocketServer);
  expect(new copy.WebSocketServer({ noServer: true })).toBeInstanceOf(api.WebSocketServer);
  expect(new Mine({ noServer: true })).toBeInstanceOf(copy.WebSocketServer);
  expect(new copy.WebSocketServer({ noServer: true })).not.toBeInstanceOf(Mine);
  expect(Object.create(null)).not.toBeInstanceOf(api.WebSocketServer);
  const http = await startHttp(createServer());
  for (const { WebSocketServer } of [api, copy]) {
    const server = manage(new WebSocketServer({ server: http, WebSocket: api.WebSocket }));
    server.on('connection', (socket) => socket.send('taken'));
  }
  expect(String((await once(peer(portOf(http)), 'message'))[0])).toBe('taken');
});

test('the built package has them too, by import and by require, as the same classes', () => {
  const code = `
    import * as imported from '@ws/server';
    import { createRequire } from 'node:module';
    const required = createRequire(process.cwd() + '/x.js')('@ws/server');
    console.log(JSON.stringify([Object.keys(imported).sort(), imported.WebSocketServer === required.WebSocketServer]));`;
  const printed = execFileSync(process.execPath, [...NODE, code], { cwd: packageFolder, encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual([Object.keys(api).sort(), true]);
});

test('the example of the README runs', async () => {
  const readme = readFileSync(new URL('README.md', packageFolder), 'utf8');
  const example = readme.split('```js\n')[1]?.split('```')[0] ?? '';
  expect(example).toContain('port: 8080');
  const { lines } = run(`${example.replace('port: 8080', "port: 0, host: '127.0.0.1'")}
    server.on('listening', () => console.log(server.address().port));`);
  const port = await portFrom(lines);
  const client = peer(port, '/chat', [], { origin: 'https://app.example.com' });
  const [welcome] = await once(client, 'message');
  expect(String(welcome)).toBe('welcome, 127.0.0.1');
  const echo = once(client, 'message');
  client.send('hello');
  expect(String((await echo)[0])).toBe('hello');
  expect((await shake(port, handshake({ Origin: 'https://other.example' }, 'GET /chat HTTP/1.1'))).status).toBe(403);
});

const SERVER = `
  import { WebSocketServer } from '@ws/server';
  const later = (value) => new Promise((resolve) => setImmediate(resolve, value));
  const start = (options) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options }, () => console.log(server.address().port));
    return server;
  };`;

test.each([
  ['nobody is asked', '{}'],
  ['verifyClient gives a Promise', '{ verifyClient: () => later(true) }'],
  [
    'verifyClient calls back inside its own try',
    '{ verifyClient: async (info, cb) => { await later(); try { cb(true) } catch { cb(false) } } }',
  ],
])("an exception of a 'connection' listener is an uncaughtException: %s", async (_name, options) => {
  const { lines, exit } = run(`${SERVER}
    process.on('uncaughtException', (error, origin) => { console.log(error.message, origin); process.exit(3); });
    start(${options}).on('connection', () => { throw new Error('oops'); });`);
  const raw = new RawPeer(await portFrom(lines)).write(handshake());
  expect((await lines.next()).value).toBe('oops uncaughtException');
  expect([await exit, await raw.closed]).toEqual([3, expect.stringMatching(/^HTTP\/1\.1 101 /)]);
});

test('a server on which nobody listens to anything survives what peers do', async () => {
  const { lines } = run(`${SERVER} start();`);
  const port = await portFrom(lines);
  const mess = [
    '',
    'x',
    'GET / HT',
    'garbage\r\n\r\n',
    handshake(),
    handshake({ 'Sec-WebSocket-Key': 'x' }),
    `${handshake()}\xff\xff\xff`,
  ];
  for (const bytes of mess) {
    for (const reset of [true, false]) {
      const raw = new RawPeer(port);
      await once(raw.socket, 'connect');
      await new Promise((done) => raw.socket.write(bytes, 'latin1', done));
      if (reset) raw.socket.resetAndDestroy();
      else raw.socket.destroy();
    }
  }
  expect((await opened(peer(port))).readyState).toBe(1);
});
