import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { createServer, type Incoming, Outgoing, type Server, Socket, type ServerOptions } from '@ws/compat/wesos';

const options: ServerOptions = { url: '/relay' };
const http = createHttpServer();
const server: Server = createServer(options, (wsocket, wserver) => {
  if (!(wsocket instanceof Socket) || wserver !== server) throw new Error('instanceof');
  wsocket.on('message', (incoming: Incoming) => {
    if (incoming.header?.opcode !== 1) throw new Error('header');
    incoming.pipe(new Outgoing(wsocket));
    incoming.on('end', () => wsocket.webSocket.close(1000));
  });
  wsocket.on('end', () => http.close());
}).listen(http);

http.listen(0, '127.0.0.1', () => {
  const client = connect((http.address() as AddressInfo).port, '127.0.0.1');
  client.write('GET /relay HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n');
  client.write('Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
  client.write(Buffer.from('8181000000006188820000000003e8', 'hex')); // "a", and a Close frame
  client.resume().on('end', () => client.end());
});
