import { describe, expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import { deflateRawSync } from 'node:zlib';
import { zlibBackend } from '../src/node/backend.js';
import { codec, decode, encode, json, noise, NO_TAKEOVER, PATHS } from './codec.js';

// RFC 7692 §7.2.3, and what follows from §7.2.1 and §7.2.2.
const HELLO = hex`f2 48 cd c9 c9 07 00`;
const VECTORS = [
  { name: '§7.2.3.1 one block', wire: HELLO, text: 'Hello' },
  { name: '§7.2.3.3 a stored block', wire: hex`00 05 00 fa ff 48 65 6c 6c 6f 00`, text: 'Hello' },
  { name: '§7.2.3.4 a final block', wire: hex`f3 48 cd c9 c9 07 00 00`, text: 'Hello' },
  { name: '§7.2.3.5 two blocks', wire: hex`f2 48 05 00 00 00 ff ff ca c9 c9 07 00`, text: 'Hello' },
  { name: '§7.2.3.6 an empty message', wire: hex`00`, text: '' },
  { name: 'nothing at all', wire: hex``, text: '' },
  { name: 'a final block and no more', wire: hex`f3 48 cd c9 c9 07 00`, text: 'Hello' },
  { name: 'a tail left on', wire: hex`f2 48 cd c9 c9 07 00 00 00 ff ff`, text: 'Hello' },
  {
    name: 'an empty final block, of which the tail is left off',
    wire: hex`f2 48 cd c9 c9 07 00 00 00 ff ff 01`,
    text: 'Hello',
  },
  { name: 'two final blocks', wire: hex`f3 48 cd c9 c9 07 00 f3 48 cd c9 c9 07 00 00`, text: 'HelloHello' },
  { name: 'a block behind a final one', wire: hex`f3 48 cd c9 c9 07 00 f2 48 cd c9 c9 07 00`, text: 'HelloHello' },
  { name: 'empty blocks in between', wire: hex`00 00 00 ff ff f2 48 cd c9 c9 07 00 00 00 ff ff 00`, text: 'Hello' },
];

describe.each(PATHS)('$path', ({ fastPath }) => {
  test.each(VECTORS)('$name, in every cut', async ({ wire, text }) => {
    for (const pieces of everySplit(wire)) {
      const end = codec({ fastPath, parameters: NO_TAKEOVER });
      const { bytes, error } = await decode(end, pieces.length > 0 ? pieces : [wire]);
      expect([bytes.toString(), error]).toEqual([text, null]);
    }
  });

  test.each(VECTORS)('$name, in the thread pool', async ({ wire, text }) => {
    const backend = zlibBackend({ fastPath, syncInflateLimit: 0, syncOutputLimit: 0 });
    for (const pieces of everySplit(wire)) {
      const { bytes, error } = await decode(
        codec({ backend, parameters: NO_TAKEOVER }),
        pieces.length > 0 ? pieces : [wire],
      );
      expect([bytes.toString(), error]).toEqual([text, null]);
    }
  });

  test('§7.2.3.2 the window of the message before', async () => {
    const end = codec({ fastPath });
    for (const wire of [HELLO, hex`f2 00 11 00 00`, hex`f2 00 11 00 00`]) {
      expect((await decode(end, [wire])).bytes.toString()).toBe('Hello');
    }
    const without = codec({ fastPath, parameters: NO_TAKEOVER });
    await decode(without, [HELLO]);
    expect((await decode(without, [hex`f2 00 11 00 00`])).error).toMatchObject({
      code: 'WS_ERR_INVALID_DEFLATE_DATA',
      closeCode: 1007,
    });
  });

  test.each([undefined, 0])(
    'behind a final block the window goes on, but only where messages share one: %p',
    async (syncInflateLimit) => {
      const backend = zlibBackend({ fastPath, syncInflateLimit });
      const wire = hex`f3 48 cd c9 c9 07 00 f2 00 11 00 00`;
      for (const pieces of everySplit(wire)) {
        expect((await decode(codec({ backend }), pieces)).bytes.toString()).toBe('HelloHello');
        const { error } = await decode(codec({ backend, parameters: NO_TAKEOVER }), pieces);
        expect(error?.code).toBe('WS_ERR_INVALID_DEFLATE_DATA');
      }
    },
  );

  test('final blocks in a session: what came before them in the message is not lost', async () => {
    const end = codec({ fastPath });
    const [first, second] = [json(400), json(300, 50)];
    await decode(end, [deflateRawSync(json(900, 9), { finishFlush: 2 }).subarray(0, -4)]);
    const wire = Buffer.concat([deflateRawSync(first), deflateRawSync(second), Buffer.from([0])]);
    expect((await decode(end, [wire])).bytes.equals(Buffer.concat([first, second]))).toBe(true);
  });

  test('only the window of the size agreed on is kept', async () => {
    const far = deflateRawSync(json(300), { dictionary: Buffer.concat([json(300), noise(600)]), finishFlush: 2 });
    for (const [clientMaxWindowBits, code] of [
      [9, 'WS_ERR_INVALID_DEFLATE_DATA'],
      [10, undefined],
    ] as const) {
      const end = codec({ fastPath, parameters: { clientMaxWindowBits } });
      for (const part of [json(300), noise(600)])
        await decode(end, [deflateRawSync(part, { finishFlush: 2 }).subarray(0, -4)]);
      const { error, bytes } = await decode(end, [far.subarray(0, -4)]);
      expect(error?.code).toBe(code);
      if (code === undefined) expect(bytes.equals(json(300))).toBe(true);
    }
  });

  test.each([
    { name: 'reserved block type', wire: hex`06` },
    { name: 'stored block whose lengths differ', wire: hex`00 05 00 00 00 48 65 6c 6c 6f 00` },
    { name: 'no such distance', wire: hex`f2 00 11 00 00` },
    { name: 'code lengths that are no code', wire: hex`ec c0 81 00 00 00 00 00 90 ff` },
    { name: 'half a stored block', wire: hex`00 0a 00 f5 ff 48 65 6c 6c 6f` },
    { name: 'half a block with fixed codes', wire: hex`f2 48 cd c9` },
    { name: 'half a header', wire: hex`00 05 00` },
    { name: 'a good block, and half another', wire: hex`00 05 00 fa ff 48 65 6c 6c 6f 00 64 00 9b ff 48` },
    { name: 'random bytes', wire: noise(64, 7) },
    { name: 'garbage behind a final block', wire: hex`f3 48 cd c9 c9 07 00 06 00 00 00 00` },
  ])('corrupt: $name; the next message is not harmed', async ({ wire }) => {
    const backends = [zlibBackend({ fastPath }), zlibBackend({ fastPath, syncInflateLimit: 0 })];
    const cuts = [[wire], Array.from(wire, (byte) => Uint8Array.of(byte))];
    for (const [pieces, backend] of cuts.flatMap((cut) => backends.map((one) => [cut, one] as const))) {
      const { error } = await decode(codec({ backend }), pieces);
      expect(error).toMatchObject({ name: 'DeflateError', code: 'WS_ERR_INVALID_DEFLATE_DATA', closeCode: 1007 });
      expect((await decode(codec({ fastPath }), [HELLO])).bytes.toString()).toBe('Hello');
    }
  });

  test('what we send for the RFC’s messages', async () => {
    const end = codec({ fastPath });
    expect(await encode(end, Buffer.from('Hello'.repeat(4)))).toMatchObject([{ rsv: 4 }]);
    expect(await encode(end, Buffer.alloc(0))).toEqual([{ payload: Buffer.alloc(0), rsv: 0 }]);
    const [first, second, last] = await encode(end, Buffer.alloc(0), {
      fragments: [Buffer.from('Hello'.repeat(4)), Buffer.alloc(0), Buffer.alloc(0)],
    });
    expect(Buffer.from(first!.payload).subarray(-4)).toEqual(Buffer.from(hex`00 00 ff ff`));
    expect([first!.rsv, second, last]).toEqual([4, { payload: Buffer.alloc(0), rsv: 0 }, { payload: hex`00`, rsv: 0 }]);
  });
});
