// The echo by several processes behind one port, in one of the ways that there are.
import cluster from 'node:cluster';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from '@ws/server';

/**
 * @typedef {object} Task
 * @property {'one' | 'cluster' | 'shared' | 'reusePort'} way
 * @property {number} processes
 * @property {number} [port]
 */

const task = /** @type {Task} */ (JSON.parse(process.argv[2] ?? '{}'));
const isWorker = cluster.isWorker || process.env['WS_WORKER'] !== undefined || task.way === 'one';

if (isWorker) serve();
else await lead();

/** Starts the others, and adds up what they say. */
async function lead() {
  cluster.schedulingPolicy = task.way === 'shared' ? cluster.SCHED_NONE : cluster.SCHED_RR;
  const file = fileURLToPath(import.meta.url);
  let port = 0;
  /** @type {(import('node:child_process').ChildProcess | import('node:cluster').Worker)[]} */
  const workers = [];
  for (let count = 0; count < task.processes; count++) {
    // 0 is the same port for all workers of a cluster.
    const argument = JSON.stringify({ ...task, port: task.way === 'reusePort' ? port : 0 });
    cluster.setupPrimary({ exec: file, args: [argument] });
    const worker =
      task.way === 'reusePort' ? fork(file, [argument], { env: { ...process.env, WS_WORKER: '1' } }) : cluster.fork();
    [{ port }] = await once(worker, 'message');
    workers.push(worker);
  }
  process.send?.({ port });
  process.on('message', () => void Promise.all(workers.map(ask)).then((counts) => process.send?.(counts)));
  process.on('disconnect', () => {
    for (const worker of workers) worker.disconnect();
  });
}

/** @param {import('node:child_process').ChildProcess | import('node:cluster').Worker} worker @returns {Promise<number>} its connections */
const ask = async (worker) => {
  const answer = once(worker, 'message');
  worker.send('count');
  return (await answer)[0];
};

function serve() {
  const { way, port = 0 } = task;
  const perMessageDeflate = { threshold: 0 };
  const http = way === 'reusePort' ? createServer() : undefined;
  const server = new WebSocketServer(
    http ? { server: http, perMessageDeflate } : { port, host: '127.0.0.1', perMessageDeflate },
  );
  const tell = () => process.send?.({ port: /** @type {import('node:net').AddressInfo} */ (server.address()).port });
  server.on('listening', tell);
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const options = { port, host: '127.0.0.1', backlog: 4096, reusePort: true }; // Node 23.1 and newer
  http?.listen(options);
  process.on('message', () => process.send?.(server.clients.size));
  process.on('disconnect', () => process.exit(0));
}
