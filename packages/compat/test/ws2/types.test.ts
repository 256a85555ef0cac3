import { expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import WebSocket, { type Server, type ServerOptions } from '../../src/ws2/index.js';

// What is shown here is shown by the type check; the run only builds the values.

test('documented calls are accepted', () => {
  const program = (socket: WebSocket): void => {
    socket.on('message', (data: string | Buffer, flags: { binary?: boolean; masked: boolean }) => void [data, flags]);
    socket.on('message', (_data: unknown, flags: { binary: boolean }) => flags.binary);
    socket.on('message', (data) => socket.send(data));
    socket.on('ping', (data: Buffer, flags) => void [data.length, flags.binary]);
    socket.on('close', (code: number, message: string) => void [code, message]);
    socket.on('error', (error: Error) => void error.message);
    socket.on('open', () => {});
    socket.onmessage = ({ data, binary, target, type }) => void [data, binary, target.url, type];
    socket.onclose = (event: { code: number; reason: string; wasClean: boolean }) => void event;
    socket.onerror = (error) => void [error.message, error.target];
    socket.addEventListener('message', ({ data }) => void data);
    socket.addEventListener('ping', (data: Buffer) => void data);
    socket.send('a');
    socket.send(
      Buffer.from('a'),
      { binary: true, mask: true, compress: true, fin: true },
      (error) => void error?.message,
    );
    socket.send(new Float32Array(1), (error) => void error);
    socket.ping('a', { mask: true, binary: true }, true);
    socket.pong();
    socket.stream({ mask: true, binary: false }, (error, send) => (error ? undefined : send?.('a', true)));
    socket.stream((_error, send) => send?.());
    socket.close();
    socket.close(1000, 'a');
    const { url, upgradeReq, readyState, OPEN } = socket;
    void [url?.length, upgradeReq.headers.cookie, readyState === OPEN, socket._socket?.remoteAddress];
  };
  const make = (): WebSocket[] => [
    new WebSocket('ws://localhost'),
    WebSocket('ws://localhost', 'a'),
    new WebSocket('ws://localhost', ['a'], { protocol: 'a', origin: 'b', protocolVersion: 8, headers: { a: 'b' } }),
    new WebSocket('ws://localhost', { perMessageDeflate: { memLevel: 9, threshold: 10 }, ca: ['a'], key: 'k' }),
  ];
  const options: ServerOptions = {
    port: 0,
    verifyClient: (info, cb) => cb(info.secure, 403, info.origin),
    handleProtocols: (protocols) => protocols[0] ?? false,
    perMessageDeflate: { serverNoContextTakeover: true, serverMaxWindowBits: 10, memLevel: 4 },
  };
  const serve = (): void => {
    const server: Server = new WebSocket.Server(
      { ...options, verifyClient: (info: { origin: string; req: IncomingMessage }) => info.origin === info.req.url },
      () => {},
    );
    server.on('connection', (socket: WebSocket, request: IncomingMessage) => void [socket, request]);
    server.on('headers', (headers: string[]) => headers.push('a: b'));
    server.on('error', (error: Error) => void error);
    for (const client of server.clients) client.send('a');
    server.close((error?: Error) => void error);
  };
  expect([program, make, serve]).toHaveLength(3);
});

test('wrong ones are not', () => {
  const wrong = (socket: WebSocket, server: Server): void => {
    // @ts-expect-error a message is no Buffer alone: that is ws 8
    socket.on('message', (data: Buffer, isBinary: boolean) => void [data, isBinary]);
    // @ts-expect-error the reason is a string
    socket.on('close', (code: number, reason: Buffer) => void [code, reason]);
    // @ts-expect-error an address
    void new WebSocket(80);
    // @ts-expect-error an object is to be made text
    socket.send({ a: 1 });
    // @ts-expect-error options
    socket.send('a', { binary: 'yes' });
    // @ts-expect-error a code
    socket.close('1000');
    // @ts-expect-error a callback
    socket.stream({});
    // @ts-expect-error not to be changed
    socket.readyState = 1;
    // @ts-expect-error one of two
    socket.binaryType = 'blob';
    // @ts-expect-error a port
    void new WebSocket.Server({ port: 'any' });
    // @ts-expect-error an array, no Set
    void new WebSocket.Server({ handleProtocols: (protocols) => protocols.has('a') && 'a' });
    // @ts-expect-error a listener
    server.on('headers', (headers: Record<string, string>) => void headers);
  };
  expect(typeof wrong).toBe('function');
});
