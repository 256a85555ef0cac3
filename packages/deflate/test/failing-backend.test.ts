import { createPair, PreparedMessage } from '@ws/connection';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from '@jest/globals';
import type { Backend } from '../src/backend.js';
import { zlibBackend } from '../src/node/backend.js';
import { PerMessageDeflate } from '../src/permessage-deflate.js';
import { altered, codec, encode, json, PATHS } from './codec.js';

const broken = (): never => {
  throw new Error('out of memory');
};

test('what cannot be compressed goes as it is', async () => {
  const fails = altered({
    deflateSync: broken,
    deflate: (data, _bits, done) => done(new Error('out of memory'), data),
    deflater: () => ({ deflateSync: broken, deflate: broken }),
  });
  for (const serverNoContextTakeover of [true, false]) {
    const end = codec({ backend: fails, parameters: { serverNoContextTakeover } });
    expect(await encode(end, json(500))).toEqual([{ payload: json(500), rsv: 0 }]);
  }
  const late = altered({ deflateSync: () => undefined, deflate: fails.deflate });
  const prepared = new Map<unknown, unknown>();
  for (let i = 0; i < 3; i++) {
    const end = codec({ backend: late, parameters: { serverNoContextTakeover: true } });
    expect(await encode(end, json(500), { prepared })).toEqual([{ payload: json(500), rsv: 0 }]);
  }
});

test('a prepared message that cannot be compressed holds nobody up', async () => {
  const extensions = (role: 'server' | 'client'): PerMessageDeflate[] => [
    new PerMessageDeflate({ role, backend: altered({ deflateSync: broken }), threshold: 0 }),
  ];
  const message = new PreparedMessage(json(1000));
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      const { client, server } = createPair({ extensions });
      const arrived = new Promise((resolve) => client.once('message', resolve));
      server.send(message);
      expect(await arrived).toEqual(json(1000));
      client.terminate();
    }),
  );
});

test('in the middle of a message it is the end of the connection', async () => {
  let calls = 0;
  const good = zlibBackend();
  const deflater: Backend['deflater'] = (holder, bits) => {
    const own = good.deflater(holder, bits)!;
    return { deflateSync: (data) => (calls++ > 0 ? broken() : own.deflateSync(data)), deflate: broken };
  };
  const end = codec({ backend: altered({ deflater }) });
  const fragments = [json(500), json(500, 3)];
  await expect(encode(end, json(1000), { fragments })).rejects.toMatchObject({
    code: 'WS_ERR_DEFLATE_FAILED',
    closeCode: 1011,
  });
  expect(await encode(codec(), json(500))).toMatchObject([{ rsv: 4 }]);
});

describe.each(PATHS)('a connection that is gone, $path', ({ fastPath }) => {
  test('touches no compressor that is somebody else’s by now', async () => {
    const backend = zlibBackend({ fastPath, maxContexts: 1 });
    const [gone, other] = [codec({ backend }), codec({ backend })];
    const send = (end: PerMessageDeflate, part: Buffer, first: boolean, fin: boolean): Promise<[Uint8Array, number]> =>
      new Promise((resolve, reject) => {
        end.encode(part, { opcode: 1, first, fin, compress: undefined }, (error, bytes, rsv) =>
          error ? reject(error) : resolve([bytes, rsv]),
        );
      });
    await send(gone, json(300), true, false);
    gone.close();
    const expected = await encode(codec({ fastPath }), json(300, 5));
    const [first] = await send(other, json(300, 5), true, true);
    expect(Buffer.from(first)).toEqual(Buffer.from(expected[0]!.payload));
    expect(await send(gone, json(300), false, false)).toEqual([json(300), 0]);
    expect(await send(gone, json(300), true, true)).toEqual([json(300), 0]);
    const [second] = await send(other, json(300, 5), true, true);
    expect(second.length).toBeLessThan(first.length / 4);
    other.close();
  });
});

test('messages come in the AsyncLocalStorage of their own connection, also out of the thread pool', async () => {
  const storage = new AsyncLocalStorage<number>();
  const backend = zlibBackend({ concurrencyLimit: 1, syncInflateLimit: 0, syncDeflateLimit: 0, maxContexts: 2 });
  const extensions = (role: 'server' | 'client'): PerMessageDeflate[] => [
    new PerMessageDeflate({ role, backend, threshold: 0 }),
  ];
  const seen: unknown[] = [];
  await Promise.all(
    Array.from({ length: 6 }, (_, which) =>
      storage.run(which, async () => {
        const { client, server } = createPair({ extensions });
        server.on('message', () => {
          seen.push(storage.getStore() === which);
          if (seen.length % 3 === 0) server.send('ok');
        });
        for (let i = 0; i < 3; i++) client.send(json(50_000, which + i));
        client.close();
        await server.closed;
      }),
    ),
  );
  expect(seen).toEqual(Array.from({ length: 18 }, () => true));
});
