import WebSocket = require('@ws/compat/ws');
import * as all from '@ws/compat';

const server: WebSocket.Server = new WebSocket.Server({ port: 0, host: '127.0.0.1' }, () => {
  const { port } = server.address() as WebSocket.AddressInfo;
  const socket: WebSocket = new WebSocket(`ws://127.0.0.1:${port}`);
  socket.on('open', () => {
    socket.terminate();
    server.close();
  });
});
if (all.WebSocket.OPEN !== WebSocket.OPEN || all.Server !== WebSocket.Server) throw new Error('import *');
