import { WebSocket, type ClientOptions } from '@ws/client';

const options: ClientOptions = { handshakeTimeout: 1000 };
const socket = new WebSocket('ws://127.0.0.1:1', ['chat'], options);
socket.on('open', () => socket.send('nobody listens on port 1'));
socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
socket.on('error', (error: Error) => {
  if (!(error instanceof Error)) throw new Error('error');
});
if (socket.readyState !== WebSocket.CONNECTING) throw new Error('readyState');
