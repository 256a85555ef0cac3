import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { constants, deflateRawSync } from 'node:zlib';
import { zlibBackend } from '../src/node/backend.js';
import { codec, decode, json, noise, PATHS } from './codec.js';

const compressed = (data: Uint8Array): Buffer =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

const cutInto = (wire: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(wire.length / size) }, (_, i) => wire.subarray(i * size, (i + 1) * size));

/** Small ones at once, large ones by the thread pool; and all by the thread pool. */
const BACKENDS = PATHS.flatMap(({ path, fastPath }) => [
  { name: path, backend: zlibBackend({ fastPath }) },
  { name: `${path}, thread pool`, backend: zlibBackend({ fastPath, syncInflateLimit: 0 }) },
]);

describe.each(BACKENDS)('$name', ({ backend }) => {
  test.each([1, 1000, 262_144, 262_145, 1_000_000])(
    'exactly maxPayload (%i) is a message, one byte more an error',
    async (size) => {
      const exact = await decode(codec({ backend }), [compressed(Buffer.alloc(size, 'x'))], size);
      expect([exact.bytes.length, exact.error]).toEqual([size, null]);
      const { error, bytes } = await decode(codec({ backend }), [compressed(Buffer.alloc(size + 1, 'x'))], size);
      expect(error).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', closeCode: 1009 });
      expect(bytes.length).toBeLessThanOrEqual(size);
    },
  );

  test('the sum of the fragments counts', async () => {
    const wire = compressed(json(3000));
    const pieces = [wire.subarray(0, 100), wire.subarray(100, 200), wire.subarray(200)];
    expect((await decode(codec({ backend }), pieces, 3000)).error).toBeNull();
    expect((await decode(codec({ backend }), pieces, 2999)).error?.code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
  });

  test('a bomb of 1 MiB that would become 1 GiB ends at the limit', async () => {
    const bomb = compressed(Buffer.alloc(64 << 20));
    const wire = Buffer.concat(
      Array.from({ length: 16 }, () => Buffer.concat([bomb, Buffer.from([0, 0, 0xff, 0xff])])),
    );
    const pieces = Array.from({ length: Math.ceil(wire.length / 65_536) }, (_, i) =>
      wire.subarray(i << 16, (i + 1) << 16),
    );
    const { error, bytes } = await decode(codec({ backend }), pieces, 1 << 20);
    expect(error).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', closeCode: 1009 });
    expect(bytes.length).toBeLessThanOrEqual(1 << 20);
  });

  test('maxRatio: more output than that for each byte received is an error', async () => {
    const wire = compressed(Buffer.alloc(100_000));
    const ratio = 100_000 / wire.length;
    const pieces = [[wire], [wire.subarray(0, 50), wire.subarray(50)]];
    for (const cut of pieces) {
      expect((await decode(codec({ backend, maxRatio: Math.ceil(ratio) }), cut)).error).toBeNull();
      const { error } = await decode(codec({ backend, maxRatio: ratio / 2 }), cut);
      expect(error).toMatchObject({ code: 'WS_ERR_INFLATION_RATIO', closeCode: 1009 });
    }
    const { error } = await decode(codec({ backend, maxRatio: ratio * 2 }), [wire], 1000);
    expect(error?.code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
  });

  test('so many final blocks are taken and no more, wherever they are cut', async () => {
    const final = Buffer.from('f348cdc9c90700', 'hex');
    for (const [count, code] of [
      [64, undefined],
      [65, 'WS_ERR_INVALID_DEFLATE_DATA'],
    ] as const) {
      const wire = Buffer.concat([...Array.from({ length: count }, () => final), Buffer.from([0])]);
      for (const size of [wire.length, 100, 7]) {
        const { bytes, error } = await decode(codec({ backend }), cutInto(wire, size));
        expect(error?.code).toBe(code);
        if (code === undefined) expect(bytes.toString()).toBe('Hello'.repeat(count));
      }
    }
  });

  test('whether a message has too much for its size does not depend on the cuts', async () => {
    // All of the gain is at its beginning.
    const wire = compressed(Buffer.concat([Buffer.alloc(90_000), noise(90_000)]));
    const ratio = 180_000 / wire.length;
    for (const size of [wire.length, 50_000, 1460, 100]) {
      const pieces = cutInto(wire, size);
      for (const isLengthKnown of [true, false]) {
        const over = await decode(codec({ backend, maxRatio: ratio * 0.99 }), pieces, Infinity, isLengthKnown);
        expect(over.error?.code).toBe('WS_ERR_INFLATION_RATIO');
      }
      expect((await decode(codec({ backend, maxRatio: ratio * 1.01 }), pieces)).error).toBeNull();
    }
  });

  test('up to 64 KiB no ratio is too much', async () => {
    expect((await decode(codec({ backend, maxRatio: 1 }), [compressed(Buffer.alloc(65_536))])).error).toBeNull();
    const { error } = await decode(codec({ backend, maxRatio: 1 }), [compressed(Buffer.alloc(65_537))]);
    expect(error?.code).toBe('WS_ERR_INFLATION_RATIO');
  });

  test.each([1000, 5000, 300_000])('the text names the limit that was set, %i', async (limit) => {
    const wire = compressed(noise(400_000));
    for (const size of [wire.length, 60_000]) {
      const { error } = await decode(codec({ backend }), cutInto(wire, size), limit);
      expect(error?.message).toContain(`more than ${limit} bytes`);
    }
  });

  test('small pieces of a large message are gathered', async () => {
    const wire = compressed(noise(200_000));
    const { bytes, error } = await decode(codec({ backend }), cutInto(wire, 3));
    expect([error, bytes.equals(noise(200_000))]).toEqual([null, true]);
  });
});

describe.each([1 << 20, 16 << 20])('a bomb with the limit at %i bytes', (limit) => {
  test.each(PATHS.flatMap((path) => ['whole', 'fragments'].map((frames) => ({ ...path, frames }))))(
    'costs less than two windows more: $path, $frames',
    ({ fastPath, frames }) => {
      const script = fileURLToPath(new URL('bomb-memory.mjs', import.meta.url));
      const printed = execFileSync(process.execPath, [
        '--expose-gc',
        script,
        String(fastPath),
        String(limit),
        frames,
      ]).toString();
      const { code, wireKiB, overKiB } = JSON.parse(printed) as { code: string; wireKiB: number; overKiB: number };
      expect([code, wireKiB]).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1019]);
      expect(overKiB).toBeLessThan(64 - 40); // with a decompressor of zlib, which these are not
      expect(overKiB).toBeGreaterThan(-64); // else something else was measured
    },
  );
});

test('a large message in large pieces is the same', async () => {
  const data = json(3_000_000);
  const wire = compressed(data);
  const pieces = Array.from({ length: Math.ceil(wire.length / 10_000) }, (_, i) =>
    wire.subarray(i * 10_000, (i + 1) * 10_000),
  );
  const { bytes } = await decode(codec(), pieces);
  const digest = (buffer: Buffer): string => createHash('sha256').update(buffer).digest('hex');
  expect(digest(bytes)).toBe(digest(data));
});

test.each([
  [{ threshold: -1 }, RangeError, 'threshold is -1'],
  [{ threshold: 'x' }, TypeError, 'threshold is "x"'],
  [{ thresholdMode: 'sometimes' }, RangeError, 'thresholdMode is "sometimes"'],
  [{ maxRatio: 0.5 }, RangeError, 'maxRatio is 0.5'],
  [{ maxRatio: true }, TypeError, 'maxRatio is true'],
  [{ parameters: { serverMaxWindowBits: 16 } }, RangeError, 'serverMaxWindowBits is 16'],
  [{ parameters: { clientMaxWindowBits: 7 } }, RangeError, 'clientMaxWindowBits is 7'],
  [{ backend: {} }, TypeError, 'backend is [object Object]'],
  [{ backend: null }, TypeError, 'backend is null'],
  [{ role: 'proxy' }, TypeError, 'role is "proxy"'],
])('bad option %p', (options, type, message) => {
  expect(() => codec(options as object)).toThrow(type);
  expect(() => codec(options as object)).toThrow(message);
});
