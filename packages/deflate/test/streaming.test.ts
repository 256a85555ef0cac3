import { describe, expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import { AsyncLocalStorage } from 'node:async_hooks';
import { zlibBackend } from '../src/node/backend.js';
import { codec, decode, encode, json, noise, NO_TAKEOVER } from './codec.js';
import { BACKENDS, compressed, give, Reader, turns } from './reader.js';

/** One message, to a reader who takes what is there in the next turn, or never has to. */
async function stream(
  end: ReturnType<typeof codec>,
  pieces: readonly Uint8Array[],
  capacity = Infinity,
): Promise<{ text: string; code: string | undefined }> {
  const reader = new Reader(capacity);
  for (const [i, piece] of pieces.entries()) {
    const decoding = give(end, piece, reader, { first: i === 0, last: i === pieces.length - 1 });
    while (decoding.error === undefined) {
      await turns(1);
      reader.take();
    }
    const error = await decoding.answered;
    if (error) return { text: reader.bytes.toString(), code: error.code };
  }
  return { text: reader.bytes.toString(), code: undefined };
}

// RFC 7692 §7.2.3
const VECTORS = [
  { name: '§7.2.3.1 one block', wire: hex`f2 48 cd c9 c9 07 00`, text: 'Hello' },
  { name: '§7.2.3.3 a stored block', wire: hex`00 05 00 fa ff 48 65 6c 6c 6f 00`, text: 'Hello' },
  { name: '§7.2.3.4 a final block', wire: hex`f3 48 cd c9 c9 07 00 00`, text: 'Hello' },
  { name: '§7.2.3.5 two blocks', wire: hex`f2 48 05 00 00 00 ff ff ca c9 c9 07 00`, text: 'Hello' },
  { name: '§7.2.3.6 an empty message', wire: hex`00`, text: '' },
  { name: 'nothing at all', wire: hex``, text: '' },
  { name: 'a tail left on', wire: hex`f2 48 cd c9 c9 07 00 00 00 ff ff`, text: 'Hello' },
  {
    name: 'an empty final block, of which the tail is left off',
    wire: hex`f2 48 cd c9 c9 07 00 00 00 ff ff 01`,
    text: 'Hello',
  },
  { name: 'two final blocks', wire: hex`f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00`, text: 'HelloHello' },
  { name: 'a block behind a final one', wire: hex`f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00`, text: 'HelloHello' },
];

describe.each(BACKENDS)('$name', ({ backend }) => {
  test.each(VECTORS)('$name, in every cut', async ({ wire, text }) => {
    for (const pieces of everySplit(wire)) {
      const end = codec({ backend, parameters: NO_TAKEOVER });
      for (const capacity of [Infinity, 0, -1]) {
        expect(await stream(end, pieces.length > 0 ? pieces : [wire], capacity)).toEqual({ text, code: undefined });
        expect(await stream(end, [...pieces, hex``], capacity)).toEqual({ text, code: undefined });
        expect(await stream(end, [hex``, ...pieces, hex``], capacity)).toEqual({ text, code: undefined });
      }
    }
  });

  test('behind a final block the window goes on, but only where messages share one', async () => {
    const wire = hex`f3 48 cd c9 c9 07 00 f2 00 11 00 00`;
    for (const pieces of everySplit(wire)) {
      expect((await stream(codec({ backend }), pieces)).text).toBe('HelloHello');
      const { code } = await stream(codec({ backend, parameters: NO_TAKEOVER }), pieces);
      expect(code).toBe('WS_ERR_INVALID_DEFLATE_DATA');
    }
  });

  test.each([
    { name: 'reserved block type', wire: hex`06` },
    { name: 'no such distance', wire: hex`f2 00 11 00 00` },
    { name: 'half a stored block', wire: hex`00 0a 00 f5 ff 48 65 6c 6c 6f` },
    { name: 'half a block with fixed codes', wire: hex`f2 48 cd c9` },
    { name: 'a good block, and half another', wire: hex`00 05 00 fa ff 48 65 6c 6c 6f 00 64 00 9b ff 48` },
    { name: 'garbage behind a final block', wire: hex`f3 48 cd c9 c9 07 00 06 00 00 00 00` },
  ])('corrupt: $name; the next message is not harmed', async ({ wire }) => {
    for (const pieces of [[wire], Array.from(wire, (byte) => Uint8Array.of(byte))]) {
      const end = codec({ backend, parameters: NO_TAKEOVER });
      expect((await stream(end, pieces)).code).toBe('WS_ERR_INVALID_DEFLATE_DATA');
      expect(await stream(end, [compressed(json(500))])).toEqual({ text: json(500).toString(), code: undefined });
    }
  });

  test('so many final blocks are taken and no more', async () => {
    const final = Buffer.from('f348cdc9c90700', 'hex');
    for (const [count, code] of [
      [64, undefined],
      [65, 'WS_ERR_INVALID_DEFLATE_DATA'],
    ] as const) {
      const wire = Buffer.concat([...Array.from({ length: count }, () => final), Buffer.from([0])]);
      for (const at of [100, 1, 7]) {
        expect((await stream(codec({ backend }), [wire.subarray(0, at), wire.subarray(at)])).code).toBe(code);
      }
    }
  });

  test('each fragment comes out when it is in, however small it is', async () => {
    const end = codec({ backend });
    const peer = codec({ backend, role: 'client' });
    const fragments = [json(10), json(3), json(5000, 2), noise(100), Buffer.alloc(0), json(40_000), json(1)];
    const frames = await encode(end, Buffer.alloc(0), { fragments });
    const reader = new Reader();
    let sent = Buffer.alloc(0);
    for (const [i, { payload }] of frames.entries()) {
      const last = i === frames.length - 1;
      expect(await give(peer, payload, reader, { first: i === 0, last }).answered).toBeNull();
      sent = Buffer.concat([sent, fragments[i]!]);
      expect(reader.bytes.equals(sent)).toBe(true);
    }
  });

  test('maxPayload and maxRatio hold as ever', async () => {
    for (const size of [1, 1000, 65_536, 65_537, 1_000_000]) {
      const wire = compressed(Buffer.alloc(size, 'x'));
      for (const [limit, code] of [
        [size, undefined],
        [size - 1, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
      ] as const) {
        for (const at of [0, 1, wire.length - 1]) {
          const [end, reader] = [codec({ backend }), new Reader()];
          const early = await give(end, wire.subarray(0, at), reader, { first: true, remaining: limit }).answered;
          const remaining = limit - reader.untaken;
          const late = early ?? (await give(end, wire.subarray(at), reader, { last: true, remaining }).answered);
          expect(late?.code).toBe(code);
          if (late) expect(late.message).toContain(`more than ${limit} bytes`);
          expect(reader.untaken).toBeLessThanOrEqual(limit);
        }
      }
    }
    const wire = compressed(Buffer.alloc(200_000));
    const end = codec({ backend, maxRatio: 100 });
    const over = give(end, wire, new Reader(), { first: true, last: true, length: wire.length });
    expect((await over.answered)?.code).toBe('WS_ERR_INFLATION_RATIO');
  });

  test('a message that is dropped for a new one leaves nothing behind', async () => {
    const end = codec({ backend, parameters: NO_TAKEOVER });
    const wire = compressed(json(500));
    await give(end, wire.subarray(0, 40), new Reader(), { first: true }).answered;
    expect((await stream(end, [wire.subarray(0, 9), wire.subarray(9)])).text).toBe(json(500).toString());
    expect((await decode(end, [wire])).bytes.equals(json(500))).toBe(true);
  });
});

test('small pieces are decompressed at once; of what is large or becomes so, only so much in one turn', async () => {
  const backend = zlibBackend();
  const end = codec({ backend });
  const data = json(100_000);
  const wire = compressed(data);
  const reader = new Reader();
  for (let at = 0; at < wire.length; at += 50) {
    const last = at + 50 >= wire.length;
    expect(give(end, wire.subarray(at, at + 50), reader, { first: at === 0, last }).error).toBeNull();
  }
  expect(reader.bytes.equals(data)).toBe(true);
  await turns(1);
  const bomb = new Reader();
  const decoding = give(end, compressed(Buffer.alloc(10_000_000)), bomb, { first: true });
  expect(decoding.error).toBeUndefined();
  expect(bomb.untaken).toBeGreaterThan(65_535);
  expect(bomb.untaken).toBeLessThanOrEqual(3 * 65_536);
  await decoding.answered;
  expect(bomb.untaken).toBe(10_000_000);
});

test('decompressors are used again, behind whatever came before, and in the context of their connection', async () => {
  const backend = zlibBackend({ syncInflateLimit: 1000 });
  const storage = new AsyncLocalStorage<number>();
  await Promise.all(
    Array.from({ length: 12 }, (_, which) =>
      storage.run(which, async () => {
        const end = codec({ backend, parameters: which % 2 === 0 ? NO_TAKEOVER : {} });
        for (const size of [200, 5000, 40_000, 300]) {
          const data = json(size, which);
          const wire = compressed(data);
          const reader = new Reader(which % 3 === 0 ? 0 : Infinity);
          const contexts = new Set<unknown>();
          // The middle is for the thread pool.
          for (const [from, to] of [
            [0, 20],
            [20, wire.length - 10],
            [wire.length - 10, wire.length],
          ] as const) {
            const piece = { first: from === 0, last: to === wire.length, remaining: Infinity, flow: reader };
            const answer = new Promise((resolve) => {
              const output = (part: Uint8Array): void => {
                contexts.add(storage.getStore());
                reader.output(part);
                setImmediate(() => reader.take());
              };
              const done = (error: Error | null): void => {
                contexts.add(storage.getStore());
                resolve(error);
              };
              end.decode(wire.subarray(from, to), piece, output, done);
            });
            storage.exit(() => setTimeout(() => reader.take()).unref());
            expect(await answer).toBeNull();
          }
          expect([reader.bytes.equals(data), [...contexts]]).toStrictEqual([true, [which]]);
        }
        // Corrupt, or left alone: neither is seen in what comes next.
        const left = which % 2 === 0 ? Buffer.from('f206', 'hex') : compressed(json(900)).subarray(0, 100);
        await give(end, left, new Reader(), { first: true }).answered;
        end.close();
      }),
    ),
  );
  backend.dropIdle();
});
