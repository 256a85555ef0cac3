import { createPair, PreparedMessage } from '@ws/connection';
import { describe, expect, test } from '@jest/globals';
import type { Backend } from '../src/backend.js';
import { zlibBackend } from '../src/node/backend.js';
import { PerMessageDeflate } from '../src/permessage-deflate.js';
import { altered, codec, decode, encode, json, noise, NO_TAKEOVER, PATHS } from './codec.js';

/** Counts what is compressed. */
function counting(backend: Backend): { backend: Backend; count(): number } {
  let count = 0;
  const deflateSync: Backend['deflateSync'] = (data, bits) => (count++, backend.deflateSync(data, bits));
  return { backend: altered({ deflateSync }, backend), count: () => count };
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

describe.each(PATHS)('why the own context has to be reset behind a shared message, $path', ({ fastPath }) => {
  async function session(backend: Backend): Promise<{ sent: Buffer[]; got: Buffer[]; errors: unknown[] }> {
    const [end, peer] = [codec({ backend }), codec({ backend, role: 'client' })];
    const sent = [json(500), json(300, 70), json(500)];
    const got: Buffer[] = [];
    const errors: unknown[] = [];
    for (const [i, payload] of sent.entries()) {
      const [frame] = await encode(end, payload, i === 1 ? { prepared: new Map<unknown, unknown>() } : {});
      expect(frame!.rsv).toBe(4);
      const { bytes, error } = await decode(peer, [frame!.payload]);
      got.push(bytes);
      errors.push(error);
    }
    return { sent, got, errors };
  }

  test('with the reset, all are right', async () => {
    const { sent, got } = await session(zlibBackend({ fastPath }));
    expect(got).toEqual(sent);
  });

  test('without it, the next message is other bytes, and there is no error', async () => {
    const backend = zlibBackend({ fastPath });
    const { sent, got, errors } = await session(altered({ release: (holder) => backend.rest(holder) }, backend));
    expect(got.slice(0, 2)).toEqual(sent.slice(0, 2));
    expect(errors).toEqual([null, null, null]);
    expect(got[2]!.length).toBe(500);
    expect(got[2]).not.toEqual(sent[2]);
  });
});
