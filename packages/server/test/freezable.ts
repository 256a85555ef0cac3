import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { WebSocket, WebSocketServer } from '../src/index.js';
import { closeLater, portOf } from './support.js';

// A peer in a process of its own, which can be frozen: its kernel still takes what we write, and says nothing.
const PEER = `
  import { WebSocket } from 'ws';
  const socket = new WebSocket('ws://127.0.0.1:' + process.argv[1]);
  socket.on('message', (data, isBinary) => { if (!isBinary) socket.send(data); });
`;

export async function freezable(server: WebSocketServer): Promise<{ socket: WebSocket; child: ChildProcess }> {
  const connection = once(server, 'connection');
  const args = ['--input-type=module', '-e', PEER, String(portOf(server))];
  const child = spawn(process.execPath, args, { cwd: new URL('..', import.meta.url), stdio: 'ignore' });
  const exited = once(child, 'exit');
  closeLater(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  const [socket] = (await connection) as [WebSocket];
  return { socket, child };
}

export async function echo(socket: WebSocket, text: string): Promise<string> {
  const message = once(socket, 'message');
  socket.send(text);
  return String((await message)[0]);
}
