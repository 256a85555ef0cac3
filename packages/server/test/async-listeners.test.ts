import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

// In a process of its own: what is tested is that it does not end.
const PROGRAM = `
  import { once } from 'node:events';
  import { connect } from 'node:net';
  import { WebSocketServer } from '@ws/server';
  const server = new WebSocketServer({ port: 0, incoming: 'auto' });
  let closed = 0;
  server.on('connection', async (socket, request) => {
    socket.on('close', () => { if (++closed === 3) server.close(() => console.log('served all')); });
    if (request.url === '/own') throw new Error('our own');
    for await (const message of socket) if (typeof message === 'object' && 'text' in message) await message.text();
  });
  process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
  await once(server, 'listening');
  const HEADERS = 'Host: x\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\\r\\n\\r\\n';
  // One that is cut in its midst, one that is no UTF-8, one whose listener fails by itself.
  for (const [path, frame] of [['/', '0180000000006161'], ['/', '8181000000 00ff'], ['/own', '818100000000 61']]) {
    const peer = connect(server.address().port, '127.0.0.1');
    peer.on('error', () => {}).write('GET ' + path + ' HTTP/1.1\\r\\n' + HEADERS);
    await once(peer, 'data');
    peer.write(Buffer.from(frame.replaceAll(' ', ''), 'hex'), () => setTimeout(() => peer.resetAndDestroy(), 50));
  }`;

test('an async listener: what a peer causes does not end the process, what the program does comes up', async () => {
  const args = ['--no-warnings', '--input-type=module', '-e', PROGRAM];
  const cwd = new URL('..', import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, timeout: 20_000 });
  expect(stdout.trim().split('\n')).toEqual(['unhandled our own', 'served all']);
});
