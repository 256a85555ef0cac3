// Measures: ns of CPU per message through one connection in memory, a chunk of 16 messages a turn, echoed; no kernel, no timers.
// It tells what the library itself costs; tools/bench tells what a server costs. Run: npm run bench
import { Socket } from 'node:net';
import { encodeFrame, Opcode } from '@ws/frame';
import { WebSocket } from '@ws/connection';

// All sockets write to nowhere: changed on one of them alone, it would be no plain socket any more, and treated with more care.
Socket.prototype._write = (_chunk, _encoding, callback) => callback();
Socket.prototype._writev = (_chunks, callback) => callback();

const TURNS = 30_000;
const PER_CHUNK = 16;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

async function measure(size, isText) {
  const stream = new Socket();
  const socket = WebSocket.from(stream, { role: 'server' });
  let count = 0;
  socket.on('message', (data, isBinary) => {
    count++;
    socket.send(data, { binary: isBinary });
  });
  const wire = encodeFrame(
    { opcode: isText ? Opcode.Text : Opcode.Binary, maskingKey: 0x12345678 },
    Buffer.alloc(size, 'a'),
  );
  const chunk = Buffer.concat(Array.from({ length: PER_CHUNK }, () => wire));
  const turns = Math.max(200, Math.round(TURNS / Math.max(1, size / 1024)));
  const run = async () => {
    const before = process.cpuUsage();
    for (let i = 0; i < turns; i++) {
      stream.emit('data', chunk);
      if (i % 8 === 0) await nextTurn(); // a stream tells of its writes in later ticks
    }
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1000) / (turns * PER_CHUNK);
  };
  await run();
  const samples = [];
  for (let i = 0; i < 5; i++) samples.push(await run());
  samples.sort((a, b) => a - b);
  if (count === 0) throw new Error('nothing came');
  socket.terminate();
  return samples[2];
}

for (const isText of [false, true]) {
  for (const size of [16, 125, 1024, 16_384]) {
    console.log(
      `${isText ? 'text  ' : 'binary'} ${String(size).padStart(6)} B  ${(await measure(size, isText)).toFixed(0).padStart(6)} ns a message`,
    );
  }
}
