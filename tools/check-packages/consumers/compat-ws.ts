import type { AddressInfo } from 'node:net';
import WebSocket, { createWebSocketStream, WebSocketServer, type RawData } from '@ws/compat/ws';

class Player extends WebSocket {
  score = 0;
}
const server: WebSocket.Server<typeof Player> = new WebSocket.Server({ port: 0, host: '127.0.0.1', WebSocket: Player });
server.on('connection', (socket, request) => {
  if (!(socket instanceof WebSocket) || socket.score !== 0) throw new Error('instanceof');
  socket.on('message', (data: RawData, isBinary: boolean) => socket.send(data, { binary: isBinary }));
  socket.send(request.url ?? '');
});
server.on('listening', () => {
  const { port } = server.address() as AddressInfo;
  const options: WebSocket.ClientOptions = { perMessageDeflate: false };
  const socket: WebSocket = new WebSocket(`ws://127.0.0.1:${port}/x`, options);
  socket.on('message', (data: WebSocket.Data) => {
    if (String(data) !== '/x') throw new Error('message');
    createWebSocketStream(socket).destroy();
    socket.terminate();
    server.close();
  });
});
if (WebSocketServer !== WebSocket.Server || WebSocket.OPEN !== 1) throw new Error('statics');
