import { describe, expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { constants, deflateRawSync } from 'node:zlib';
import { zlibBackend } from '../src/node/backend.js';
import { codec, decode, encode, json, noise, NO_TAKEOVER, PATHS } from './codec.js';
import { give, Reader } from './reader.js';

const compressed = (data: Uint8Array): Buffer =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** Some turns of the event loop: whoever does not go on for so long waits for something else. */
async function turns(count = 30): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

async function until(isDone: () => boolean): Promise<void> {
  for (let i = 0; !isDone(); i++) {
    if (i > 100_000) throw new Error('waited in vain');
    await turns(1);
  }
}

/** One message through a reader that never waits. */
async function stream(
  end: ReturnType<typeof codec>,
  pieces: readonly Uint8Array[],
): Promise<{ text: string; code: string | undefined }> {
  const reader = new Reader();
  for (const [i, piece] of pieces.entries()) {
    const error = await give(end, piece, reader, { first: i === 0, last: i === pieces.length - 1 }).answered;
    if (error) return { text: reader.bytes.toString(), code: error.code };
  }
  return { text: reader.bytes.toString(), code: undefined };
}

const BACKENDS = PATHS.flatMap(({ path, fastPath }) => [
  { name: path, backend: zlibBackend({ fastPath }) },
  { name: `${path}, thread pool`, backend: zlibBackend({ fastPath, syncInflateLimit: 0 }) },
]);

// RFC 7692 §7.2.3
const VECTORS = [
  { name: '§7.2.3.1 one block', wire: hex`f2 48 cd c9 c9 07 00`, text: 'Hello' },
  { name: '§7.2.3.3 a stored block', wire: hex`00 05 00 fa ff 48 65 6c 6c 6f 00`, text: 'Hello' },
  { name: '§7.2.3.4 a final block', wire: hex`f3 48 cd c9 c9 07 00 00`, text: 'Hello' },
  { name: '§7.2.3.5 two blocks', wire: hex`f2 48 05 00 00 00 ff ff ca c9 c9 07 00`, text: 'Hello' },
  { name: '§7.2.3.6 an empty message', wire: hex`00`, text: '' },
  { name: 'a tail left on', wire: hex`f2 48 cd c9 c9 07 00 00 00 ff ff`, text: 'Hello' },
  { name: 'two final blocks', wire: hex`f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00`, text: 'HelloHello' },
  { name: 'a block behind a final one', wire: hex`f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00`, text: 'HelloHello' },
];

describe.each(BACKENDS)('$name', ({ backend }) => {
  test.each(VECTORS)('$name, in every cut', async ({ wire, text }) => {
    for (const pieces of everySplit(wire)) {
      const end = codec({ backend, parameters: NO_TAKEOVER });
      expect(await stream(end, pieces.length > 0 ? pieces : [wire])).toEqual({ text, code: undefined });
      expect(await stream(end, [...pieces, hex``])).toEqual({ text, code: undefined });
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

  test('nothing comes while the reader is full, all of it when it is not', async () => {
    const data = json(1_000_000);
    const wire = compressed(data);
    const small = json(200_000);
    for (const [expected, pieces] of [
      [small, [compressed(small)]],
      [data, [wire]],
      [data, [wire.subarray(0, 3000), wire.subarray(3000, 50_000), wire.subarray(50_000)]],
    ] as const) {
      const end = codec({ backend });
      const reader = new Reader(20_000);
      for (const [i, piece] of pieces.entries()) {
        const decoding = give(end, piece, reader, { first: i === 0, last: i === pieces.length - 1 });
        while (decoding.error === undefined) {
          await until(() => reader.isAwaited || decoding.error !== undefined);
          const before = reader.untaken;
          expect(before).toBeLessThanOrEqual(20_000 + 65_536);
          if (decoding.error === undefined) {
            await turns();
            expect([reader.untaken, decoding.error, reader.isAwaited]).toEqual([before, undefined, true]);
          }
          reader.take();
          await turns(1);
        }
        expect(decoding.error).toBeNull();
      }
      expect(reader.mostAtOnce).toBe(1);
      expect(reader.largest).toBeLessThanOrEqual(65_536);
      expect(reader.bytes.equals(expected)).toBe(true);
    }
  });

  test('a reader that is full before it gets anything gets nothing', async () => {
    const end = codec({ backend });
    const reader = new Reader(-1);
    const decoding = give(end, compressed(json(500)), reader, { first: true, last: true });
    await turns();
    expect([reader.untaken, reader.isAwaited, decoding.error]).toEqual([0, true, undefined]);
    reader.wake(); // who calls back gets something, even if he is still full
    await until(() => reader.untaken > 0);
    reader.take();
    await until(() => decoding.error !== undefined || reader.isAwaited);
    reader.wake();
    expect(await decoding.answered).toBeNull();
    expect(reader.bytes.equals(json(500))).toBe(true);
  });

  test('who wants nothing any more, and calls back at once for ever, does not stop the loop', async () => {
    const end = codec({ backend });
    const reader = new Reader(-1);
    reader.whenRoom = (proceed) => proceed();
    expect(
      await give(end, compressed(Buffer.alloc(3_000_000)), reader, { first: true, last: true }).answered,
    ).toBeNull();
    expect(reader.untaken).toBe(3_000_000);
  });

  test('closed while a reader is full: it is answered, and nothing more comes', async () => {
    const end = codec({ backend });
    const reader = new Reader(1000);
    const decoding = give(end, compressed(Buffer.alloc(1_000_000)), reader, { first: true, last: true });
    await until(() => reader.isAwaited);
    const before = reader.untaken;
    end.close();
    end.close();
    expect(await decoding.answered).toBeNull();
    reader.take();
    await turns();
    expect([reader.untaken, reader.bytes.length]).toEqual([0, before]);
  });

  test('closed while a part is given: the same', async () => {
    const end = codec({ backend });
    const reader = new Reader();
    const parts: number[] = [];
    const answer = await new Promise((resolve) => {
      const output = (part: Uint8Array): void => {
        parts.push(part.length);
        end.close();
      };
      const piece = { first: true, last: false, remaining: Infinity, flow: reader };
      end.decode(compressed(Buffer.alloc(1_000_000)), piece, output, resolve);
    });
    await turns();
    expect([answer, parts.length]).toEqual([null, 1]);
  });

  test('a message that is dropped for a new one leaves nothing behind', async () => {
    const end = codec({ backend, parameters: NO_TAKEOVER });
    const wire = compressed(json(500));
    await give(end, wire.subarray(0, 40), new Reader(), { first: true }).answered;
    expect((await stream(end, [wire.subarray(0, 9), wire.subarray(9)])).text).toBe(json(500).toString());
    expect((await decode(end, [wire])).bytes.equals(json(500))).toBe(true);
  });
});

test.each(PATHS)('$path: who waits for room takes no place in the thread pool', async ({ fastPath }) => {
  const backend = zlibBackend({ fastPath, syncInflateLimit: 0, concurrencyLimit: 1 });
  const wire = compressed(Buffer.alloc(2_000_000));
  const slow = Array.from({ length: 4 }, () => {
    const reader = new Reader(1000);
    return { reader, decoding: give(codec({ backend }), wire, reader, { first: true, last: true }) };
  });
  await until(() => slow.every(({ reader }) => reader.isAwaited));
  const { bytes } = await decode(codec({ backend }), [compressed(json(200_000))]);
  expect(bytes.equals(json(200_000))).toBe(true);
  const working = give(codec({ backend }), wire, new Reader(), { first: true, last: true });
  const gone = codec({ backend });
  const never = new Reader();
  const queued = give(gone, wire, never, { first: true, last: true });
  gone.close();
  expect([await working.answered, await queued.answered, never.untaken]).toEqual([null, null, 0]);
  for (const { reader, decoding } of slow) {
    while (decoding.error === undefined) {
      reader.take();
      await turns(1);
    }
    expect([decoding.error, reader.bytes.length]).toEqual([null, 2_000_000]);
  }
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

test.each(PATHS)(
  '$path: a bomb whose reader stops again and again costs 128 KiB beside what he has',
  ({ fastPath }) => {
    const script = fileURLToPath(new URL('streamed-bomb-memory.mjs', import.meta.url));
    const printed = execFileSync(process.execPath, ['--expose-gc', script, String(fastPath), '100000000']).toString();
    const { readMiB, stalls, overKiB, leftKiB } = JSON.parse(printed) as Record<string, number>;
    expect(readMiB).toBeGreaterThanOrEqual(95);
    expect(stalls).toBeGreaterThan(1000);
    expect(overKiB).toBeLessThan(128);
    expect(overKiB).toBeGreaterThan(-64); // else something else was measured
    expect(leftKiB).toBeLessThan(192);
  },
);
