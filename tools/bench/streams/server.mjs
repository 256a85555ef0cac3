// The echo of one connection: `stream` pipes each message into another one, `messages` sends each back whole, `duplex` pipes a createWebSocketStream into itself.
import { pipeline } from 'node:stream';
import { answerParent } from '../servers/control.mjs';

/** @typedef {import('../lib/streams.mjs').StreamTask} StreamTask */

const task = /** @type {StreamTask} */ (JSON.parse(process.argv[2] ?? '{}'));
const UNLIMITED = { maxPayload: 0, maxFragments: 0, maxBufferedChunks: 0 };

/** @param {unknown} error */
function fail(error) {
  console.error(`echo: ${error instanceof Error ? error.stack : String(error)}`);
  process.exit(1);
}

/** @param {unknown} error of a pipeline */
const failIf = (error) => {
  if (error) fail(error);
};

async function serveOurs() {
  const { createWebSocketStream, WebSocketServer } = await import('@ws/server');
  const incoming = task.mode === 'stream' ? 'stream' : 'buffer';
  const { perMessageDeflate } = task;
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...UNLIMITED, incoming, perMessageDeflate });
  server.on('connection', (socket) => {
    socket.on('error', fail);
    if (task.mode === 'stream') {
      socket.on('incoming', (message) => void pipeline(message, socket.createOutgoing({ binary: true }), failIf));
    } else if (task.mode === 'messages') {
      socket.on('message', (data) => {
        if (!socket.send(data)) socket.pause();
      });
      socket.on('drain', () => socket.resume());
    } else {
      const duplex = createWebSocketStream(socket);
      pipeline(duplex, duplex, failIf);
    }
  });
  return server;
}

async function serveWs() {
  const { createWebSocketStream, WebSocketServer } = await import('ws');
  const { perMessageDeflate } = task;
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 0, perMessageDeflate });
  server.on('connection', (socket) => {
    const duplex = createWebSocketStream(socket);
    pipeline(duplex, duplex, failIf);
  });
  return server;
}

const server = task.library === 'ws' ? await serveWs() : await serveOurs();
if (server.address() === null) await new Promise((resolve) => server.on('listening', () => resolve(undefined)));
answerParent();
const address = /** @type {import('node:net').AddressInfo} */ (server.address());
process.send?.({ port: address.port });
