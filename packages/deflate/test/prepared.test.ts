import { createPair, PreparedMessage } from '@ws/connection';
import { describe, expect, test } from '@jest/globals';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw } from 'node:zlib';
import type { Backend } from '../src/backend.js';
import { zlibBackend } from '../src/node/backend.js';
import { PerMessageDeflate } from '../src/permessage-deflate.js';
import { codec, decode, encode, json, noise, NO_TAKEOVER, PATHS } from './codec.js';

/** Counts what is compressed. */
function counting(backend: Backend): { backend: Backend; count(): number } {
  let count = 0;
  return {
    count: () => count,
    backend: {
      syncInflateLimit: backend.syncInflateLimit,
      deflateSync: (data, bits) => (count++, backend.deflateSync(data, bits)),
      deflate: (data, bits, done) => backend.deflate(data, bits, done),
      deflater: (holder, bits) => backend.deflater(holder, bits),
      rest: (holder) => backend.rest(holder),
      release: (holder) => backend.release(holder),
      inflateSync: (data, window, limit) => backend.inflateSync(data, window, limit),
      inflater: (window) => backend.inflater(window),
    },
  };
}

describe.each(PATHS)('$path', ({ fastPath }) => {
  test.each([1000, 100_000])('%i bytes: compressed once for each window, whoever gets it', async (size) => {
    const { backend, count } = counting(zlibBackend({ fastPath }));
    const parameters = [NO_TAKEOVER, {}, { serverMaxWindowBits: 10 }, { ...NO_TAKEOVER, serverMaxWindowBits: 10 }];
    const ends = parameters.flatMap((agreed) => [
      codec({ backend, parameters: agreed }),
      codec({ backend, parameters: agreed }),
    ]);
    const prepared = new Map<unknown, unknown>();
    const frames = await Promise.all(ends.map((end) => encode(end, json(size), { prepared })));
    expect(count()).toBe(2);
    expect(new Set(frames.map(([frame]) => frame!.payload)).size).toBe(2);
    expect(frames.every(([frame]) => frame!.rsv === 4)).toBe(true);
    for (const [frame] of frames) expect((await decode(codec(), [frame!.payload])).bytes.equals(json(size))).toBe(true);
  });

  test('what does not shrink is sent as it is, and tried once', async () => {
    const { backend, count } = counting(zlibBackend({ fastPath }));
    const prepared = new Map<unknown, unknown>();
    const payload = noise(1000);
    for (let i = 0; i < 5; i++)
      expect(await encode(codec({ backend }), payload, { prepared })).toEqual([{ payload, rsv: 0 }]);
    expect(count()).toBe(1);
  });

  test('compress: false and the threshold hold for each connection', async () => {
    const prepared = new Map<unknown, unknown>();
    const [plain] = await encode(codec({ fastPath }), json(500), { prepared, compress: false });
    const [small] = await encode(codec({ fastPath, threshold: 501, thresholdMode: 'always' }), json(500), { prepared });
    const [frame] = await encode(codec({ fastPath }), json(500), { prepared });
    expect([plain!.rsv, small!.rsv, frame!.rsv]).toEqual([0, 0, 4]);
  });

  test('between messages of connections with context takeover, all come right', async () => {
    const backend = zlibBackend({ fastPath });
    const extensions = (role: 'server' | 'client'): PerMessageDeflate[] => [
      new PerMessageDeflate({ role, backend, threshold: 0 }),
    ];
    const pairs = Array.from({ length: 4 }, () => createPair({ extensions }));
    const sent: string[] = [];
    const got = pairs.map(() => [] as string[]);
    for (const [i, { client }] of pairs.entries()) client.on('message', (data) => got[i]!.push(data.toString()));
    for (let round = 0; round < 6; round++) {
      const message = new PreparedMessage(json(round === 3 ? 50_000 : 700, round).toString());
      const own = json(900, round).toString();
      for (const { server } of pairs) {
        server.send(message);
        server.send(own);
      }
      sent.push(json(round === 3 ? 50_000 : 700, round).toString(), own);
    }
    for (const { server } of pairs) server.close();
    await Promise.all(pairs.map(({ client }) => client.closed));
    for (const messages of got) expect(messages).toEqual(sent);
  });
});

// Why the connection's own context has to be reset: the same by hand, with zlib alone.
describe('a message from elsewhere in a session with context takeover', () => {
  const flush = constants.Z_SYNC_FLUSH;

  const write = (stream: DeflateRaw, data: Buffer): Promise<Buffer> =>
    new Promise((resolve) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.write(data, () => {
        stream.removeAllListeners('data');
        resolve(Buffer.concat(parts));
      });
    });

  async function session(resets: boolean): Promise<string[]> {
    const own = createDeflateRaw({ flush });
    const foreign = createDeflateRaw({ flush });
    const peer = createInflateRaw({ flush });
    const wire = [await write(own, json(500)), await write(foreign, noise(300, 3))];
    if (resets) own.reset();
    wire.push(await write(own, json(500)));
    const read: string[] = [];
    for (const message of wire) read.push((await write(peer as unknown as DeflateRaw, message)).toString('latin1'));
    return read;
  }

  const expected = [json(500), noise(300, 3), json(500)].map((bytes) => bytes.toString('latin1'));

  test('without the reset the next message is other bytes, with no error', async () => {
    const [first, second, third] = await session(false);
    expect([first, second]).toEqual(expected.slice(0, 2));
    expect(third!.length).toBe(500);
    expect(third).not.toBe(expected[2]);
  });

  test('with it, all are right', async () => {
    expect(await session(true)).toEqual(expected);
  });
});
