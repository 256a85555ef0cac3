import { describe, expect, test } from '@jest/globals';
import { FakeClock } from '@ws/testing';
import { inflateRawSync } from 'node:zlib';
import { ZlibBackend } from '../src/node/backend.js';
import { zlibSettings } from '../src/node/zlib-options.js';
import { codec, decode, encode, json, PATHS } from './codec.js';

const IDLE_MS = 10_000;

/** A backend whose time stands still, and one step of that time: what was to happen by then, happens. */
function timed(options: Parameters<typeof zlibSettings>[0]): { backend: ZlibBackend; pass(ms: number): void } {
  const clock = new FakeClock();
  let timers: { at: number; act: () => void }[] = [];
  const after = (ms: number, act: () => void): void => void timers.push({ at: clock.now() + ms, act });
  const backend = new ZlibBackend(zlibSettings(options), { now: clock.now, after });
  const pass = (ms: number): void => {
    clock.advance(ms);
    const due = timers.filter(({ at }) => at <= clock.now());
    timers = timers.filter(({ at }) => at > clock.now());
    for (const { act } of due) act();
  };
  return { backend, pass };
}

describe.each(PATHS)('$path', ({ fastPath }) => {
  test('with takeover a second message is shorter, until the compressor was dropped for idleness', async () => {
    const { backend, pass } = timed({ fastPath, contextIdleTimeout: IDLE_MS });
    const end = codec({ backend });
    const peer = codec({ backend, role: 'client' });
    const lengths: number[] = [];
    for (const ms of [0, IDLE_MS - 1, IDLE_MS, 0]) {
      pass(ms);
      const [frame] = await encode(end, json(1000));
      lengths.push(frame!.payload.length);
      expect((await decode(peer, [frame!.payload])).bytes.equals(json(1000))).toBe(true);
    }
    const [fresh, again, dropped, third] = lengths as [number, number, number, number];
    expect(again).toBeLessThan(fresh / 4);
    expect(dropped).toBe(fresh);
    expect(third).toBe(again);
    expect(backend.contexts).toBe(1);
    pass(IDLE_MS - 1);
    expect(backend.contexts).toBe(1);
    pass(1);
    expect(backend.contexts).toBe(0);
  });

  test('the limit holds for all connections: the one that has rested longest loses, and nothing breaks', async () => {
    const { backend, pass } = timed({ fastPath, maxContexts: 3, contextIdleTimeout: IDLE_MS });
    const pairs = Array.from({ length: 10 }, () => [codec({ backend }), codec({ backend, role: 'client' })] as const);
    for (let round = 0; round < 3; round++) {
      for (const [end, peer] of pairs) {
        const [frame] = await encode(end, json(1000, round));
        expect((await decode(peer, [frame!.payload])).bytes.equals(json(1000, round))).toBe(true);
        expect(backend.contexts).toBeLessThanOrEqual(3);
        pass(1000);
      }
    }
    const [last, first] = [pairs[9]!, pairs[0]!];
    const lengthOf = async ([end]: (typeof pairs)[0]): Promise<number> =>
      (await encode(end, json(1000, 2)))[0]!.payload.length;
    expect(await lengthOf(last)).toBeLessThan((await lengthOf(first)) / 4);
    for (const [end] of pairs) end.close();
    backend.dropIdle();
    expect(backend.contexts).toBe(0);
  });

  test('with one connection too many nobody loses his in a hurry', async () => {
    const { backend } = timed({ fastPath, maxContexts: 3 });
    const ends = Array.from({ length: 4 }, () => codec({ backend }));
    const lengths: number[][] = [];
    for (let round = 0; round < 3; round++) {
      const frames = await Promise.all(ends.map((end) => encode(end, json(1000))));
      lengths.push(frames.map(([frame]) => frame!.payload.length));
    }
    const fresh = lengths[0]![3]!;
    for (const round of lengths.slice(1)) {
      expect(Math.max(...round.slice(0, 3))).toBeLessThan(fresh / 4);
      expect(round[3]).toBe(fresh);
    }
  });

  test('a compressor that zlib has given up is nobody’s any more', async () => {
    const { backend } = timed({ fastPath });
    const holder = {};
    const context = backend.deflater(holder, 15) as unknown as { close(): void };
    context.close();
    backend.rest(holder);
    expect(backend.contexts).toBe(0);
    const again = {};
    (backend.deflater(again, 15) as unknown as { close(): void }).close();
    backend.release(again);
    expect(backend.contexts).toBe(0);
  });

  test('a message in fragments keeps its compressor; who gets none sends as it is', async () => {
    const { backend, pass } = timed({ fastPath, maxContexts: 1, contextIdleTimeout: IDLE_MS });
    const parameters = { serverNoContextTakeover: true };
    const [holder, other] = [codec({ backend, parameters }), codec({ backend, parameters })];
    const text = json(1000);
    const parts: Uint8Array[] = [];
    const next = (end: typeof holder, part: Buffer, first: boolean, fin: boolean): Promise<number> =>
      new Promise((resolve, reject) => {
        end.encode(part, { opcode: 1, first, fin, compress: undefined }, (error, bytes, rsv) => {
          if (error) return reject(error);
          if (end === holder) parts.push(bytes);
          resolve(rsv);
        });
      });
    expect(await next(holder, text.subarray(0, 300), true, false)).toBe(4);
    pass(IDLE_MS);
    backend.dropIdle();
    expect(backend.contexts).toBe(1);
    expect(await next(other, text, true, false)).toBe(0);
    expect(await next(other, text, false, true)).toBe(0);
    expect(await next(other, text, true, true)).toBe(4); // a whole message needs none
    await next(holder, text.subarray(300), false, true);
    expect(inflateRawSync(Buffer.concat(parts), { finishFlush: 2 }).equals(text)).toBe(true);
    expect(await next(other, text, true, false)).toBe(4);
  });

  test('a connection that closes gives its compressor back, also one that is at work', async () => {
    const { backend } = timed({ fastPath });
    const end = codec({ backend });
    await encode(end, json(100));
    expect(backend.contexts).toBe(1);
    end.close();
    backend.dropIdle();
    expect(backend.contexts).toBe(0);
    const busy = codec({ backend });
    const large = encode(busy, json(100_000));
    busy.close();
    backend.dropIdle();
    expect(backend.contexts).toBe(1);
    expect((await large)[0]!.rsv).toBe(4);
    backend.dropIdle();
    expect(backend.contexts).toBe(0);
  });

  test('so many calls in the thread pool at the same time, and all of them end', async () => {
    const { backend } = timed({ fastPath, concurrencyLimit: 2, maxContexts: 1 });
    const ends = Array.from({ length: 12 }, () => codec({ backend, parameters: { serverNoContextTakeover: true } }));
    const frames = await Promise.all(ends.map((end, i) => encode(end, json(50_000, i))));
    for (const [i, [frame]] of frames.entries()) {
      expect(inflateRawSync(frame!.payload, { finishFlush: 2 }).equals(json(50_000, i))).toBe(true);
    }
  });
});

test.each([
  [{ zlibDeflateOptions: { level: 10 } }, RangeError, 'zlibDeflateOptions.level is 10'],
  [{ zlibDeflateOptions: { memLevel: 0 } }, RangeError, 'zlibDeflateOptions.memLevel is 0'],
  [{ zlibDeflateOptions: { strategy: 5 } }, RangeError, 'zlibDeflateOptions.strategy is 5'],
  [{ zlibDeflateOptions: null }, TypeError, 'zlibDeflateOptions is null'],
  [{ zlibInflateOptions: { chunkSize: 1 } }, RangeError, 'zlibInflateOptions.chunkSize is 1'],
  [{ concurrencyLimit: 0 }, RangeError, 'concurrencyLimit is 0'],
  [{ concurrencyLimit: '1' }, TypeError, 'concurrencyLimit is "1"'],
  [{ syncDeflateLimit: -1 }, RangeError, 'syncDeflateLimit is -1'],
  [{ maxContexts: 1.5 }, RangeError, 'maxContexts is 1.5'],
  [{ contextIdleTimeout: 2 ** 31 }, RangeError, 'contextIdleTimeout is 2147483648'],
  [{ fastPath: 1 }, TypeError, 'fastPath is 1'],
])('bad option %p', (options, type, message) => {
  expect(() => zlibSettings(options as object)).toThrow(type);
  expect(() => zlibSettings(options as object)).toThrow(message);
});
