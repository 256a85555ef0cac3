import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { createServer as createTcpServer, type Socket as TcpSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocket as Client, type RawData } from '@ws/client';
import { atEnd, listen, portOf, Wire } from '@ws/testing/peer';
import {
  createServer,
  type Incoming,
  type OpenListener,
  type ServerOptions,
  type Socket,
} from '../../src/wesos/index.js';
import { startPages } from '../http-servers.js';

/** `createServer(options, listener).listen(http)`, by port. */
export async function start(
  listener?: OpenListener,
  options: ServerOptions = {},
): Promise<{ port: number; http: HttpServer; server: ReturnType<typeof createServer> }> {
  const http = await startPages();
  const server = createServer(options, listener).listen(http);
  return { port: portOf(http), http, server };
}

/** A client of ours and what it gets, `'text …'` or `'binary …'` in hex. */
export async function join(port: number): Promise<{ client: Client; until: (count: number) => Promise<string[]> }> {
  const client = new Client(`ws://127.0.0.1:${port}`, { maxPayload: 0 });
  atEnd(() => client.terminate());
  const got: string[] = [];
  client.on('message', (data: RawData, isBinary) => {
    got.push(isBinary ? `binary ${(data as Buffer).toString('hex')}` : `text ${String(data)}`);
  });
  await once(client, 'open');
  const until = async (count: number): Promise<string[]> => {
    while (got.length < count) await once(client, 'message');
    return got;
  };
  return { client, until };
}

/** Two ends of a TCP connection. */
export async function tcpPair(): Promise<{ near: TcpSocket; wire: Wire }> {
  const listener = createTcpServer();
  const wire = Wire.to(await listen(listener));
  const [near] = (await once(listener, 'connection')) as [TcpSocket];
  return { near, wire };
}

/** The next message of a socket, whole. */
export async function nextText(socket: Socket): Promise<string> {
  const [incoming] = (await once(socket, 'message')) as [Incoming];
  return text(incoming);
}
