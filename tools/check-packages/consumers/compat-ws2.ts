import type { AddressInfo } from 'node:net';
import WebSocket, { Server, type Flags, type ServerOptions } from '@ws/compat/ws2';

const options: ServerOptions = { port: 0, host: '127.0.0.1', handleProtocols: (protocols) => protocols[0] ?? false };
const server: Server = new WebSocket.Server(options, () => {
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/x`, ['a']);
  socket.on('message', (data: string | Buffer, flags: Flags) => {
    if (data !== '/x' || flags.binary || socket.protocol !== 'a') throw new Error('message');
    server.close();
  });
});
server.on('connection', (socket: WebSocket) => {
  if (!(socket instanceof WebSocket) || WebSocket.Server !== Server) throw new Error('instanceof');
  socket.send(socket.upgradeReq?.url);
});
