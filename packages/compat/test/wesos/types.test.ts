// What is written here is for the compiler: `tsc -p tsconfig.test.json`.
import { expect, test } from '@jest/globals';
import type { Server as HttpServer } from 'node:http';
import type { Socket as TcpSocket } from 'node:net';
import { createServer, Incoming, Outgoing, Server, Socket } from '../../src/wesos/index.js';

function documented(http: HttpServer, tcp: TcpSocket): void {
  createServer((wsocket, wserver) => {
    wsocket.pipe(wserver);
    wsocket.unpipe(wserver);
  }).listen(http);
  createServer().listen(http).listen(http);
  createServer({ origins: 'any', url: '/chat' }, (wsocket) => {
    wsocket.webSocket.close(1000);
  });
  const server: Server = new Server();
  server.on('open', (wsocket: Socket) => wsocket.on('end', () => {}));
  server.on('close', () => {}).on('error', (error: Error) => error.message);
  server.once('open', (_wsocket, wserver) => wserver.listen(http));

  const socket = new Socket(tcp);
  socket.on('message', (incoming: Incoming) => incoming.header?.opcode.toFixed());
  socket.on('close', (code: number, reason: string) => [code.toFixed(), reason.length]);
  socket.on('ping', (data: Buffer) => data.length);
  socket.on('end', () => {});

  const incoming = new Incoming();
  incoming.on('readable', () => {
    const part: Buffer | null = incoming.read(); // as of any Readable
    part?.toString();
  });
  incoming.on('end', () => {});

  const outgoing = new Outgoing(socket);
  outgoing.header.opcode = 2;
  const more: boolean = outgoing.write('text') && outgoing.write(Buffer.of(1));
  outgoing.end(more ? 'text' : Buffer.of(1));
  incoming.pipe(outgoing);
}

function wrong(http: HttpServer, tcp: TcpSocket, server: Server, socket: Socket): void {
  // @ts-expect-error -- no port
  server.listen(3000);
  // @ts-expect-error -- no such option
  void new Server({ maxPaylod: 5 });
  // @ts-expect-error -- a listener
  createServer('listener').listen(http);
  // @ts-expect-error -- a number
  server.on('open', (wsocket: number) => wsocket);
  // @ts-expect-error -- a stream
  void new Socket();
  // @ts-expect-error -- no such role
  void new Socket(tcp, { role: 'both' });
  // @ts-expect-error -- a Socket
  void new Outgoing(tcp);
  // @ts-expect-error -- a string or bytes
  new Outgoing(socket).write(5);
  // @ts-expect-error -- a number
  new Outgoing(socket).header.opcode = 'text';
}

test('both compile', () => expect([documented, wrong]).toHaveLength(2));
