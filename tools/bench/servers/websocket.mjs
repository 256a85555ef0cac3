import { createServer } from 'node:http';
import websocket from 'websocket';
import { listen, MOST_BYTES } from './listening.mjs';

const httpServer = createServer();
const server = new websocket.server({
  httpServer,
  maxReceivedFrameSize: MOST_BYTES,
  maxReceivedMessageSize: MOST_BYTES,
});
server.on('request', (request) => {
  const connection = request.accept(null, request.origin);
  connection.on('message', (message) => {
    if (message.type === 'utf8') connection.sendUTF(message.utf8Data);
    else connection.sendBytes(message.binaryData);
  });
});
listen(httpServer);
