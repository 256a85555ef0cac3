import { createServer } from 'node:http';
import { duplexPair } from 'node:stream';
import { Server, Socket, type ReceivedHead } from '@ws/compat/websockets';

const [near, far] = duplexPair();
const socket = new Socket(near, { role: 'any' });
socket.on('head', (head: ReceivedHead) => {
  if (head.opcode !== 1 || head.headSize !== 2) throw new Error('head');
});
socket.on('readable', () => {
  if (String(socket.read()) !== 'hi') throw new Error('read');
});
far.end(Buffer.from('81026869', 'hex'));

const server = new Server({ url: 'ws://localhost/chat' }).listen(createServer());
server.on('message', (message, sender) => server.broadcast({ fin: true, opcode: 1 }, `${sender.id}: ${message}`));
if (server.url.pathname !== '/chat' || server.sockets.length !== 0) throw new Error('server');
