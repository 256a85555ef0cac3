import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { WebSocket, type ClientOptions } from '../src/index.js';
import { atEnd } from './peers.js';

// A server in a process of its own, which can be frozen.
const SERVER = `
  import { WebSocketServer } from 'ws';
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => process.send(server.address().port));
  server.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })));
`;

export async function freezable(): Promise<{
  child: ChildProcess;
  connect(options: ClientOptions): Promise<WebSocket>;
}> {
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

export async function echo(socket: WebSocket, text: string): Promise<string> {
  const message = once(socket, 'message');
  socket.send(text);
  return String((await message)[0]);
}
