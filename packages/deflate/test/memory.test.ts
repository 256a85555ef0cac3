import { afterEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { Opcode } from '@ws/frame';
import { zlibBackend, ZlibBackend } from '../src/node/backend.js';
import { zlibSettings } from '../src/node/zlib-options.js';
import type { PerMessageDeflate } from '../src/permessage-deflate.js';
import { altered, codec, NO_TAKEOVER, type Init } from './codec.js';

// What an extension says that it holds: as much as it has, and nothing once it has nothing.

const KiB = 1024;
const CONTEXT = 2 ** 17 + 2 ** 17;
const text = (bytes: number): Buffer => Buffer.alloc(bytes, 'So we beat on, boats against the current. ');

interface Counted {
  readonly extension: PerMessageDeflate;
  readonly held: () => number;
}

const all: PerMessageDeflate[] = [];
afterEach(() => {
  for (const extension of all.splice(0)) extension.close();
});

function counted(init: Init = {}): Counted {
  const extension = codec(init);
  all.push(extension);
  let held = 0;
  extension.reportMemory((change) => (held += change));
  return { extension, held: () => held };
}

const encode = (extension: PerMessageDeflate, payload: Uint8Array, fin = true, first = true): Promise<Uint8Array> =>
  new Promise((resolve) =>
    extension.encode(payload, { opcode: Opcode.Binary, first, fin, compress: undefined }, (_error, bytes) =>
      resolve(bytes),
    ),
  );

function decode(extension: PerMessageDeflate, slice: Uint8Array, last = true, first = true): Promise<number> {
  let length = 0;
  return new Promise((resolve) =>
    extension.decode(
      slice,
      { first, last, remaining: Infinity },
      (bytes) => (length += bytes.length),
      () => resolve(length),
    ),
  );
}

describe.each([true, false])('fastPath %p', (fastPath) => {
  test('a compressor with a window, as long as it is his', async () => {
    const backend = new ZlibBackend(zlibSettings({ fastPath, maxContexts: 1 }));
    const { extension, held } = counted({ backend });
    await encode(extension, text(100));
    expect(held()).toBeGreaterThanOrEqual(CONTEXT);
    expect(held()).toBeLessThan(1.05 * CONTEXT);
    extension.relieve();
    expect([held(), backend.contexts]).toEqual([0, 0]);
    await encode(extension, text(100));
    expect(held()).toBeGreaterThanOrEqual(CONTEXT);
    extension.close();
    expect(held()).toBe(0);
    backend.dropIdle();
  });

  test('the window of what came, and what an unfinished message holds', async () => {
    const backend = zlibBackend({ fastPath });
    const sender = codec({ fastPath, ...NO_TAKEOVER, parameters: NO_TAKEOVER });
    const { extension, held } = counted({ role: 'client', backend });
    await decode(extension, await encode(sender, text(100 * KiB)));
    expect(held()).toBeGreaterThanOrEqual(32 * KiB);
    expect(held()).toBeLessThanOrEqual(33 * KiB);
    const window = held();
    const noise = await encode(sender, Buffer.concat([randomBytes(100 * KiB), text(100 * KiB)]));
    await decode(extension, noise.subarray(0, 1000), false);
    expect(held() - window).toBeGreaterThanOrEqual(1000);
    expect(held() - window).toBeLessThan(5000);
    await decode(extension, noise.subarray(1000, 90 * KiB), false, false);
    expect(held() - window).toBeGreaterThanOrEqual(45 * KiB); // a decompressor
    expect(held() - window).toBeLessThan(80 * KiB);
    extension.close();
    expect(held()).toBe(0);
  });

  test('a message in the thread pool has a compressor while that takes, in the pool or beside it', async () => {
    const backend = new ZlibBackend(zlibSettings({ fastPath, maxContexts: 1, syncDeflateLimit: 0 }));
    const several = Array.from({ length: 3 }, () => counted({ backend, parameters: NO_TAKEOVER }));
    const payload = text(200 * KiB);
    const done = several.map(({ extension }) => encode(extension, payload));
    for (const { held } of several) expect(held()).toBeGreaterThanOrEqual(CONTEXT);
    await Promise.all(done);
    for (const { held } of several) expect(held()).toBe(0);
    backend.dropIdle();
  });
});

test('who gets the compressor of another one is charged for it, and the other is not', async () => {
  let now = 0;
  const backend = new ZlibBackend(zlibSettings({ maxContexts: 1 }), { now: () => now, after: () => undefined });
  const [one, other] = [counted({ backend }), counted({ backend })];
  await encode(one.extension, text(100));
  now += 1000;
  await encode(other.extension, text(100));
  expect([one.held(), other.held() >= CONTEXT]).toEqual([0, true]);
  backend.dropIdle();
});

test('a backend that says nothing of memory', async () => {
  const { extension, held } = counted({ backend: altered({}) });
  const bytes = await encode(codec(), text(300 * KiB));
  void decode(extension, bytes.subarray(0, 100), false);
  expect(held()).toBeGreaterThan(0);
  extension.relieve();
  extension.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(held()).toBe(0);
});
