import { once } from 'node:events';
import { connect, type Socket as TcpSocket } from 'node:net';
import type { Duplex } from 'node:stream';
import { acceptFor } from '@ws/handshake';
import type { ServerOptions, Socket, World } from './differential.js';

/** A TCP peer that says what it is told to, and keeps what it hears. */
export class RawPeer {
  readonly socket: TcpSocket;
  received = Buffer.alloc(0);

  constructor(port: number, text: string) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (data: Buffer) => (this.received = Buffer.concat([this.received, data])));
    this.socket.on('error', () => {});
    this.socket.write(text, 'latin1');
  }

  get closed(): Promise<unknown> {
    return this.socket.closed ? Promise.resolve() : once(this.socket, 'close');
  }

  /** What came up to there; it is taken away. */
  async until(text: string): Promise<string> {
    while (!this.received.includes(text, 0, 'latin1')) await once(this.socket, 'data');
    const end = this.received.indexOf(text, 0, 'latin1') + text.length;
    const head = this.received.toString('latin1', 0, end);
    this.received = this.received.subarray(end);
    return head;
  }

  /** Status and headers of the answer, without what of it is in words. */
  async answer(): Promise<string> {
    return (await this.until('\r\n\r\n')).split('\r\n', 1)[0]!.split(' ')[1]!;
  }

  async bytes(count: number): Promise<string> {
    while (this.received.length < count) await once(this.socket, 'data');
    const bytes = this.received.toString('hex', 0, count);
    this.received = this.received.subarray(count);
    return bytes;
  }
}

/** A handshake as it goes over the wire, with these headers in place of the usual ones; undefined: without it. */
export function handshake(headers: Readonly<Record<string, string | undefined>> = {}, target = '/'): string {
  const all = {
    Host: 'localhost',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** A server that switches, and leaves it to the test what it says then. */
export async function rawServer(world: World): Promise<{ url: string; stream: Promise<Duplex> }> {
  const { http, url } = await world.http();
  const stream = new Promise<Duplex>((resolve) => {
    http.on('upgrade', (request, duplex) => {
      const accept = acceptFor(request.headers['sec-websocket-key'] ?? '');
      const head = [
        '101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${accept}`,
      ];
      duplex.on('error', () => {});
      duplex.write(`HTTP/1.1 ${head.join('\r\n')}\r\n\r\n`);
      world.atEnd(() => duplex.destroy());
      resolve(duplex);
    });
  });
  return { url, stream };
}

/** Bytes by their hex digits, in groups or not. */
export const frame = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

/** A raw client, and the server's end of its connection. */
export async function rawClient(world: World, options: ServerOptions): Promise<{ socket: Socket; peer: RawPeer }> {
  const { server, port } = await world.serve(options);
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const peer = new RawPeer(port, handshake());
  world.atEnd(() => peer.socket.destroy());
  const [socket] = await connected;
  await peer.until('\r\n\r\n');
  return { socket, peer };
}
