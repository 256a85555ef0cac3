// A server that broadcasts as fast as those who keep up take it. Those who do not were told so in the path: it fills what the kernel holds for them beforehand.
import { Buffer } from 'node:buffer';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from '@ws/server';
import { answerParent } from '../servers/control.mjs';
import { FILLER, FILLER_BYTES, MARKER } from './wire.mjs';

/**
 * @typedef {import('@ws/server').WebSocket} WebSocket
 * @typedef {import('../lib/slow-consumers.mjs').SlowTask} SlowTask
 */

const task = /** @type {SlowTask} */ (JSON.parse(process.argv[2] ?? '{}'));
const { policy, limit, broadcasts, size, burst, keys } = task;

const OPEN = 1;

/** @type {Set<WebSocket>} */
const stalled = new Set();
/** Those who should keep up, and are above their mark at the moment. @type {Set<WebSocket>} */
const behind = new Set();
let caughtUp = () => {};
/** @type {{ bufferedAmount: number, dropped: number, ms: number }[]} of the stalled */
const recoveries = [];
/** @type {{ code: number, initiator: string, bytesUnsent: number }[]} of the stalled */
const closings = [];
let slowEvents = 0;
let healthyCloses = 0;

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, slowConsumer: { policy, limit } });
server.on('connection', (socket, request) => {
  if (request.url === '/stalled') {
    stalled.add(socket);
    socket.on('slow', () => slowEvents++);
    socket.on('recovered', (info) => recoveries.push(info));
    socket.on('close', (code, _, { initiator, bytesUnsent }) => closings.push({ code, initiator, bytesUnsent }));
    return;
  }
  socket.on('slow', () => behind.add(socket));
  socket.on('recovered', () => {
    behind.delete(socket);
    if (behind.size === 0) caughtUp();
  });
  socket.on('close', () => healthyCloses++);
});

/** Until its own buffer has something that the kernel does not take. @param {WebSocket} socket */
async function fill(socket) {
  const filler = Buffer.alloc(FILLER_BYTES);
  filler.writeUInt32BE(FILLER);
  let messages = 0;
  for (;;) {
    socket.send(filler);
    messages++;
    await turn();
    if (socket.bufferedAmount > 0) await sleep(50);
    if (socket.bufferedAmount > 0) return messages;
  }
}

async function broadcastAll() {
  const result = { sent: 0, queued: 0, dropped: 0, waits: 0 };
  for (let sequence = 0; sequence < broadcasts; sequence++) {
    const data = Buffer.alloc(size);
    data.writeUInt32BE(sequence);
    const report = server.broadcast(data, keys === undefined ? {} : { key: sequence % keys });
    result.sent += report.sent;
    result.queued += report.queued;
    result.dropped += report.dropped;
    if (sequence % burst < burst - 1) continue;
    await turn();
    if (behind.size === 0) continue;
    result.waits++;
    await new Promise((resolve) => (caughtUp = () => resolve(undefined)));
  }
  return result;
}

/** What the stalled hold, while they are stalled; a socket that is closed goes on counting what it was to send. */
const held = () => [...stalled].map((socket) => (socket.readyState === OPEN ? socket.bufferedAmount : 0));

/** Behind everything else, to all that are open. */
function mark() {
  const marker = Buffer.alloc(size);
  marker.writeUInt32BE(MARKER);
  for (const socket of server.clients) socket.send(marker);
}

/** @type {Readonly<Record<string, () => unknown>>} */
const COMMANDS = {
  fill: async () => ({ fillers: await Promise.all([...stalled].map(fill)) }),
  broadcast: async () => ({ ...(await broadcastAll()), held: held() }),
  mark: async () => {
    while (held().some((bytes) => bytes > 0)) await sleep(20);
    mark();
    return {};
  },
  outcome: () => ({ recoveries, closings, slowEvents, healthyCloses }),
};

/** @param {string} command */
async function answer(command) {
  const run = COMMANDS[command];
  if (run !== undefined) process.send?.(await run());
}

process.on('message', (/** @type {string} */ command) => void answer(command));
answerParent();
server.on('listening', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.send?.({ port: address.port });
});
