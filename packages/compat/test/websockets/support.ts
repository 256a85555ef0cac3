import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import { duplexPair, type Duplex } from 'node:stream';
import { WebSocket, type ClientOptions } from '@ws/client';
import { atEnd, handshake, next, portOf, Wire, type Headers } from '@ws/testing/peer';
import { Server, Socket, type ServerOptions, type SocketOptions } from '../../src/websockets/index.js';
import { startPages } from '../http-servers.js';

/** A Socket on one end of a pair, and the other end. */
export function wrap(options?: SocketOptions): { socket: Socket; wire: Wire<Duplex>; source: Duplex } {
  const [source, far] = duplexPair();
  const socket = new Socket(source, options);
  atEnd(() => socket.destroy());
  return { socket, wire: new Wire(far), source };
}

/** A Server on an http server of its own. */
export async function start(
  options?: ServerOptions,
  setUp?: (server: Server) => unknown,
): Promise<{ server: Server; port: number; http: HttpServer }> {
  const http = await startPages();
  const server = new Server(options).listen(http);
  setUp?.(server);
  atEnd(() => {
    for (const socket of server.core.clients) socket.terminate();
    return new Promise<void>((resolve) => server.core.close(() => resolve()));
  });
  return { server, port: portOf(http), http };
}

/** What a client of the core gets: text is a string. `until(n)` waits for n messages. */
export class Client {
  readonly socket: WebSocket;
  readonly messages: (string | Buffer)[] = [];

  constructor(port: number, path = '/', options: ClientOptions = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [], {
      maxPayload: 0,
      perMessageDeflate: false,
      ...options,
    });
    this.socket.on('error', () => {});
    this.socket.on('message', (data, isBinary) => this.messages.push(isBinary ? (data as Buffer) : String(data)));
    atEnd(() => this.socket.terminate());
  }

  async until(count: number): Promise<(string | Buffer)[]> {
    while (this.messages.length < count) await once(this.socket, 'message');
    return this.messages;
  }
}

/** An open client, and the Socket of the server that it is. */
export async function join(server: Server, port: number, path = '/'): Promise<{ client: Client; socket: Socket }> {
  const told = once(server, 'open');
  const client = new Client(port, path);
  const [socket] = (await told) as [Socket];
  if (client.socket.readyState === client.socket.CONNECTING) await once(client.socket, 'open');
  return { client, socket };
}

/** A client of raw bytes, and the Socket of the server that it is. */
export async function joinRaw(
  server: Server,
  port: number,
  headers: Headers = {},
): Promise<{ wire: Wire; socket: Socket }> {
  const told = next<[Socket]>(server, 'open');
  const wire = await Wire.open(port, handshake(headers));
  return { wire, socket: (await told)[0] };
}
