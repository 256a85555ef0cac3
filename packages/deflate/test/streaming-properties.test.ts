import { createPair, type Incoming } from '@ws/connection';
import { describe, expect, test } from '@jest/globals';
import { Inflater } from '@ws/testing';
import fc from 'fast-check';
import { deflateRawSync } from 'node:zlib';
import { zlibBackend, type ZlibBackend } from '../src/node/backend.js';
import { PerMessageDeflate } from '../src/permessage-deflate.js';
import { codec, decode, encode, json, noise, PATHS } from './codec.js';
import { give, Reader } from './reader.js';

const windowBits = fc.integer({ min: 8, max: 15 });
const parameters = fc.record({
  serverNoContextTakeover: fc.boolean(),
  clientNoContextTakeover: fc.boolean(),
  serverMaxWindowBits: windowBits,
  clientMaxWindowBits: windowBits,
});

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });
/** Of a reader: bytes from which on he has no room. */
const capacity = fc.constantFrom(0, 100, 20_000, Infinity);
const message = fc.record({
  size: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: 0, max: 3000 }) },
    { weight: 3, arbitrary: fc.integer({ min: 3000, max: 50_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 50_000, max: 300_000 }) },
  ),
  kind: fc.constantFrom('json', 'noise', 'zeros'),
  seed: fc.integer({ min: 0, max: 9 }),
  fragments: cuts,
  pieces: cuts,
  isStreamed: fc.boolean(),
  capacity,
  /** Turns of the event loop before the reader takes something. */
  pauses: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 4 }),
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

function payloadOf({ size, kind, seed }: Message): Buffer {
  if (kind === 'zeros') return Buffer.alloc(4 * size, seed);
  return kind === 'json' ? json(size, seed) : noise(size, seed);
}

function cutAt(payload: Uint8Array, ways: readonly number[]): Uint8Array[] {
  const at = [0, ...ways.map((cut) => Math.round(cut * payload.length)).sort((a, b) => a - b), payload.length];
  return at.slice(1).map((to, i) => payload.subarray(at[i], to));
}

/** The pieces of one message, to a reader who takes his time; what he got. */
async function stream(end: PerMessageDeflate, pieces: readonly Uint8Array[], one: Message): Promise<Buffer> {
  const reader = new Reader(one.capacity);
  let steps = 0;
  for (const [i, piece] of pieces.entries()) {
    const decoding = give(end, piece, reader, { first: i === 0, last: i === pieces.length - 1 });
    while (decoding.error === undefined) {
      for (let turns = one.pauses[steps++ % one.pauses.length]!; turns >= 0; turns--) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(reader.untaken).toBeLessThanOrEqual(one.capacity + 65_536);
      reader.take();
    }
    expect(await decoding.answered).toBeNull();
  }
  expect(reader.mostAtOnce).toBeLessThanOrEqual(1);
  return reader.bytes;
}

/** Blocks of text of which each is a final one. */
const finalBlocks = (lengths: readonly number[]): Buffer =>
  Buffer.concat([...lengths.map((length) => deflateRawSync(json(length ** 4))), Buffer.of(0)]);

const backendOf = (fastPath: boolean, isTiny: boolean): ZlibBackend =>
  zlibBackend(isTiny ? { fastPath, syncDeflateLimit: 100, syncInflateLimit: 60, syncOutputLimit: 200 } : { fastPath });

describe.each(PATHS)('$path', ({ fastPath }) => {
  test('streamed and whole messages on one context come out as they went in, whatever the reader does', async () => {
    await fc.assert(
      fc.asyncProperty(parameters, fc.array(message, { maxLength: 6 }), fc.boolean(), async (agreed, sent, isTiny) => {
        const backend = backendOf(fastPath, isTiny);
        const end = codec({ parameters: agreed, backend });
        const peer = codec({ parameters: agreed, backend, role: 'client' });
        for (const one of sent) {
          const payload = payloadOf(one);
          const frames = await encode(end, payload, { fragments: cutAt(payload, one.fragments) });
          if (frames[0]!.rsv === 0) continue;
          const pieces = cutAt(Buffer.concat(frames.map(({ payload: bytes }) => bytes)), one.pieces);
          const got = one.isStreamed ? await stream(peer, pieces, one) : (await decode(peer, pieces)).bytes;
          expect(got.equals(payload)).toBe(true);
        }
      }),
      { numRuns: 80 },
    );
  });

  test('through a pair of connections, in both ways of receiving', async () => {
    await fc.assert(
      fc.asyncProperty(
        parameters,
        fc.array(message, { maxLength: 5 }),
        fc.constantFrom('stream', 'auto'),
        async (agreed, sent, incoming) => {
          const backend = zlibBackend({ fastPath });
          const extensions = (role: 'server' | 'client'): PerMessageDeflate[] => [
            new PerMessageDeflate({ role, parameters: agreed, backend, threshold: 0 }),
          ];
          const { client, server } = createPair({ extensions, incoming, highWaterMark: 10_000 });
          const got: Promise<Buffer>[] = [];
          const add = (bytes: Promise<Buffer>): void => {
            if (got.push(bytes) === sent.length) void bytes.then(() => server.close(1000));
          };
          server.on('incoming', (one: Incoming) => add(one.buffer()));
          server.on('message', (data) => add(Promise.resolve(data as Buffer)));
          for (const one of sent) {
            const fragments = cutAt(payloadOf(one), one.fragments);
            for (const [i, part] of fragments.entries()) client.send(part, { fin: i === fragments.length - 1 });
            client.ping();
          }
          if (sent.length === 0) client.close(1000);
          expect((await client.closed).code).toBe(1000);
          const bytes = await Promise.all(got);
          expect(bytes.length).toBe(sent.length);
          for (const [i, one] of sent.entries()) expect(bytes[i]!.equals(payloadOf(one))).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('what is sent in fragments is DEFLATE within its window, says an inflater that is not ours', async () => {
    const small = fc.record({ size: fc.integer({ min: 0, max: 6000 }), fragments: cuts, seed: fc.nat({ max: 9 }) });
    await fc.assert(
      fc.asyncProperty(parameters, fc.array(small, { maxLength: 5 }), async (agreed, sent) => {
        const end = codec({ fastPath, parameters: agreed });
        const oracle = new Inflater(agreed.serverMaxWindowBits, !agreed.serverNoContextTakeover);
        for (const { size, fragments, seed } of sent) {
          const payload = json(size, seed);
          const frames = await encode(end, payload, { fragments: cutAt(payload, [...fragments, 0.5]) });
          expect(frames[0]!.rsv).toBe(4);
          expect(oracle.message(Buffer.concat(frames.map((frame) => frame.payload))).equals(payload)).toBe(true);
        }
      }),
      { numRuns: 60 },
    );
  });

  test.each([false, true])('any bytes, streamed, end as they do when whole; thread pool %p', async (isPooled) => {
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }).map(finalBlocks),
      fc.tuple(fc.integer({ min: 10, max: 16_000 }), fc.nat(), fc.nat({ max: 255 })).map(([length, at, xor]) => {
        const wire = Buffer.from(zlibBackend().deflateSync(json(length), 15)!.subarray(0, -4));
        wire[at % wire.length]! ^= xor;
        return wire;
      }),
    );
    await fc.assert(
      fc.asyncProperty(
        garbage,
        fc.constantFrom(1, 1000, 200_000),
        cuts,
        capacity,
        async (wire, maxPayload, ways, room) => {
          const whole = await decode(codec({ fastPath }), [wire], maxPayload);
          const end = codec({ backend: zlibBackend(isPooled ? { fastPath, syncInflateLimit: 0 } : { fastPath }) });
          const reader = new Reader(room);
          let code: string | undefined;
          const pieces = cutAt(wire, ways);
          for (const [i, piece] of pieces.entries()) {
            const remaining = maxPayload - reader.bytes.length;
            const decoding = give(end, piece, reader, { first: i === 0, last: i === pieces.length - 1, remaining });
            while (decoding.error === undefined) {
              await new Promise((resolve) => setImmediate(resolve));
              reader.take();
            }
            code = (await decoding.answered)?.code;
            if (code !== undefined) break;
          }
          expect(reader.bytes.length).toBeLessThanOrEqual(maxPayload);
          expect(code === undefined).toBe(whole.error === null);
          if (code === undefined) expect(reader.bytes.equals(whole.bytes)).toBe(true);
          else expect(['WS_ERR_INVALID_DEFLATE_DATA', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']).toContain(code);
          end.close();
        },
      ),
      { numRuns: 200 },
    );
  });
});
