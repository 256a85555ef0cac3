// A server that is replaced without anybody noticing: on SIGTERM it refuses new clients, has the others leave over some seconds, and ends.
import { once } from 'node:events';
import { WebSocketServer } from '@ws/server';

const { PORT = '8080', SPREAD = '5000' } = process.env;

const server = new WebSocketServer({ port: Number(PORT) });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => server.broadcast(data, { binary: isBinary }));
});
await once(server, 'listening');
console.log(`ws://localhost:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`);

process.once('SIGTERM', async () => {
  const impatient = new AbortController();
  process.once('SIGTERM', () => impatient.abort()); // the second one: now
  const { closed, cut, bytesUnsent } = await server.shutdown({
    code: 1012, // Service Restart: clients come back by themselves
    reason: 'a new version is on its way',
    spread: Number(SPREAD), // not all of them at once
    timeout: 10_000, // for the slowest; less than what the supervisor waits before SIGKILL
    signal: impatient.signal,
  });
  console.log(`${closed} closed, ${cut} cut, ${bytesUnsent} bytes unsent`);
  // Nothing is open any more: the process ends by itself, with status 0.
});
