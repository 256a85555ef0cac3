import type { AddressInfo } from 'node:net';
import WebSocket = require('@ws/compat/ws2');

const options: WebSocket.ServerOptions = { port: 0, host: '127.0.0.1' };
const server: WebSocket.Server = WebSocket.Server(options, () => {
  const socket: WebSocket = WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  socket.on('open', () => server.close());
});
