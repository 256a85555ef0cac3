import { expect, test } from '@jest/globals';
import { closeSync, openSync, readSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { looksIncompressible } from '../src/incompressible.js';
import { codec, decode, encode, json, noise, NO_TAKEOVER, PATHS } from './codec.js';

/** Machine code and data. */
function ofNode(byteLength: number): Buffer {
  const bytes = Buffer.alloc(byteLength);
  const file = openSync(process.execPath, 'r');
  readSync(file, bytes, 0, byteLength, 20_000_000);
  closeSync(file);
  return bytes;
}

test.each([
  { name: 'JSON', payload: json(50_000), is: false },
  { name: 'zeros', payload: Buffer.alloc(50_000), is: false },
  { name: 'base64', payload: Buffer.from(noise(50_000).toString('base64')), is: false },
  { name: 'machine code', payload: ofNode(500_000), is: false },
  { name: 'random bytes', payload: noise(4096), is: true },
  { name: 'many random bytes', payload: noise(1_000_000), is: true },
  { name: 'what is compressed already', payload: deflateRawSync(ofNode(500_000)), is: true },
  { name: 'little', payload: noise(4095), is: false },
])('$name: $is', ({ payload, is }) => {
  expect(looksIncompressible(payload)).toBe(is);
});

const WAYS = PATHS.flatMap((path) => [
  { ...path, takeover: 'no takeover', parameters: NO_TAKEOVER, expected: 4 },
  // A window is worth a few bytes more.
  { ...path, takeover: 'takeover', parameters: {}, expected: 1 },
]);

test.each(WAYS)('$path, $takeover: what would not shrink goes as it is', async ({ fastPath, parameters, expected }) => {
  const end = codec({ fastPath, parameters });
  const peer = codec({ fastPath, parameters, role: 'client' });
  let plain = 0;
  for (const payload of [
    json(900),
    noise(50),
    json(900, 3),
    noise(3000, 5),
    json(2000),
    noise(30_000),
    noise(3000, 5),
    json(900),
  ]) {
    const [frame] = await encode(end, payload);
    if (frame!.rsv === 0) {
      plain++;
      expect(frame!.payload).toBe(payload);
    } else {
      expect((await decode(peer, [frame!.payload])).bytes.equals(payload)).toBe(true);
    }
  }
  expect(plain).toBe(expected);
});

test.each(PATHS)('$path: small messages in between do not cost the window', async ({ fastPath }) => {
  const end = codec({ fastPath });
  const peer = codec({ fastPath, role: 'client' });
  const lengths: number[] = [];
  for (let i = 0; i < 6; i++) {
    for (const payload of [json(300), Buffer.from('2'), Buffer.from('{"t":"hb"}')]) {
      const [frame] = await encode(end, payload);
      if (payload.length === 300) lengths.push(frame!.payload.length);
      expect((await decode(peer, [frame!.payload])).bytes.equals(payload)).toBe(frame!.rsv === 4);
    }
  }
  expect(Math.max(...lengths.slice(1))).toBeLessThan(lengths[0]! / 4);
});

test.each(PATHS)('$path: a message in fragments is judged by its first', async ({ fastPath }) => {
  const payload = noise(20_000);
  const fragments: Uint8Array[] = [payload.subarray(0, 10_000), payload.subarray(10_000)];
  for (const { payload: sent, rsv } of await encode(codec({ fastPath }), payload, { fragments })) {
    expect([fragments.includes(sent), rsv]).toEqual([true, 0]);
  }
});
