import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import type { WebSocketServer } from '@ws/server';
import { atEnd } from '@ws/testing/peer';
import { startCore } from '../http-servers.js';
import { start } from '../websockets/support.js';
import { OURS, UNDICI, WS } from './client.js';
import { program, until } from './program.js';

interface Images {
  readonly port: number;
  /** 'end' for each image, behind the code of its error. */
  readonly log: unknown[];
  readonly core: WebSocketServer;
  write(bytes: Buffer): void;
}

const MIB = 2 ** 20;
const image = (fill: number): Buffer => Buffer.alloc(10 * MIB, fill);
const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

program<() => Promise<Images>>('A-16 images from clients to all', {
  adapter: async () => {
    const { server, port } = await start();
    const log: unknown[] = [];
    server.on('stream:start', (socket) => void socket.pipe(server));
    server.on('stream:stop', (socket) => socket.unpipe(server));
    server.on('stream:end', () => log.push('end'));
    server.on('error', (error) => log.push((error as NodeJS.ErrnoException).code));
    const write = (bytes: Buffer): void => void (server.write(bytes), server.write(Buffer.alloc(0)));
    return { port, log, core: server.core, write };
  },
  core: async () => {
    const { server, port } = await startCore({ incoming: 'auto', maxPayload: 100 * MIB });
    const log: unknown[] = [];
    server.on('connection', (socket) =>
      socket.on('incoming', (incoming) => {
        incoming.on('error', (error) => log.push((error as NodeJS.ErrnoException).code));
        incoming.on('close', () => log.push('end'));
        incoming.pipe(server.createBroadcast({ binary: incoming.isBinary, forward: MIB }));
      }),
    );
    return { port, log, core: server, write: (bytes) => void server.createBroadcast().end(bytes) };
  },
  by: [WS, UNDICI, OURS],
  async seen(make, peer) {
    const { port, log, core, write } = await make();
    const [a, b, c] = [await peer.open(port), await peer.open(port), await peer.open(port)];
    let most = 0;
    const sampling = setInterval(() => {
      const { bytesQueued, memory } = core.metrics();
      most = Math.max(most, bytesQueued, memory);
    }, 1);
    atEnd(() => clearInterval(sampling));
    for (const [client, bytes] of [[a, image(1)] as const, [b, image(2)] as const]) {
      const size = Math.ceil(bytes.length / 100);
      if (peer.isBrowser) client.send(bytes);
      else
        for (let at = 0; at < bytes.length; at += size)
          client.send(bytes.subarray(at, at + size), { fin: at + size >= bytes.length });
    }
    const both = [image(1), image(2)].map(sha256).toSorted();
    for (const client of [a, b, c]) expect((await client.until(2)).map(sha256).toSorted()).toEqual(both);
    await until(() => log.length >= 2);
    expect(log).toEqual(['end', 'end']);
    expect(most / 3).toBeLessThan(4 * MIB);
    write(Buffer.of(1));
    for (const client of [a, b, c]) expect((await client.until(3))[2]).toEqual(Buffer.of(1));
    if (peer.isBrowser) return;

    // One is cut in the middle, another goes on.
    const half = (fill: number): Buffer => Buffer.alloc(MIB, fill);
    for (let n = 0; n < 2; n++) a.send(half(4), { fin: false });
    await until(() => [...core.clients].some(({ bytesReceived }) => bytesReceived > 12 * MIB));
    b.send(half(3), { fin: false });
    a.cut();
    await until(() => log.length >= 4);
    expect(log.slice(2)).toEqual(['WS_ERR_INCOMPLETE_MESSAGE', 'end']);
    b.send(half(3), { fin: true });
    for (const client of [b, c]) {
      const ends = (await client.until(5)).slice(3).map((message) => [message.length, (message as Buffer)[0]]);
      expect(ends).toContainEqual([2 * MIB, 3]);
      expect(ends.some(([length, fill]) => fill === 4 && length! <= 2 * MIB)).toBe(true);
      expect(await client.close(4000)).toEqual([4000, '']); // it was still there
    }
  },
});
