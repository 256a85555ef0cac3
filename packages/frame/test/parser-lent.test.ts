import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  encodeFrame,
  FrameParser,
  MaskingMemory,
  Opcode,
  ProtocolError,
  type FrameHandlers,
  type FrameParserOptions,
} from '../src/index.js';
import { cut, wireOf, type Frame } from './frames.js';
import { parse, type Report } from './record.js';

const KEY = 0x37fa213d;
const bytes = (length: number, first = 0): Uint8Array => Uint8Array.from({ length }, (_, i) => (first + i * 7) & 0xff);
const frame = (payload: Uint8Array, head: Partial<Frame['head']> = {}): Frame => ({
  head: { fin: true, rsv: 0, opcode: Opcode.Binary, maskingKey: KEY, ...head, payloadLength: payload.length },
  payload,
});
const SPOILT = 0xee;

/** Lends each chunk in the same memory, which is spoilt afterwards. */
function lend(parser: FrameParser, chunks: readonly Uint8Array[]): void {
  const memory = new MaskingMemory(100_000);
  for (const chunk of chunks) {
    memory.bytes.set(chunk);
    try {
      parser.pushLent(memory, chunk.length);
    } finally {
      memory.bytes.fill(SPOILT);
    }
  }
}

/** Frames of all the sizes that are treated apart: short ones, fragments that are lent, messages that are copied by themselves, more than a chunk. */
const lengths = fc.oneof(fc.nat(130), fc.integer({ min: 4090, max: 4100 }), fc.nat(9000));
const someFrames = fc.array(
  fc
    .tuple(
      lengths,
      fc.boolean(),
      fc.constantFrom<Opcode>(0, 1, 2, 8, 9, 10),
      fc.option(fc.nat(0xffffffff), { nil: undefined }),
    )
    .map(([length, fin, opcode, maskingKey]) =>
      opcode >= 8
        ? frame(bytes(length % 126, 3), { opcode, maskingKey })
        : frame(bytes(length, length), { fin, opcode, maskingKey }),
    ),
  { maxLength: 8 },
);
const cuts = fc.array(fc.nat(40_000), { maxLength: 6 });

/** Without what is not told of fragments that are joined: the masking keys of continuations. */
const untold = ({ events, error }: Report): Report => ({
  events: events.map((event) =>
    event === 'messageEnd' || event.head.opcode !== 0 ? event : { ...event, head: { ...event.head, maskingKey: 0 } },
  ),
  error,
});

/** A message in fragments, most of them short, sometimes with something else between two of them. */
const fragmented = fc
  .tuple(
    fc.array(fc.oneof(fc.nat(130), fc.integer({ min: 60, max: 70 }), fc.nat(1500)), { minLength: 2, maxLength: 90 }),
    fc.option(fc.nat(90), { nil: undefined }),
    fc.option(fc.nat(0xffffffff), { nil: undefined }),
  )
  .map(([sizes, pingAt, maskingKey]) =>
    sizes.flatMap((length, i) => [
      ...(i === pingAt ? [frame(bytes(4), { opcode: Opcode.Ping, maskingKey })] : []),
      frame(bytes(length, i), { opcode: i === 0 ? 1 : 0, fin: i === sizes.length - 1, maskingKey }),
    ]),
  );

test('fragments that are joined are what each by itself is', () => {
  fc.assert(
    fc.property(fc.array(fragmented, { minLength: 1, maxLength: 3 }), cuts, (sent, at) => {
      const chunks = cut(wireOf(sent.flat()), at);
      expect(untold(parse(chunks, {}, true, 'listens'))).toEqual(untold(parse(chunks, {}, true)));
    }),
    { numRuns: 150 },
  );
});

test('what is lent gives what is pushed gives, and nothing of it stays behind', () => {
  fc.assert(
    fc.property(someFrames, cuts, fc.boolean(), fc.boolean(), (sent, at, whole, preserveInput) => {
      const chunks = cut(wireOf(sent), at);
      const expected = parse(chunks, { preserveInput }, whole);
      expect(untold(parse(chunks, { preserveInput }, whole, 'listens'))).toEqual(untold(expected));
      expect(parse(chunks, { preserveInput }, whole, 'does not listen')).toEqual(expected);
    }),
    { numRuns: 150 },
  );
});

test('volatile memory may be written to by whoever is called', () => {
  fc.assert(
    fc.property(fc.oneof(someFrames, fragmented), cuts, fc.boolean(), (sent, at, whole) => {
      const chunks = cut(wireOf(sent), at);
      expect(untold(parse(chunks, {}, whole, 'spoils'))).toEqual(untold(parse(chunks, {}, whole)));
    }),
    { numRuns: 150 },
  );
});

test('the same for a stream that breaks the rules', () => {
  fc.assert(
    fc.property(someFrames, cuts, fc.nat(40_000), fc.nat(255), (sent, at, place, value) => {
      const wire = wireOf(sent);
      if (wire.length > 0) wire[place % wire.length] = value;
      const chunks = cut(wire, at);
      const expected = parse(chunks, { role: 'server' }, true);
      expect(untold(parse(chunks, { role: 'server' }, true, 'listens'))).toEqual(untold(expected));
    }),
    { numRuns: 150 },
  );
});

describe('whose memory', () => {
  /** The slices as they were given, and whether they were lent. */
  function given(chunks: readonly Uint8Array[], memory: MaskingMemory): [slice: Uint8Array, isLent: boolean][] {
    const seen: [Uint8Array, boolean][] = [];
    const parser = new FrameParser(
      {},
      {
        frame: (_, slice) => seen.push([slice, false]),
        payload: (slice) => seen.push([slice, false]),
        lentPayload: (slice) => seen.push([slice, true]),
      },
    );
    for (const chunk of chunks) {
      memory.bytes.set(chunk);
      parser.pushLent(memory, chunk.length);
    }
    return seen;
  }

  test('a piece of a long payload, and a fragment, is a view of what is lent; anything else is a copy', () => {
    const memory = new MaskingMemory(100_000);
    const fragments = [
      frame(bytes(4200), { fin: false }),
      frame(bytes(4200), { opcode: 0, fin: false }),
      frame(bytes(4200), { opcode: 0 }),
    ];
    const long = wireOf([frame(bytes(50_000))]);
    const chunks = [wireOf(fragments), ...cut(long, [20_000]), wireOf([frame(bytes(20)), frame(bytes(5000))])];
    const seen = given(chunks, memory);
    expect(seen.map(([{ length }, isLent]) => [length, isLent])).toEqual([
      [4200, true],
      [4200, true],
      [4200, true],
      [19_992, true],
      [30_008, true],
      [20, false],
      [5000, false],
    ]);
    for (const [slice, isLent] of seen) expect(slice.buffer === memory.bytes.buffer).toBe(isLent);
  });

  test('one copy is made for many short messages', () => {
    const copied: number[] = [];
    const parser = new FrameParser(
      {
        copy: (memory, from, to) => {
          copied.push(to - from);
          return memory.slice(from, to);
        },
      },
      { frame: () => undefined, payload: () => undefined },
    );
    const wire = wireOf(Array.from({ length: 100 }, () => frame(bytes(50))));
    lend(parser, [wire, wireOf([frame(bytes(5000))])]);
    expect(copied).toEqual([wire.length, 5000]);
  });

  test.each([false, true])(
    'what waits during a pause keeps none of what the copy lies in (volatile: %p)',
    (isVolatile) => {
      const seen: Uint8Array[] = [];
      const copy = (memory: Uint8Array, from: number, to: number): Uint8Array => {
        const pool = new Uint8Array(8192);
        pool.set(memory.subarray(from, to));
        return pool.subarray(0, to - from);
      };
      const parser: FrameParser = new FrameParser(
        { copy },
        {
          frame: (_, slice) => {
            seen.push(slice);
            parser.pause();
          },
        },
      );
      const memory = new MaskingMemory(1000, isVolatile);
      const second = wireOf([frame(bytes(30))]);
      const wire = Uint8Array.from([...wireOf([frame(bytes(20))]), ...second]);
      memory.bytes.set(wire);
      parser.pushLent(memory, wire.length);
      expect(parser.bufferedBytes).toBe(second.length);
      parser.resume();
      expect(seen.map(({ length, buffer }) => [length, buffer.byteLength])).toEqual([
        [20, 8192],
        [30, second.length],
      ]);
    },
  );

  /** Of each call for fragments, the lengths that it tells of. */
  function joined(wire: Uint8Array, options: FrameParserOptions = {}): number[][] {
    const calls: number[][] = [];
    const parser = new FrameParser(options, {
      payload: () => undefined,
      lentPayload: (slice) => calls.push([slice.length]),
      joins: () => true,
      lentFragments: (payload, offset, sizes, count, fin) =>
        calls.push([payload.length, offset, Number(fin), ...Array.from(sizes).slice(0, count)]),
    });
    try {
      lend(parser, [wire]);
    } catch (error) {
      calls.push([(error as ProtocolError).code.length]);
    }
    return calls;
  }
  const fragments = (sizes: readonly number[], fin = true): Frame[] =>
    sizes.map((length, i) => frame(bytes(length), { opcode: i === 0 ? 2 : 0, fin: fin && i === sizes.length - 1 }));

  test('fragments that lie whole in it are given as one, 64 at a time behind the first', () => {
    expect(joined(wireOf(fragments([100, 200, 0, 300])))).toEqual([[600, 0, 1, 200, 0, 300]]);
    expect(joined(wireOf(fragments([100, 200], false)))).toEqual([[300, 0, 0, 200]]);
    expect(joined(wireOf(fragments(Array<number>(70).fill(10)))).map(({ length }) => length)).toEqual([67, 7]);
  });

  test('what breaks a rule, or is no plain continuation, ends them', () => {
    const two = fragments([10, 10], false);
    const cases: Frame['head'][] = [
      { fin: true, rsv: 4, opcode: 0, maskingKey: KEY, payloadLength: 5 },
      { fin: true, rsv: 0, opcode: 2, maskingKey: KEY, payloadLength: 5 },
      { fin: true, rsv: 0, opcode: 0, maskingKey: undefined, payloadLength: 5 },
    ];
    for (const head of cases) {
      const [first] = joined(wireOf([...two, { head, payload: bytes(5) }]), { role: 'server' });
      expect(first).toEqual([20, 0, 0, 10]);
    }
    const long = joined(wireOf([...two, frame(bytes(50), { opcode: 0 })]), { maxFramePayload: 40 });
    expect(long).toEqual([[20, 0, 0, 10], ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'.length]]);
    const notMinimal = Uint8Array.of(0x80, 0xfe, 0, 5, 0, 0, 0, 0, 1, 2, 3, 4, 5);
    expect(joined(Uint8Array.from([...wireOf(two), ...notMinimal]))).toEqual([
      [20, 0, 0, 10],
      ['WS_ERR_NON_MINIMAL_LENGTH'.length],
    ]);
  });

  test('a ping between long fragments is copied by itself', () => {
    const memory = new MaskingMemory(100_000);
    const wire = wireOf([
      frame(bytes(5000), { fin: false }),
      frame(bytes(4), { opcode: Opcode.Ping }),
      frame(bytes(5000), { opcode: 0 }),
    ]);
    const seen = given([wire], memory);
    expect(seen.map(([{ length }, isLent]) => [length, isLent])).toEqual([
      [5000, true],
      [4, false],
      [5000, true],
    ]);
  });
});

describe('what interrupts', () => {
  const messages = [bytes(20, 1), bytes(5000, 2), bytes(300, 3), bytes(20, 4)];
  const wire = wireOf(messages.map((payload) => frame(payload)));

  /** Gathers messages, and does `act` at each. */
  function gather(act: (parser: FrameParser, length: number) => void): { parser: FrameParser; seen: Uint8Array[] } {
    const seen: Uint8Array[] = [];
    let pieces: Uint8Array[] = [];
    const take = (payload: Uint8Array): void => {
      seen.push(payload);
      act(parser, payload.length);
    };
    const handlers: FrameHandlers = {
      frame: (_, payload) => take(payload),
      payload: (slice) => pieces.push(slice.slice()),
      lentPayload: (slice) => pieces.push(slice.slice()),
      frameEnd() {
        const whole = Buffer.concat(pieces);
        pieces = [];
        take(whole);
      },
    };
    const parser = new FrameParser({ role: 'server' }, handlers);
    return { parser, seen };
  }
  const asText = (list: readonly Uint8Array[]): string[] => list.map((each) => Buffer.from(each).toString('hex'));

  test.each([[[]], [[10]], [[100, 3000]], [[26, 5400]]])(
    'a pause keeps what was lent in memory of its size, cut at %p',
    (at) => {
      const { parser, seen } = gather((it) => it.pause());
      const all = cut(wire, at);
      lend(parser, all);
      const rest = wire.length - (parser.bufferedBytes > 0 ? parser.bufferedBytes : 0);
      expect(seen).toHaveLength(1);
      expect(parser.retainedBytes).toBeLessThan(wire.length - rest + 256 * (all.length + 1));
      while (parser.bufferedBytes > 0) parser.resume();
      expect(asText(seen)).toEqual(asText(messages));
      expect(parser.retainedBytes).toBe(0);
    },
  );

  test('a handler that throws: the next call goes on behind it', () => {
    for (const at of [[], [10], [100, 3000], [26, 5400]]) {
      const { parser, seen } = gather(() => {
        throw new RangeError('mine');
      });
      const errors: unknown[] = [];
      const attempt = (call: () => void): void => {
        try {
          call();
        } catch (error) {
          errors.push((error as Error).message);
        }
      };
      for (const chunk of cut(wire, at)) attempt(() => lend(parser, [chunk]));
      while (parser.bufferedBytes > 0) attempt(() => parser.resume());
      expect(asText(seen)).toEqual(asText(messages));
      expect(errors).toEqual(messages.map(() => 'mine'));
    }
  });

  test('what a handler pushes, or lends, comes behind what is lent', () => {
    const more = wireOf([frame(bytes(40, 9))]);
    let left = 2;
    const { parser, seen } = gather((it) => {
      if (left === 2) it.push(more.slice());
      if (left === 1) lend(it, [more]);
      left--;
    });
    lend(parser, [wire]);
    expect(asText(seen)).toEqual(asText([...messages, bytes(40, 9), bytes(40, 9)]));
  });

  test('a handler that discards', () => {
    const { parser, seen } = gather((it) => it.discard());
    lend(parser, [wire, wire]);
    expect([seen.length, parser.bufferedBytes, parser.retainedBytes]).toEqual([1, 0, 0]);
  });

  test('behind a violation nothing is parsed, and nothing is kept', () => {
    const { parser, seen } = gather(() => undefined);
    const bad = encodeFrame({ opcode: Opcode.Binary }, bytes(10)); // not masked
    expect(() => lend(parser, [wireOf([frame(bytes(5000))]), bad, wire])).toThrow(ProtocolError);
    lend(parser, [wire]);
    expect([seen.length, parser.bufferedBytes]).toEqual([1, 0]);
  });
});

test('copy is a function', () => {
  expect(() => new FrameParser({ copy: 5 as never }, {})).toThrow('copy is not a function');
});
