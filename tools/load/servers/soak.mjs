// An echo with the server's default guards. Tells RSS and heap once a second, and how late its event loop was.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { WebSocketServer } from '@ws/server';

const SAMPLE_MS = 1000;
/** @param {object} message */
const tell = (message) => void process.send?.(message, () => undefined); // who asked may be gone
const options = JSON.parse(process.argv[2] ?? '{}');

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', backlog: 4096, perMessageDeflate: true, ...options });
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();

/** @type {Record<string, number>} */
let ends = {};
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(/** @type {Buffer} */ (data), { binary: isBinary }));
  socket.on('close', (code, _reason, { initiator }) => {
    const name = `${initiator} ${code}`;
    ends[name] = (ends[name] ?? 0) + 1;
  });
});
server.on('listening', () => {
  const address = server.address();
  tell({ event: 'ready', port: typeof address === 'object' ? address?.port : 0 });
});

setInterval(() => {
  const { rss, heapUsed, external } = process.memoryUsage();
  tell({
    event: 'sample',
    atMs: performance.now(),
    rss,
    heap: heapUsed + external,
    connections: server.clients.size,
  });
}, SAMPLE_MS);

process.on('message', (command) => {
  if (command === 'begin') {
    delay.reset();
    ends = {};
  } else if (command === 'figures') {
    const { user, system } = process.cpuUsage();
    tell({
      event: 'figures',
      delayP99: delay.percentile(99) / 1e6,
      delayMax: delay.max / 1e6,
      cpuSeconds: (user + system) / 1e6,
      ends,
      connections: server.clients.size,
    });
  }
});
process.on('disconnect', () => process.exit());
