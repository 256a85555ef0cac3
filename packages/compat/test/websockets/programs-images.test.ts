import { expect } from '@jest/globals';
import { createHash } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import type { WebSocketServer } from '@ws/server';
import { atEnd } from '@ws/testing/peer';
import { startCore } from '../http-servers.js';
import { Client, opened, program, start } from './support.js';

interface Images {
  readonly port: number;
  readonly log: unknown[];
  readonly told: EventEmitter;
  readonly core: WebSocketServer;
  write(bytes: Buffer): void;
}

program<() => Promise<Images>>(
  'A-16 images from clients to all',
  {
    adapter: async () => {
      const { server, port } = await start();
      const log: unknown[] = [];
      const told = new EventEmitter();
      server.on('stream:start', (socket) => void socket.pipe(server));
      server.on('stream:stop', (socket) => socket.unpipe(server));
      server.on('stream:end', () => told.emit('told', log.push('end')));
      server.on('error', (error) => log.push((error as NodeJS.ErrnoException).code));
      const write = (bytes: Buffer): void => void (server.write(bytes), server.write(Buffer.alloc(0)));
      return { port, log, told, core: server.core, write };
    },
    core: async () => {
      const { server, port } = await startCore({ incoming: 'auto', maxPayload: 100 * 2 ** 20 });
      const log: unknown[] = [];
      const told = new EventEmitter();
      server.on('connection', (socket) => {
        socket.on('incoming', (image) => {
          image.on('error', (error) => log.push((error as NodeJS.ErrnoException).code));
          image.on('close', () => told.emit('told', log.push('end')));
          image.pipe(server.createBroadcast({ binary: image.isBinary, forward: 2 ** 20 }));
        });
      });
      return { port, log, told, core: server, write: (bytes) => void server.createBroadcast().end(bytes) };
    },
  },
  async (make) => {
    const { port, log, told, core, write } = await make();
    const [a, b, c] = (await Promise.all([1, 2, 3].map(() => opened(new Client(port))))) as [Client, Client, Client];
    let most = 0;
    const sampling = setInterval(() => {
      const { bytesQueued, memory } = core.metrics();
      most = Math.max(most, bytesQueued, memory);
    }, 1);
    atEnd(() => clearInterval(sampling));
    const image = (fill: number): Buffer => Buffer.alloc(10 * 2 ** 20, fill);
    const send = ({ socket }: Client, bytes: Buffer): void => {
      const size = Math.ceil(bytes.length / 100);
      for (let at = 0; at < bytes.length; at += size)
        socket.send(bytes.subarray(at, at + size), { fin: at + size >= bytes.length });
    };
    send(a, image(1));
    send(b, image(2));
    const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
    const both = [image(1), image(2)].map(sha256).toSorted();
    for (const client of [a, b, c]) expect((await client.until(2)).map(sha256).toSorted()).toEqual(both);
    while (log.length < 2) await once(told, 'told');
    expect(log).toEqual(['end', 'end']);
    expect(most / 3).toBeLessThan(4 * 2 ** 20);
    write(Buffer.of(1));
    for (const client of [a, b, c]) expect((await client.until(3))[2]).toEqual(Buffer.of(1));

    // One is cut in the middle, another goes on.
    const half = (fill: number): Buffer => image(fill).subarray(0, 2 ** 20);
    for (let n = 0; n < 2; n++) a.socket.send(half(4), { fin: false });
    const hasAll = (): boolean => [...core.clients].some(({ bytesReceived }) => bytesReceived > 12 * 2 ** 20);
    while (!hasAll()) await new Promise((resolve) => setImmediate(resolve));
    b.socket.send(half(3), { fin: false });
    a.socket.terminate();
    while (log.length < 4) await once(told, 'told');
    expect(log.slice(2)).toEqual(['WS_ERR_INCOMPLETE_MESSAGE', 'end']);
    b.socket.send(half(3));
    for (const client of [b, c]) {
      await client.until(5);
      const lengths = client.messages.slice(3).map((message) => [message.length, (message as Buffer)[0]]);
      expect(lengths).toContainEqual([2 * 2 ** 20, 3]);
      expect(lengths.some(([length, fill]) => fill === 4 && length! <= 2 * 2 ** 20)).toBe(true);
      expect(client.socket.readyState).toBe(client.socket.OPEN);
    }
  },
);
