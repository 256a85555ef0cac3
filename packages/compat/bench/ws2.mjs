// What the face of @ws/compat/ws2 costs a server: CPU of a text of 100 bytes, both ends together, and memory of an idle connection.
// After `npm run build`: node --expose-gc bench/ws2.mjs core|ws2 messages|memory
import { once } from 'node:events';
import { connect } from 'node:net';
import { encodeFrame } from '@ws/frame';
import { WebSocketServer } from '@ws/server';
import { Server } from '../dist/esm/ws2/index.js';

const HANDSHAKE =
  'GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';
const [, , form, what] = process.argv;
const guards = { heartbeat: false, slowConsumer: false, memoryLimit: false, messageTimeout: false };
const options = { port: 0, host: '127.0.0.1', perMessageDeflate: false, ...guards };
const server = form === 'core' ? new WebSocketServer(options) : new Server(options);
await once(server, 'listening');

async function open() {
  const socket = connect(server.address().port, '127.0.0.1');
  socket.write(HANDSHAKE);
  await once(socket, 'data');
  return socket;
}

const CHUNKS = 2500;
const FRAMES = 600;

async function messages() {
  const frame = encodeFrame({ opcode: 1, fin: true, maskingKey: 0x01020304 }, Buffer.from('x'.repeat(100)));
  const chunk = Buffer.concat(Array.from({ length: FRAMES }, () => frame));
  let left = CHUNKS * FRAMES;
  const done = new Promise((resolve) => {
    server.on('connection', (socket) =>
      socket.on('message', (data) => {
        String(data);
        if (--left === 0) resolve();
      }),
    );
  });
  const socket = await open();
  const start = process.cpuUsage();
  for (let i = 0; i < CHUNKS; i++) if (!socket.write(chunk)) await once(socket, 'drain');
  await done;
  const { user, system } = process.cpuUsage(start);
  console.log(form, Math.round(((user + system) * 1000) / CHUNKS / FRAMES), 'ns a message');
}

const CONNECTIONS = 4000;

async function memory() {
  server.on('connection', (socket) => socket.on('message', () => {}).on('close', () => {}));
  const sockets = [await open()];
  const before = kept();
  while (sockets.length <= CONNECTIONS) sockets.push(await open());
  console.log(form, Math.round((kept() - before) / CONNECTIONS), 'bytes a connection, this client’s end included');
}

function kept() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

await (what === 'memory' ? memory() : messages());
process.exit();
