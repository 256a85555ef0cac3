import { once } from 'node:events';
import type { Socket as TcpSocket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { handshake, Wire } from '@ws/testing/peer';
import type { ServerOptions, Socket, World } from './differential.js';

/** A raw client, and the server's end of its connection. */
export async function rawClient(world: World, options: ServerOptions): Promise<{ socket: Socket; wire: Wire }> {
  const { server, port } = await world.serve(options);
  const connected = once(server, 'connection') as Promise<[Socket]>;
  const wire = Wire.to(port, handshake());
  world.atEnd(() => wire.cut());
  const [socket] = await connected;
  await wire.head();
  return { socket, wire };
}

/** Sends this head and up to four bytes of payload, each of which is a read of its own for `socket`, until that refuses them. */
export async function sendInChunks(wire: Wire, socket: Socket, head: string): Promise<void> {
  const { _socket: stream } = socket as unknown as { _socket: TcpSocket };
  const isRefused = (): boolean => wire.ending !== undefined || wire.received.length > 0;
  wire.socket.setNoDelay(true);
  wire.write(bytes(head));
  for (let i = 0; i < 4 && !isRefused(); i++) {
    const before = stream.bytesRead;
    wire.write('x');
    while (stream.bytesRead === before && !isRefused()) await turn();
  }
}

/** Of the answer to a request. */
export async function statusOf(port: number, text: string): Promise<number> {
  const wire = Wire.to(port, text);
  const { status } = await wire.head();
  wire.cut();
  return status;
}

/** By hex digits, in groups or not. */
export const bytes = (digits: string): Buffer => Buffer.from(digits.replaceAll(' ', ''), 'hex');
