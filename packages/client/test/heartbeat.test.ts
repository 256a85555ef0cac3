import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { WebSocket, type ClientOptions } from '../src/index.js';
import { atEnd } from './peers.js';

// A server in a process of its own, which can be frozen.
const SERVER = `
  import { WebSocketServer } from 'ws';
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => process.send(server.address().port));
  server.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
`;

async function freezable(): Promise<{ child: ChildProcess; connect(options: ClientOptions): Promise<WebSocket> }> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', SERVER], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const exited = once(child, 'exit');
  atEnd(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [port] = (await once(child, 'message')) as [number];
  const connect = async (options: ClientOptions): Promise<WebSocket> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, options);
    atEnd(() => socket.terminate());
    await once(socket, 'open');
    return socket;
  };
  return { child, connect };
}

async function echo(socket: WebSocket, text: string): Promise<string> {
  const message = once(socket, 'message');
  socket.send(text);
  return String((await message)[0]);
}

test('a server that is frozen is noticed; without a heartbeat, or while we do not read, it is not', async () => {
  const { child, connect } = await freezable();
  const socket = await connect({ heartbeat: { interval: 50, timeout: 1000 } });
  const paused = await connect({ heartbeat: { interval: 50, timeout: 1000 } });
  const plain = await connect({});
  expect(await echo(socket, 'alive')).toBe('alive');
  expect(await echo(paused, 'alive')).toBe('alive');
  paused.pause();
  child.kill('SIGSTOP');
  expect(await socket.closed).toMatchObject({
    code: 1006,
    initiator: 'timeout',
    error: { code: 'WS_ERR_HEARTBEAT_TIMEOUT' },
  });
  expect([paused.readyState, plain.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
  child.kill('SIGCONT');
  paused.resume();
  expect(await echo(paused, 'still there')).toBe('still there');
  expect([plain.latency, plain.limits.heartbeat, plain.limits.messageTimeout]).toEqual([undefined, false, false]);
});

test('while our event loop is blocked the server is not given up', async () => {
  const { connect } = await freezable();
  const socket = await connect({ heartbeat: { interval: 50, timeout: 800 } });
  for (let n = 0; n < 2; n++) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200);
    expect(await echo(socket, `${n}`)).toBe(`${n}`);
  }
});

test('idleTimeout says goodbye, and the server hears it', async () => {
  const { connect } = await freezable();
  const socket = await connect({ idleTimeout: 50 });
  expect(await socket.closed).toMatchObject({
    code: 1001,
    wasClean: true,
    initiator: 'timeout',
    error: { code: 'WS_ERR_IDLE_TIMEOUT' },
  });
});

test('limits can be changed while it is open', async () => {
  const { connect } = await freezable();
  const socket = await connect({ maxPayload: 10 });
  socket.limits.update({ maxPayload: 1000 });
  expect(await echo(socket, 'x'.repeat(1000))).toBe('x'.repeat(1000));
  socket.send('x'.repeat(1001));
  expect(await socket.closed).toMatchObject({ initiator: 'limit', sent: { code: 1009 } });
});
