// Measures: what it costs to be watched, in ns of CPU a message of 16 bytes, received and echoed: without anything, with a meter (what every server has,
// for `metrics()`), and with somebody who listens on `ws:message`. In turns, so that what else the machine does falls on all. No kernel: the sockets
// write to nowhere. Behind them the parts alone, in a loop. Run: node bench/observe.mjs
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { channels, Meter, WebSocket } from '@ws/connection';
import { encodeFrame, Opcode } from '@ws/frame';

const ROUNDS = 40;
const TURNS = 2000;
const PER_CHUNK = 16;
const LOOPS = 20_000_000;

Socket.prototype._write = (_chunk, _encoding, callback) => callback();
Socket.prototype._writev = (_chunks, callback) => callback();

const frame = encodeFrame({ opcode: Opcode.Binary, maskingKey: 0x12345678 }, Buffer.alloc(16, 'a'));
const chunk = Buffer.concat(Array.from({ length: PER_CHUNK }, () => frame).flat());
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const micros = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function ends(options) {
  const stream = new Socket();
  const socket = WebSocket.from(stream, { role: 'server', ...options });
  socket.on('message', (data) => socket.send(data));
  return stream;
}

let heard = 0;
const listener = () => heard++;
const CASES = {
  nothing: { stream: ends({}) },
  'a meter': { stream: ends({ meter: new Meter() }) },
  'a meter, and a subscriber': { stream: ends({ meter: new Meter() }), isHeard: true },
};

async function measure({ stream, isHeard = false }) {
  if (isHeard) subscribe('ws:message', listener);
  const before = micros();
  for (let i = 0; i < TURNS; i++) {
    stream.emit('data', Buffer.from(chunk));
    if (i % 8 === 0) await nextTurn();
  }
  const spent = micros() - before;
  if (isHeard) unsubscribe('ws:message', listener);
  return (spent * 1000) / (TURNS * PER_CHUNK);
}

const figures = new Map(Object.keys(CASES).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, each] of Object.entries(CASES)) {
    const ns = await measure(each);
    if (round >= ROUNDS / 4) figures.get(name)?.push(ns); // the first ones warm up
  }
}
// What else the machine does makes a round dearer, never cheaper.
const bare = Math.min(...(figures.get('nothing') ?? []));
for (const [name, values] of figures) {
  const ns = Math.min(...values);
  console.log(`${name.padEnd(28)} ${ns.toFixed(1).padStart(8)} ns  ${`+${(ns - bare).toFixed(1)}`.padStart(8)} ns`);
}

/** Alone, less the loop. */
function alone(name, act) {
  const sizes = Uint32Array.from({ length: 1024 }, (_, i) => (i * 2_654_435_761) % 100_000);
  const time = (body) => {
    const before = micros();
    body();
    return ((micros() - before) * 1000) / LOOPS;
  };
  const empty = () => {
    let sum = 0;
    for (let i = 0; i < LOOPS; i++) sum += sizes[i & 1023];
    return sum;
  };
  const rounds = Array.from({ length: 5 }, () => [time(() => act(sizes)), time(empty)]);
  const ns = Math.min(...rounds.map(([cost]) => cost)) - Math.min(...rounds.map(([, loop]) => loop));
  console.log(`${name.padEnd(28)} ${Math.max(0, ns).toFixed(1).padStart(8)} ns`);
}

const meter = new Meter();
alone('meter.message()', (sizes) => {
  for (let i = 0; i < LOOPS; i++) meter.message(sizes[i & 1023]);
});
alone('hasSubscribers', (sizes) => {
  let sum = 0;
  for (let i = 0; i < LOOPS; i++) sum += channels.message.hasSubscribers ? 1 : sizes[i & 1023];
  return sum;
});
if (heard !== ROUNDS * TURNS * PER_CHUNK * 2) throw new Error(`${heard} messages were heard`);
