import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import * as wesos from '../../src/wesos/index.js';

const own = ({ prototype }: { prototype: object }): string[] =>
  Object.getOwnPropertyNames(prototype)
    .filter((name) => name !== 'constructor' && !name.startsWith('_'))
    .sort();

test('its names, and no others', () => {
  const { default: main, ...named } = wesos;
  expect(Object.keys(named).sort()).toEqual(['Incoming', 'Outgoing', 'Server', 'Socket', 'createServer']);
  expect(main).toEqual(named);
  expect(own(wesos.Server)).toEqual(['end', 'listen', 'write']);
  expect(own(wesos.Socket)).toEqual(['destroy', 'on', 'once', 'pipe', 'unpipe']);
  expect(own(wesos.Incoming)).toEqual([]);
  expect(own(wesos.Outgoing)).toEqual(['begin', 'giveUp', 'send', 'write']);
  expect(wesos.Server.prototype).toBeInstanceOf(EventEmitter);
  for (const { prototype } of [wesos.Socket, wesos.Incoming]) expect(prototype).toBeInstanceOf(Readable);
  expect(wesos.Outgoing.prototype).toBeInstanceOf(Writable);
});

test('import and require give the same classes', async () => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from '@ws/compat/wesos';
    const required = createRequire(import.meta.url)('@ws/compat/wesos');
    const names = ['Incoming', 'Outgoing', 'Server', 'Socket', 'createServer'];
    console.log(names.map((name) => typeof imported[name] === 'function' && imported[name] === required[name]).join());`;
  const cwd = new URL('../..', import.meta.url);
  const run = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, ['--no-warnings', ...args], { cwd });
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 22) {
    const { stdout } = await run('--input-type=module', '-e', program);
    expect(stdout.trim()).toBe('true,true,true,true,true');
  }
  const { stdout } = await run(
    '--input-type=commonjs',
    '-e',
    "const { createServer, Server } = require('@ws/compat/wesos'); console.log(createServer() instanceof Server)",
  );
  expect(stdout.trim()).toBe('true');
});

// In a process of its own: what is tested is that it does not end.
const ASYNC = `
  import { once } from 'node:events';
  import { createServer as createHttpServer } from 'node:http';
  import { connect } from 'node:net';
  import { text } from 'node:stream/consumers';
  import { createServer } from '@ws/compat/wesos';
  process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
  const http = createHttpServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  createServer({ unservedPath: 400 }, async (wsocket) => {
    wsocket.on('message', async (incoming) => {
      if ((await text(incoming)) === 'own') throw new Error('our own');
    });
    const [incoming] = await once(wsocket, 'message');
    await text(incoming);
  }).listen(http);
  const request = 'GET / HTTP/1.1\\r\\nHost: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\\r\\n\\r\\n';
  for (const frame of ['818100000000ff', '8183000000006f776e']) {
    const peer = connect(http.address().port, '127.0.0.1').on('error', () => {});
    peer.write(request);
    await once(peer, 'data');
    peer.write(Buffer.from(frame + '888000000000', 'hex'));
    await once(peer.resume(), 'close');
  }
  http.close(() => console.log('served all'));`;

test('B-30 an async listener: what a peer causes does not end the process, what the program does comes up', async () => {
  const args = ['--no-warnings', '--input-type=module', '-e', ASYNC];
  const cwd = new URL('../..', import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 20_000 });
  expect(stdout.trim().split('\n')).toEqual(['unhandled our own', 'served all']);
});

// In a process of its own: the warning would be that process's.
const MANY = `
  import { once } from 'node:events';
  import { createServer as createHttpServer } from 'node:http';
  import { WebSocket } from '@ws/client';
  import { createServer } from '@ws/compat/wesos';
  const http = createHttpServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  createServer((wsocket, wserver) => wsocket.pipe(wserver)).listen(http);
  const peers = [];
  for (let count = 0; count < 12; count++) {
    const peer = new WebSocket('ws://127.0.0.1:' + http.address().port);
    await once(peer, 'open');
    peers.push(peer);
  }
  peers[0].send('to all');
  await once(peers[11], 'message');
  for (const peer of peers) peer.terminate();
  http.close(() => console.log('served all'));`;

test('a server may have more sockets than an emitter has listeners by default', async () => {
  const cwd = new URL('../..', import.meta.url);
  const args = ['--input-type=module', '-e', MANY];
  expect(await promisify(execFile)(process.execPath, args, { cwd, timeout: 20_000 })).toEqual({
    stdout: 'served all\n',
    stderr: '',
  });
});
