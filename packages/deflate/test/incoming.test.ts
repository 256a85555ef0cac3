import { createPair, type ConnectionOptions, type Incoming, type WebSocket } from '@ws/connection';
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { zlibBackend } from '../src/node/backend.js';
import { PerMessageDeflate } from '../src/permessage-deflate.js';
import { json, noise, PATHS } from './codec.js';

const HIGH_WATER_MARK = 20_000;
/** Output of a compressed message comes in parts of at most so much. */
const PART_BYTES = 65_536;

const turns = async (count = 50): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe.each(PATHS)('messages as streams, compressed; $path', ({ fastPath }) => {
  const backend = zlibBackend({ fastPath });
  const parameters = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };
  /** Two ends, and the messages that the server has been told of. */
  function pair(options: ConnectionOptions = {}): { client: WebSocket; server: WebSocket; messages: Incoming[] } {
    const { client, server } = createPair({
      extensions: (role) => [new PerMessageDeflate({ role, parameters, backend, threshold: 0 })],
      incoming: 'stream',
      highWaterMark: HIGH_WATER_MARK,
      ...options,
    });
    const messages: Incoming[] = [];
    server.on('incoming', (message) => messages.push(message));
    return { client, server, messages };
  }
  const end = async (...sockets: WebSocket[]): Promise<void> => {
    for (const socket of sockets) socket.terminate();
    for (const socket of sockets) await socket.closed;
  };
  const next = async (server: WebSocket): Promise<Incoming> => (await once(server, 'incoming'))[0] as Incoming;

  test('a message that nobody reads is inflated up to the high-water mark, and no further', async () => {
    const { client, server } = pair();
    const bomb = Buffer.alloc(8 * 1_048_576, 'ab');
    client.send(bomb, { compress: true }); // 8 KiB on the wire
    const first = await next(server);
    expect([first.compressed, first.length]).toEqual([true, undefined]);
    while (first.readableLength < HIGH_WATER_MARK) await turns(1); // some of it is done in the thread pool
    await turns();
    expect(first.readableLength).toBeLessThanOrEqual(HIGH_WATER_MARK + PART_BYTES);
    let most = 0;
    const read: Buffer[] = [];
    for await (const chunk of first) {
      most = Math.max(most, chunk.length + first.readableLength);
      read.push(chunk);
      if (read.length % 20 === 0) await turns(2);
    }
    expect(Buffer.concat(read).equals(bomb)).toBe(true);
    expect(most).toBeLessThanOrEqual(HIGH_WATER_MARK + 2 * PART_BYTES);
    await end(client, server);
  });

  test('what is discarded leaves the window as it must be for the next message', async () => {
    const { client, server, messages } = pair();
    const contents = [
      json(90_000, 1),
      json(90_000, 1),
      noise(5000, 2),
      noise(5000, 2),
      json(300_000, 3),
      json(300_000, 3),
    ];
    for (const content of contents) client.send(content, { compress: true });
    const got: (Buffer | undefined)[] = [];
    for (let i = 0; i < contents.length; i++) {
      while (messages[i] === undefined) await turns(1);
      const message = messages[i]!;
      if (i === 0) message.discard();
      else if (i === 2 || i === 4) {
        await once(message, 'readable');
        message.destroy();
      }
      got.push(i % 2 === 0 ? undefined : await message.buffer());
    }
    expect(got.map((bytes, i) => bytes?.equals(contents[i]!))).toEqual(
      contents.map((_, i) => (i % 2 ? true : undefined)),
    );
    await end(client, server);
  });

  test('a message that nobody listens for is dropped, and the one after it is right', async () => {
    const { client, server, messages } = pair();
    server.removeAllListeners('incoming');
    client.send(json(90_000, 1), { compress: true });
    client.ping();
    await once(server, 'ping');
    server.on('incoming', (message) => messages.push(message));
    client.send(json(90_000, 1), { compress: true });
    expect((await (await next(server)).buffer()).equals(json(90_000, 1))).toBe(true);
    await end(client, server);
  });

  test('cut while a reader waits, and while nobody reads: the message fails, the connection ends', async () => {
    for (const reads of [true, false]) {
      const { client, server } = pair();
      client.send(Buffer.alloc(1_048_576), { compress: true, fin: false });
      const message = await next(server);
      const failed = once(message, 'close').then(undefined, (error: unknown) => error);
      if (reads) message.resume();
      await turns(reads ? 50 : 5);
      client.terminate();
      expect((await server.closed).code).toBe(1006);
      expect(await failed).toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
      await client.closed;
    }
  });

  test('too large once inflated: the message fails with that, after what came before', async () => {
    const { client, server } = pair({ maxPayload: 100_000 });
    client.send(Buffer.alloc(200_000), { compress: true });
    const message = await next(server);
    await expect(message.buffer()).rejects.toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
    expect((await client.closed).code).toBe(1009);
    await server.closed;
  });

  test('auto goes by the bytes on the wire', async () => {
    const { client, server, messages } = pair({ incoming: 'auto', streamThreshold: 1000 });
    client.send(Buffer.alloc(100_000), { compress: true });
    const [whole] = (await once(server, 'message')) as [Buffer];
    expect([whole.length, messages.length]).toEqual([100_000, 0]);
    client.send(noise(1100, 1), { compress: true });
    expect((await (await next(server)).buffer()).equals(noise(1100, 1))).toBe(true);
    await end(client, server);
  });
});
