// The server that is attacked: small memoryLimit, else its defaults but for compression, which keeps every window it may. What it does with a
// connection depends on the path: an echo, a streamed message that nobody reads, an iterator that nobody asks.
import { WebSocketServer } from '@ws/server';

const { memoryLimit } = JSON.parse(process.argv[2] ?? '{}');
const perMessageDeflate = { serverNoContextTakeover: false, clientNoContextTakeover: false, threshold: 0 };
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, memoryLimit, perMessageDeflate }, () => {
  const address = server.address();
  if (typeof address === 'object' && address) process.send?.({ port: address.port });
});
/** @type {Record<string, number>} */
const closed = {};
server.on('connection', (socket, request) => {
  const path = request.url ?? '';
  void socket.closed.then(({ error, initiator }) => {
    const code = error && 'code' in error ? error.code : initiator;
    const key = `${path} ${code}`;
    closed[key] = (closed[key] ?? 0) + 1;
  });
  if (path === '/stream') {
    socket.incoming = 'stream';
    socket.on('incoming', () => undefined);
  } else if (path === '/iterate') {
    socket[Symbol.asyncIterator]();
  } else {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
  }
});

const budget = server.options.memoryLimit;
if (!budget) throw new Error('no memoryLimit');
let mostUsed = 0;
let mostRss = 0;
const look = () => {
  mostUsed = Math.max(mostUsed, budget.used);
  mostRss = Math.max(mostRss, process.memoryUsage.rss());
};
setInterval(look, 5);
process.on('message', (message) => {
  if (message === 'end') for (const client of server.clients) client.terminate();
  globalThis.gc?.(); // iterators that nobody has any more are forgotten
  look();
  const { used, shed, limit } = budget;
  process.send?.({
    used,
    mostUsed,
    mostRss,
    rss: process.memoryUsage.rss(),
    shed,
    limit,
    open: server.clients.size,
    closed,
  });
});
process.on('disconnect', () => process.exit(0));
