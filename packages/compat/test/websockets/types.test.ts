// What the documents call is accepted by the compiler, and what is wrong is not.
import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';
import { Server, Socket, type ReceivedHead } from '../../src/websockets/index.js';

function documented(source: Duplex, log: (...told: unknown[]) => void): Server {
  const socket = new Socket(source, { mask: true });
  socket.on('readable', () => log(String(socket.read())));
  socket.writeHead({ fin: true, mask: true });
  socket.writeHead({ opcode: 0x02, length: 0x05, masking: Buffer.alloc(4), rsv1: false });
  const hasRoom: boolean = socket.writeEnd(Buffer.from('Hello')) && socket.write(socket.read());
  socket.on('done', () => socket.write(socket.writeEnd()));
  socket.on('head', (head: ReceivedHead) => log(head.opcode === 0x09, head.headSize, hasRoom));
  socket.once('pong', (message: string, { direction, data }) => log(message, direction, data.length));

  const server = new Server({ url: 'ws://localhost', timeout: 0, maxConnections: 4, maxPayload: 1024 });
  server.listen(createServer());
  server.write(Buffer.from([0x01]));
  server.broadcast({ fin: true, opcode: 0x01 }, Buffer.from('all'));
  server.broadcast('all');
  server.on('open', (wssocket) => wssocket.send('Hello').ping('x').close(1000, 'bye'));
  server.on('pong', (message, wssocket) => wssocket.send(message.toUpperCase()));
  server.on('close', (code, wssocket, reason) => log(`${wssocket.id}:${code.toFixed()} ${reason}`));
  server.on('error', (error, wssocket) => log(error.message, wssocket?.id));
  server.on('message', (message, wssocket) => wssocket.send(message));
  server.on('stream:start', (wssocket) => wssocket.pipe(server));
  server.once('stream:stop', (wssocket) => wssocket.unpipe(server));
  log(server.sockets[0]?.id, server.url.pathname, server.timeout, server.maxConnections, server.mask);
  return server;
}

function wrong(source: Duplex): unknown {
  // @ts-expect-error mask is a boolean
  const socket = new Socket(source, { mask: 1 });
  // @ts-expect-error opcode is a number
  socket.writeHead({ opcode: 'text' });
  // @ts-expect-error no such field
  socket.writeHead({ final: true });
  // @ts-expect-error numbers are not sent
  socket.send(5);
  // @ts-expect-error nor written
  socket.write(5);
  // @ts-expect-error the text is a string
  socket.on('pong', (message: number) => message);
  // @ts-expect-error the url is a string
  const server = new Server({ url: 3000 });
  // @ts-expect-error nor here
  server.listen(3000);
  // @ts-expect-error a head, or nothing, before the message
  server.broadcast(1, 'message');
  // @ts-expect-error the code comes first
  server.on('close', (wssocket: Socket) => wssocket);
  // @ts-expect-error it opens no port
  return [new Server({ port: 3000 }), new Socket(source)];
}

test('what the documents call can be called', () => {
  const logged: unknown[][] = [];
  const server = documented(duplexPair()[0], (...told) => logged.push(told));
  expect(logged).toEqual([[undefined, '/', 0, 4, false]]);
  expect(server.core.options.maxPayload).toBe(1024);
});

test('what is wrong fails', () => {
  expect(() => wrong(duplexPair()[0])).toThrow(TypeError);
});
