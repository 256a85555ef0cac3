// Connections that each hold the worst state they may, and come back when they are thrown out; beside them, some that behave.
import { randomInt } from 'node:crypto';
import { fork } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { connect } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, constants } from 'node:zlib';
import { WebSocket } from '@ws/client';

/** The server's default. */
const MAX_PAYLOAD = 1_048_576;

/** A masked frame with a key of zeros: the payload is as it is. @param {number} first @param {Buffer} payload @param {number} [length] as declared */
function frame(first, payload, length = payload.length) {
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14);
  head[0] = first;
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (length >= 65_536) head.writeBigUInt64BE(BigInt(length), 2);
  else if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, payload]);
}

const many = (/** @type {number} */ count, /** @type {Buffer} */ bytes) =>
  Buffer.concat(Array.from({ length: count }, () => bytes));
const deflated = (/** @type {Buffer} */ bytes) => deflateRawSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
const letters = Buffer.alloc(65_536, 'abcdefghijklmnopqrstuvwxyz');

/** @typedef {(socket: import('node:net').Socket) => Promise<void>} Attack writes, until it has reached its state */
/** @type {Record<string, { path: string, reads: boolean, attack: Attack }>} */
export const STATES = {
  'tiny fragments': {
    path: '/echo',
    reads: true,
    async attack(socket) {
      socket.write(frame(0x02, Buffer.alloc(7)));
      for (let left = 131_000; left > 0; left -= 1000) await written(socket, many(1000, frame(0x00, Buffer.alloc(7))));
    },
  },
  'a frame in tiny chunks': {
    path: '/echo',
    reads: true,
    async attack(socket) {
      socket.write(frame(0x82, Buffer.alloc(0), MAX_PAYLOAD));
      for (let i = 0; i < 500; i++) {
        socket.write('x');
        await wait(1);
      }
      await written(socket, Buffer.alloc(MAX_PAYLOAD - 501));
    },
  },
  'a bomb half sent': {
    path: '/echo',
    reads: true,
    async attack(socket) {
      await written(socket, frame(0x42, deflated(Buffer.alloc(MAX_PAYLOAD - 1))));
      await written(socket, frame(0x00, Buffer.alloc(0)));
    },
  },
  'windows of compression': {
    path: '/echo',
    reads: true,
    async attack(socket) {
      await written(socket, frame(0xc2, deflated(letters).subarray(0, -4)));
    },
  },
  'an echo that is not read': {
    path: '/echo',
    reads: false,
    async attack(socket) {
      for (let i = 0; i < 400; i++) await written(socket, frame(0x82, letters));
    },
  },
  'a stream that nobody reads': {
    path: '/stream',
    reads: true,
    async attack(socket) {
      for (let i = 0; i < 8; i++) await written(socket, frame(0x02, letters));
    },
  },
  'an iterator that nobody asks, and tiny chunks behind it': {
    path: '/iterate',
    reads: true,
    async attack(socket) {
      await written(
        socket,
        many(60, Buffer.concat([frame(0x8a, Buffer.alloc(100)), frame(0x82, letters.subarray(0, 4000))])),
      );
      for (let i = 0; i < 500; i++) {
        socket.write('x');
        await wait(1);
      }
    },
  },
};

/** Given to the system, all of it. @param {import('node:net').Socket} socket @param {Buffer} bytes @returns {Promise<void>} */
function written(socket, bytes) {
  return new Promise((resolve, reject) => {
    if (socket.destroyed) return reject(new Error('cut'));
    if (socket.write(bytes)) return resolve(undefined);
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

/** @param {number} port @param {string} path */
const request = (port, path) =>
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n';

/** One attacker: parks, stays, comes back when it was thrown out. @param {number} port @param {string} name @param {AbortSignal} signal @param {{ parked: number, refused: number }} counts */
async function attacker(port, name, signal, counts) {
  const { path, reads, attack } = STATES[name] ?? /** @type {any} */ (undefined);
  while (!signal.aborted) {
    const socket = connect(port, '127.0.0.1').setNoDelay();
    const gone = new Promise((resolve) => void socket.once('close', resolve));
    socket.on('error', () => undefined);
    const stop = () => void socket.destroy();
    signal.addEventListener('abort', stop, { once: true });
    socket.write(request(port, path));
    const head = await Promise.race([once(socket, 'data').then(([data]) => String(data)), gone.then(() => '')]);
    if (head.startsWith('HTTP/1.1 101')) {
      if (reads) socket.resume().on('end', stop);
      else socket.pause();
      try {
        await attack(socket);
        counts.parked++;
      } catch {
        // cut on the way
      }
      await gone;
    } else {
      if (head.startsWith('HTTP/1.1 503')) counts.refused++;
      socket.destroy();
      await gone;
    }
    signal.removeEventListener('abort', stop);
    await wait(20 + randomInt(50));
  }
}

/** One that behaves: a message every so often, each checked. @param {number} port @param {AbortSignal} signal @param {number[]} latencies */
async function healthy(port, signal, latencies) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/echo`, { perMessageDeflate: false });
  await once(socket, 'open');
  const closed = once(socket, 'close');
  for (let i = 0; !signal.aborted; i++) {
    const text = `${i} ${'.'.repeat((i * 37) % 1000)}`;
    const from = performance.now();
    socket.send(text);
    const answer = await Promise.race([once(socket, 'message'), closed]);
    if (String(answer[0]) !== text)
      throw new Error(`a healthy connection got ${String(answer[0]).slice(0, 40)} for ${i}`);
    latencies.push(performance.now() - from);
    await wait(50);
  }
  socket.close();
  await closed;
}

/**
 * @param {{ memoryLimit: number, connections: number, seconds: number, healthy?: number }} options
 */
export async function parked({ memoryLimit, connections, seconds, healthy: good = 20 }) {
  const path = fileURLToPath(new URL('../servers/parked.mjs', import.meta.url));
  const server = fork(path, [JSON.stringify({ memoryLimit })], { execArgv: ['--expose-gc'] });
  const ask = async (message = 'report') => {
    server.send(message);
    return (await once(server, 'message'))[0];
  };
  try {
    const { port } = (await once(server, 'message'))[0];
    const stop = new AbortController();
    setMaxListeners(0, stop.signal);
    /** @type {number[]} */
    const latencies = [];
    const behaving = Array.from({ length: good }, () => healthy(port, stop.signal, latencies));
    for (const each of behaving) each.catch(() => undefined);
    await wait(300);
    const before = await ask();
    const names = Object.keys(STATES);
    const counts = { parked: 0, refused: 0 };
    const attacks = Array.from({ length: connections }, (_, i) =>
      attacker(port, names.at(i % names.length) ?? '', stop.signal, counts),
    );
    await Promise.race([wait(seconds * 1000), ...behaving]);
    const during = await ask();
    stop.abort();
    const results = await Promise.allSettled(behaving);
    await Promise.all(attacks);
    // Whoever is not read from is not seen to go: what the server's own program holds up stays until it is ended.
    let after = await ask('end');
    for (let i = 0; i < 100 && (after.used > 0 || after.open > 0); i++) {
      await wait(20);
      after = await ask();
    }
    latencies.sort((a, b) => a - b);
    const lost = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
    const p99 = latencies[Math.floor(latencies.length * 0.99)] ?? NaN;
    return { before, during, after, ...counts, healthy: { messages: latencies.length, p99, lost } };
  } finally {
    server.kill();
    await once(server, 'exit');
  }
}
