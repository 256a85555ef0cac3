// One server as several processes behind one port: a broadcast reaches the clients of all of them, one that dies is replaced, and SIGTERM ends all in good order.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { availableParallelism, totalmem } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer } from '@ws/server';

const { PORT = '8080', PROCESSES = String(availableParallelism()), SPREAD = '5000' } = process.env;

if (cluster.isPrimary) lead(Number(PROCESSES));
else await serve();

/** @param {number} processes */
function lead(processes) {
  let isLeaving = false;
  let listening = 0;
  cluster.setupPrimary({ serialization: 'advanced' }); // so that bytes stay bytes on the way from process to process
  for (let i = 0; i < processes; i++) cluster.fork();
  cluster.on('listening', (_, { port }) => {
    if (++listening === processes) console.log(`ws://localhost:${port}`);
  });
  cluster.on('message', (from, message) => {
    for (const worker of Object.values(cluster.workers ?? {})) if (worker !== from) worker?.send(message);
  });
  cluster.on('exit', async () => {
    if (isLeaving) return;
    await delay(1000); // if they die as soon as they begin, not all the time
    if (!isLeaving) cluster.fork();
  });
  process.on('SIGTERM', () => {
    isLeaving = true;
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM');
  });
}

async function serve() {
  const server = new WebSocketServer({
    port: Number(PORT),
    memoryLimit: Math.floor(totalmem() / 4 / Number(PROCESSES)), // every limit is that of one process
  });
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => {
      server.broadcast(data, { binary: isBinary });
      process.send?.({ data, isBinary });
    });
  });
  process.on('message', (/** @type {{ data: Buffer, isBinary: boolean }} */ { data, isBinary }) => {
    server.broadcast(data, { binary: isBinary });
  });
  await once(process, 'SIGTERM');
  await server.shutdown({ code: 1012, spread: Number(SPREAD), timeout: 10_000 });
  process.disconnect(); // the primary is the last thing that keeps it
}
