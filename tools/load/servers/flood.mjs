// The server that is flooded: an echo with the options given, which tells its parent where it is and, when asked, what it has done.
import { WebSocketServer } from '@ws/server';

const options = JSON.parse(process.argv[2] ?? '{}');
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options }, () => {
  const address = server.address();
  if (typeof address === 'object' && address) process.send?.({ port: address.port });
});
let connections = 0;
server.on('connection', (socket) => {
  connections++;
  socket.on('message', (data, binary) => socket.send(data, { binary }));
});
let usage = process.cpuUsage();
process.on('message', () => {
  const { user, system } = process.cpuUsage(usage);
  usage = process.cpuUsage();
  process.send?.({ cpuSeconds: (user + system) / 1e6, connections, open: server.clients.size });
});
process.on('disconnect', () => process.exit(0));
