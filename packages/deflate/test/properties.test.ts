import { createPair } from '@ws/connection';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { zlibBackend } from '../src/node/backend.js';
import { PerMessageDeflate } from '../src/permessage-deflate.js';
import { codec, decode, encode, json, noise, PATHS, receive } from './codec.js';

const windowBits = fc.integer({ min: 8, max: 15 });
const parameters = fc.record({
  serverNoContextTakeover: fc.boolean(),
  clientNoContextTakeover: fc.boolean(),
  serverMaxWindowBits: windowBits,
  clientMaxWindowBits: windowBits,
});

/** From nothing to more than what is done at once. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 3000, max: 40_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 40_000, max: 300_000 }) },
);
const message = fc.record({
  size,
  isText: fc.boolean(),
  seed: fc.integer({ min: 0, max: 9 }),
  compress: fc.constantFrom(undefined, true, false),
  cuts: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

const payloadOf = ({ size: length, isText, seed }: Message): Buffer =>
  isText ? json(length, seed) : noise(length, seed);

function fragmentsOf(payload: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => Math.round(cut * payload.length)).sort((a, b) => a - b), payload.length];
  return at.slice(1).map((to, i) => payload.subarray(at[i], to));
}

describe.each(PATHS)('$path', ({ fastPath }) => {
  test('any messages, in any fragments, any of them compressed, come out of a pair as they went in, both ways', async () => {
    await fc.assert(
      fc.asyncProperty(parameters, fc.array(message, { maxLength: 8 }), fc.boolean(), async (agreed, sent, tiny) => {
        const limits = tiny
          ? { syncDeflateLimit: 100, syncInflateLimit: 60, syncOutputLimit: 200, maxContexts: 1 }
          : {};
        const backend = zlibBackend({ fastPath, ...limits });
        const extensions = (role: 'server' | 'client'): PerMessageDeflate[] => [
          new PerMessageDeflate({ role, parameters: agreed, backend, threshold: 0 }),
        ];
        const { client, server } = createPair({ extensions });
        const echoed: Buffer[] = [];
        server.on('message', (data, isBinary) => server.send(data as Buffer, { binary: isBinary }));
        const closed = client.closed;
        client.on('message', (data) => {
          echoed.push(data as Buffer);
          if (echoed.length === sent.length) client.close(1000);
        });
        for (const one of sent) {
          const fragments = fragmentsOf(payloadOf(one), one.cuts);
          for (const [i, part] of fragments.entries()) {
            client.send(part, { binary: !one.isText, compress: one.compress, fin: i === fragments.length - 1 });
          }
          client.ping();
        }
        if (sent.length === 0) client.close(1000);
        expect((await closed).code).toBe(1000);
        expect(echoed.length).toBe(sent.length);
        for (const [i, one] of sent.entries()) expect(echoed[i]!.equals(payloadOf(one))).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test('many connections at once share the compressors, and each keeps its order', async () => {
    const backend = zlibBackend({ fastPath, maxContexts: 5, concurrencyLimit: 3 });
    const sizes = [500, 100_000, 10, 40_000, 2000, 0, 300_000, 33_000, 1];
    await Promise.all(
      Array.from({ length: 30 }, async (_, which) => {
        const noTakeover = which % 2 === 0;
        const agreed = { serverNoContextTakeover: noTakeover, clientNoContextTakeover: which % 3 === 0 };
        const extensions = (role: 'server' | 'client'): PerMessageDeflate[] => [
          new PerMessageDeflate({ role, parameters: agreed, backend, threshold: 0 }),
        ];
        const { client, server } = createPair({ extensions });
        const texts = sizes.map((length, i) => json(length, which + i).toString());
        const got: string[] = [];
        server.on('message', (data, isBinary) => server.send(data as Buffer, { binary: isBinary }));
        client.on('message', (data) => {
          if (got.push(data.toString()) === texts.length) client.close(1000);
        });
        for (const text of texts) client.send(text);
        expect((await client.closed).code).toBe(1000);
        expect(got).toEqual(texts);
      }),
    );
  });

  test('what one end encodes the other decodes, however it is cut on the way', async () => {
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(
        parameters,
        fc.array(fc.tuple(message, cuts, fc.boolean()), { maxLength: 6 }),
        async (agreed, messages) => {
          const end = codec({ fastPath, parameters: agreed });
          const peer = codec({ fastPath, parameters: agreed, role: 'client' });
          for (const [one, ways, isLengthKnown] of messages) {
            const payload = payloadOf(one);
            const frames = await encode(end, payload, { fragments: fragmentsOf(payload, one.cuts) });
            const wire = Buffer.concat(frames.map(({ payload: bytes }) => bytes));
            const pieces = fragmentsOf(wire, ways).map((bytes, i) => ({
              payload: bytes,
              rsv: i === 0 ? frames[0]!.rsv : 0,
            }));
            const { bytes, error } = await receive(peer, pieces, isLengthKnown);
            expect(error).toBeNull();
            expect(bytes.equals(payload)).toBe(true);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test('any bytes end in a message within the limit or in one error, and the next message is not harmed', async () => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      // damaged, but still much like the real thing
      fc.tuple(fc.integer({ min: 10, max: 30_000 }), fc.nat(), fc.nat({ max: 255 })).map(([length, at, xor]) => {
        const wire = Buffer.from(
          zlibBackend()
            .deflateSync(json(Math.min(length, 16_384)), 15)!
            .subarray(0, -4),
        );
        wire[at % wire.length]! ^= xor;
        return wire;
      }),
    );
    const limit = fc.constantFrom(1, 10, 1000, 20_000, 200_000);
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        garbage,
        limit,
        cuts,
        fc.boolean(),
        fc.boolean(),
        async (bytes, maxPayload, ways, isSmall, isLengthKnown) => {
          const backend = zlibBackend(isSmall ? { fastPath } : { fastPath, syncInflateLimit: 20 });
          const end = codec({ backend });
          const { bytes: output, error } = await decode(end, fragmentsOf(bytes, ways), maxPayload, isLengthKnown);
          expect(output.length).toBeLessThanOrEqual(maxPayload);
          if (error) expect(['WS_ERR_INVALID_DEFLATE_DATA', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']).toContain(error.code);
          const [frame] = await encode(codec({ backend, parameters: { serverNoContextTakeover: true } }), json(500));
          const next = await decode(codec({ backend, role: 'client' }), [frame!.payload]);
          expect(next.bytes.equals(json(500))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});
