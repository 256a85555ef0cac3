import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { zlibBackend } from '../src/node/backend.js';
import { codec, decode, json, PATHS } from './codec.js';
import { BACKENDS, compressed, give, Reader, turns, until } from './reader.js';

describe.each(BACKENDS)('$name', ({ backend }) => {
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

test.each(PATHS)('$path: who fails while he waits for a place gives it back', async ({ fastPath }) => {
  const backend = zlibBackend({ fastPath, syncInflateLimit: 0, concurrencyLimit: 1 });
  // The fault comes while he has a part, and before his next turn.
  const broken = Buffer.concat([compressed(Buffer.alloc(20_000)), Buffer.from('000000ffff06', 'hex')]);
  const reader = new Reader(-1);
  reader.whenRoom = (proceed) => proceed();
  const other = new Reader();
  const failing = give(codec({ backend }), broken, reader, { first: true, last: true });
  const working = give(codec({ backend }), compressed(Buffer.alloc(20_000_000)), other, { first: true, last: true });
  expect((await failing.answered)?.code).toBe('WS_ERR_INVALID_DEFLATE_DATA');
  expect([await working.answered, other.untaken]).toEqual([null, 20_000_000]);
  expect((await decode(codec({ backend }), [compressed(json(5000))])).error).toBeNull();
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
