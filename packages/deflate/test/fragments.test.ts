import { describe, expect, test } from '@jest/globals';
import { Inflater } from '@ws/testing';
import { ZlibBackend } from '../src/node/backend.js';
import { zlibSettings } from '../src/node/zlib-options.js';
import type { PerMessageDeflate } from '../src/permessage-deflate.js';
import { codec, encode, json, noise, NO_TAKEOVER, PATHS } from './codec.js';
import { give, Reader } from './reader.js';

type Sent = readonly [payload: Uint8Array, rsv: number];

const send = (end: PerMessageDeflate, part: Uint8Array, fragment: object): Promise<Sent> =>
  new Promise((resolve, reject) => {
    const told = { opcode: 2, first: true, fin: false, compress: undefined, ...fragment } as const;
    end.encode(part, told, (error, bytes, rsv) => (error ? reject(error) : resolve([bytes, rsv])));
  });

describe.each(PATHS)('$path', ({ fastPath }) => {
  const limited = { fastPath, threshold: 1024, thresholdMode: 'always', parameters: NO_TAKEOVER } as const;

  test.each([
    { name: 'a small first fragment, nobody knows of what', part: json(5), fragment: {}, rsv: 4 },
    { name: 'none at all yet', part: Buffer.alloc(0), fragment: {}, rsv: 4 },
    { name: 'a small one of a large message', part: json(5), fragment: { length: 1024 }, rsv: 4 },
    { name: 'a small one of a small message', part: json(5), fragment: { length: 1023 }, rsv: 0 },
    { name: 'of a message that is longer than was said', part: json(2000), fragment: { length: 10 }, rsv: 4 },
    { name: 'not to be compressed', part: json(2000), fragment: { compress: false }, rsv: 0 },
    { name: 'few bytes that look like noise', part: noise(4095), fragment: {}, rsv: 4 },
    { name: 'many bytes that look like noise', part: noise(4096), fragment: {}, rsv: 0 },
    { name: 'all there is', part: json(1023), fragment: { fin: true, length: 5000 }, rsv: 0 },
  ])('$name: rsv $rsv', async ({ part, fragment, rsv }) => {
    const end = codec(limited);
    expect((await send(end, part, fragment))[1]).toBe(rsv);
    if (rsv === 0) expect((await send(end, part, { first: false, fin: true }))[0]).toBe(part);
    end.close();
  });

  test.each([NO_TAKEOVER, {}])('each fragment alone tells what was sent so far, %p', async (parameters) => {
    const end = codec({ fastPath, parameters });
    for (let round = 0; round < 3; round++) {
      const peer = new Inflater(15, false);
      const sizes = [3, 1, 0, 700, 20_000, 0, 1];
      const payload = json(20_705, round);
      let [wire, sent] = [Buffer.alloc(0), 0];
      for (const [i, size] of sizes.entries()) {
        const part = payload.subarray(sent, (sent += size));
        const [bytes, rsv] = await send(end, part, { first: i === 0, fin: i === sizes.length - 1 });
        expect(rsv).toBe(i === 0 ? 4 : 0);
        expect(bytes.length === 0).toBe(size === 0);
        wire = Buffer.concat([wire, bytes]);
        // With the tail of a flush behind it, what is there is a message; only the last fragment lacks it.
        const isLast = i === sizes.length - 1;
        if (round === 0 || parameters === NO_TAKEOVER) {
          expect(peer.message(isLast ? wire : Buffer.concat([wire, Buffer.of(0)])).length).toBe(sent);
        }
      }
    }
  });

  test('the receiver has each fragment when it is in, also of large ones', async () => {
    const end = codec({ fastPath });
    const peer = codec({ fastPath, role: 'client' });
    const reader = new Reader();
    const data = json(600_000);
    let sent = 0;
    for (const size of [10, 100_000, 0, 1, 65_536, 400_000]) {
      const [bytes] = await send(end, data.subarray(sent, sent + size), { first: sent === 0 });
      expect(await give(peer, bytes, reader, { first: sent === 0 }).answered).toBeNull();
      sent += size;
      expect(reader.bytes.equals(data.subarray(0, sent))).toBe(true);
    }
    const [bytes] = await send(end, Buffer.alloc(0), { first: false, fin: true });
    expect(await give(peer, bytes, reader, { last: true }).answered).toBeNull();
    expect(reader.bytes.length).toBe(sent);
  });

  test('more messages in the making than there are compressors: the others go as they are', async () => {
    const backend = new ZlibBackend(zlibSettings({ fastPath, maxContexts: 2 }));
    const ends = Array.from({ length: 5 }, () => codec({ backend }));
    const first = await Promise.all(ends.map((end, i) => send(end, json(300, i), {})));
    expect(first.map(([, rsv]) => rsv)).toEqual([4, 4, 0, 0, 0]);
    expect(backend.contexts).toBe(2);
    // Whole messages of others are compressed all the same, and wait for nobody.
    expect((await encode(codec({ backend }), json(300)))[0]!.rsv).toBe(4);
    for (const [i, end] of ends.entries()) {
      const [bytes] = await send(end, json(300, i), { first: false, fin: true });
      if (i < 2) expect(bytes.length).toBeLessThan(100);
      else expect(Buffer.from(bytes).equals(json(300, i))).toBe(true);
    }
    ends[0]!.close(); // its compressor is free for another one
    expect((await send(ends[4]!, json(300), {}))[1]).toBe(4);
    expect(backend.contexts).toBe(2);
    for (const end of ends) end.close();
    backend.dropIdle();
    expect(backend.contexts).toBe(0);
  });
});
