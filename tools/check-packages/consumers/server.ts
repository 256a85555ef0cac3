import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer, type ServerOptions } from '@ws/server';

const options: ServerOptions = { port: 0, host: '127.0.0.1' };
const server = new WebSocketServer(options);
server.on('connection', (socket, request) => {
  if (!(socket instanceof WebSocket)) throw new Error('instanceof');
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  socket.send(request.url ?? '');
});
server.on('listening', () => {
  const { port } = server.address() as AddressInfo;
  if (port === 0 || server.clients.size !== 0) throw new Error('address');
  server.close();
});
