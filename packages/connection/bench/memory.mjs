// Measures: what it costs to count memory, in ns of CPU a message: the same messages with a budget and without one, in turns, so that what else
// the machine does falls on both. No kernel: sockets write to nowhere, or to somebody who is always behind. Run: node bench/memory.mjs
import { Socket } from 'node:net';
import { encodeFrame, Opcode } from '@ws/frame';
import { MemoryBudget, WebSocket } from '@ws/connection';

const ROUNDS = 25;
const PER_CHUNK = 16;
const QUEUED = 2000;

/** The callbacks of writes that are not taken yet. */
let behind;
// Changed on one of them alone, it would be no plain socket any more, and treated with more care.
Socket.prototype._write = (_chunk, _encoding, callback) => (behind ? behind.push(callback) : callback());
Socket.prototype._writev = (_chunks, callback) => (behind ? behind.push(callback) : callback());

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
const frame = (opcode, bytes, fin = true) =>
  encodeFrame({ opcode, fin, maskingKey: 0x12345678 }, Buffer.alloc(bytes, 'a'));
const times = (frames) => Buffer.concat(Array.from({ length: PER_CHUNK }, () => frames).flat());

const whole = times([frame(Opcode.Binary, 16)]);
const fragmented = times([frame(Opcode.Binary, 8, false), frame(Opcode.Continuation, 8)]);
const payload = Buffer.alloc(16, 'b');

/** What a turn does with a socket, and how many messages that are. */
const CASES = {
  'whole, straight through': { messages: PER_CHUNK, turn: ({ stream }) => stream.emit('data', Buffer.from(whole)) },
  'in two fragments': { messages: PER_CHUNK, turn: ({ stream }) => stream.emit('data', Buffer.from(fragmented)) },
  'sent, taken at once': {
    messages: PER_CHUNK,
    turn({ socket }) {
      for (let i = 0; i < PER_CHUNK; i++) socket.send(payload);
    },
  },
  'sent, and queued behind 64 KiB': {
    messages: QUEUED,
    turn({ socket }) {
      behind = [];
      socket.send(Buffer.alloc(70_000)); // the stream's own: what follows waits in the core
      for (let i = 0; i < QUEUED; i++) socket.send(payload);
    },
    async after() {
      for (let waiting = behind ?? []; waiting.length > 0; waiting = behind) {
        behind = [];
        for (const taken of waiting) taken();
        await nextTurn();
      }
      behind = undefined;
    },
  },
};

const ns = (value) => `${value.toFixed(1).padStart(8)} ns`;

const micros = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

function ends(memoryLimit) {
  const stream = new Socket();
  const socket = WebSocket.from(stream, { role: 'server', memoryLimit });
  socket.on('message', () => {});
  return { stream, socket };
}

async function measure({ messages, turn, after }, pair, turns) {
  const before = micros();
  for (let i = 0; i < turns; i++) {
    turn(pair);
    await after?.();
    if (i % 8 === 0) await nextTurn();
  }
  return ((micros() - before) * 1000) / (turns * messages);
}

/** What else the machine does makes a round dearer, never cheaper. */
const least = (values) => Math.min(...values);

for (const [name, each] of Object.entries(CASES)) {
  const turns = each.after ? 20 : 3000;
  const [without, counted] = [ends(false), ends(new MemoryBudget(2 ** 30))];
  const samples = { without: [], counted: [] };
  for (let round = -3; round < ROUNDS; round++) {
    const a = await measure(each, without, turns);
    const b = await measure(each, counted, turns);
    if (round < 0) continue;
    samples.without.push(a);
    samples.counted.push(b);
  }
  const [a, b] = [least(samples.without), least(samples.counted)];
  console.log(`${name.padEnd(32)} ${ns(a)} without ${ns(b)} counted ${ns(b - a)} for counting`);
  for (const { socket } of [without, counted]) socket.terminate();
}

// The account alone: what one change of what is held costs.
const account = new MemoryBudget(2 ** 30).open({});
const before = micros();
const CHANGES = 50_000_000;
for (let i = 0; i < CHANGES; i++) account.add((i & 1) === 0 ? 300 : -300);
console.log(`one change of an account         ${(((micros() - before) * 1000) / CHANGES).toFixed(1).padStart(7)} ns`);
