import { describe, expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { collectGarbage, hex } from '@ws/testing';
import { encodeFrame, FrameParser, Opcode, type FrameHandlers } from '../src/index.js';
import { cut, frames, wireOf } from './frames.js';

// What a handler may do in the middle of a chunk: pause, throw, push. None of it may lose a call or make one twice.

/** The calls in words, `act` being run at the end of each one. */
function journal(whole: boolean, act: (call: number) => void): { calls: string[]; handlers: FrameHandlers } {
  const calls: string[] = [];
  let depth = 0;
  const note = (words: string): void => {
    if (depth > 0) throw new Error('a handler is called while another is running');
    calls.push(words);
    depth++;
    try {
      act(calls.length);
    } finally {
      depth--;
    }
  };
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  const handlers: FrameHandlers = {
    head: (head) => note(`head ${head.opcode} ${head.payloadLength}`),
    payload: (slice, offset, isLast) => note(`payload ${text(slice)} ${offset} ${isLast}`),
    frameEnd: () => note('frameEnd'),
    messageEnd: () => note('messageEnd'),
  };
  if (whole) handlers.frame = (head, payload) => note(`frame ${head.opcode} ${text(payload)}`);
  return { calls, handlers };
}

const WIRE = Buffer.concat([
  encodeFrame({ opcode: Opcode.Text, fin: false, maskingKey: 0x01020304 }, hex`616263`),
  encodeFrame({ opcode: Opcode.Ping, maskingKey: 0x37fa213d }, hex``),
  encodeFrame({ opcode: Opcode.Continuation, maskingKey: 0xffeeddcc }, new Uint8Array(130).fill(0x7a)),
  encodeFrame({ opcode: Opcode.Binary }, hex``),
  encodeFrame({ opcode: Opcode.Close }, hex`03e8`),
]);

const CUTS: [string, number[]][] = [
  ['one chunk', []],
  ['two chunks', [20]],
  ['chunks of 7', Array.from({ length: Math.ceil(WIRE.length / 7) }, (_, i) => 7 * i)],
  ['octets', Array.from({ length: WIRE.length }, (_, i) => i)],
];

const SITUATIONS = CUTS.flatMap(([name, at]) => [true, false].map((whole) => ({ name, at, whole })));

/** The calls when nothing happens in between. */
function undisturbed(at: number[], whole: boolean): string[] {
  const { calls, handlers } = journal(whole, () => undefined);
  const parser = new FrameParser({}, handlers);
  for (const chunk of cut(Uint8Array.from(WIRE), at)) parser.push(chunk);
  return calls;
}

class Thrown extends Error {}

describe.each(SITUATIONS)('$name, whole: $whole', ({ at, whole }) => {
  const expected = undisturbed(at, whole);
  const chunks = () => cut(Uint8Array.from(WIRE), at);
  /** Every call but the duller ones: of many pieces of one payload, those at the ends and a few between. */
  const everyCall = expected
    .map((_, i) => i + 1)
    .filter((call) => call < 30 || call > expected.length - 10 || call % 25 === 0);

  test('there is something to disturb', () => {
    expect(expected.filter((call) => call === 'messageEnd').length + (whole ? 2 : 0)).toBeGreaterThanOrEqual(2);
    expect(expected.length).toBeGreaterThanOrEqual(5);
  });

  test('pause in any handler stops before the next call; resume goes on there', () => {
    for (const stop of everyCall) {
      const { calls, handlers } = journal(whole, (call) => {
        if (call === stop) parser.pause();
      });
      const parser = new FrameParser({}, handlers);
      for (const chunk of chunks()) parser.push(chunk); // also while it is paused
      expect(parser.paused).toBe(true);
      expect(calls).toEqual(expected.slice(0, stop));
      parser.resume();
      expect(parser.paused).toBe(false);
      expect(calls).toEqual(expected);
      expect(parser.bufferedBytes).toBe(0);
    }
  });

  test('paused at every call, the parser makes one call a time', () => {
    const { calls, handlers } = journal(whole, () => parser.pause());
    const parser = new FrameParser({}, handlers);
    for (const chunk of chunks()) parser.push(chunk);
    for (let made = 1; made <= expected.length; made++) {
      expect(calls).toEqual(expected.slice(0, made));
      parser.resume();
    }
    expect(calls).toEqual(expected);
  });

  test('pause and resume within one handler is no pause', () => {
    const { calls, handlers } = journal(whole, () => {
      parser.pause();
      parser.resume();
      expect(parser.paused).toBe(false);
    });
    const parser = new FrameParser({}, handlers);
    for (const chunk of chunks()) parser.push(chunk);
    expect(calls).toEqual(expected);
  });

  test.each(['push', 'resume'] as const)('an exception leaves the parser ready for the next %s', (way) => {
    for (const bad of everyCall) {
      const { calls, handlers } = journal(whole, (call) => {
        if (call === bad) throw new Thrown();
      });
      const parser = new FrameParser({}, handlers);
      let thrown = 0;
      for (const chunk of chunks()) {
        try {
          parser.push(chunk);
        } catch (error) {
          if (!(error instanceof Thrown)) throw error;
          thrown++;
          expect(calls).toEqual(expected.slice(0, bad));
          if (way === 'resume') parser.resume();
        }
      }
      parser.push(new Uint8Array(0));
      expect(thrown).toBe(1);
      expect(parser.error).toBeUndefined();
      expect(calls).toEqual(expected);
      expect(parser.bufferedBytes).toBe(0);
    }
  });

  test('a chunk that a handler pushes waits for its turn', () => {
    const [first = new Uint8Array(0), ...rest] = chunks();
    const { calls, handlers } = journal(whole, (call) => {
      if (call > 1) return;
      for (const chunk of rest) parser.push(chunk);
      rest.length = 0;
    });
    const parser = new FrameParser({}, handlers);
    parser.push(first);
    while (calls.length === 0) parser.push(rest.shift()!);
    for (const chunk of rest) parser.push(chunk);
    expect(calls).toEqual(expected);
  });

  test('an exception from resume, with chunks waiting', () => {
    for (const bad of everyCall.slice(1)) {
      const { calls, handlers } = journal(whole, (call) => {
        if (call === 1) parser.pause();
        if (call === bad) throw new Thrown();
      });
      const parser = new FrameParser({}, handlers);
      for (const chunk of chunks()) parser.push(chunk);
      expect(() => parser.resume()).toThrow(Thrown);
      expect(calls).toEqual(expected.slice(0, bad));
      parser.push(new Uint8Array(0));
      expect(calls).toEqual(expected);
    }
  });
});

test('property: whatever handlers do, the calls are the same', () => {
  const actions = fc.array(fc.constantFrom('', '', 'pause', 'throw', 'pause and throw', 'push'), { maxLength: 40 });
  const cuts = fc.array(fc.nat(1000), { maxLength: 10 });
  fc.assert(
    fc.property(fc.array(frames(), { maxLength: 5 }), cuts, fc.boolean(), actions, (list, at, whole, script) => {
      const wire = wireOf(list);
      const run = (disturb: boolean): string[] => {
        const chunks = cut(wire, at).map((chunk) => Uint8Array.from(chunk));
        const { calls, handlers } = journal(whole, (call) => {
          const action = disturb ? (script[call - 1] ?? '') : '';
          const next = action === 'push' ? chunks.shift() : undefined;
          if (next !== undefined) parser.push(next);
          if (action.startsWith('pause')) parser.pause();
          if (action.endsWith('throw')) throw new Thrown();
        });
        const parser = new FrameParser({ allowedRsv: 7 }, handlers);
        const attempt = (step: () => void): void => {
          try {
            step();
          } catch (error) {
            if (!(error instanceof Thrown)) throw error;
          }
        };
        for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
          const next = chunk;
          attempt(() => parser.push(next));
        }
        // Each further step makes a call, or there is none left to make.
        for (let before = -1; before < calls.length || parser.paused;) {
          before = calls.length;
          attempt(() => parser.resume());
        }
        expect(parser.bufferedBytes).toBe(0);
        return calls;
      };
      expect(run(true)).toEqual(run(false));
    }),
    { numRuns: 300 },
  );
});

test('bufferedBytes counts what was pushed and not yet parsed', () => {
  const seen: number[] = [];
  const parser = new FrameParser(
    {},
    {
      frame: () => {
        seen.push(parser.bufferedBytes);
        if (seen.length === 2) parser.pause();
      },
    },
  );
  const frame = hex`82 03 010203`;
  parser.push(hex`${frame} ${frame} ${frame} ${frame} 82`);
  expect(seen).toEqual([16, 11]);
  expect(parser.bufferedBytes).toBe(11);
  parser.push(hex`03 01`);
  parser.push(hex`0203`);
  expect(parser.bufferedBytes).toBe(15);
  parser.resume();
  expect(seen).toEqual([16, 11, 10, 5]);
  expect(parser.bufferedBytes).toBe(0);
});

test('pause before anything was pushed', () => {
  const { calls, handlers } = journal(true, () => undefined);
  const parser = new FrameParser({}, handlers);
  parser.pause();
  for (const chunk of cut(Uint8Array.from(WIRE), [30])) parser.push(chunk);
  expect(parser.bufferedBytes).toBe(WIRE.length);
  expect(calls).toEqual([]);
  parser.resume();
  expect(parser.bufferedBytes).toBe(0);
  expect(calls.at(-1)).toBe('frame 8 03e8');
});

test('a violation behind a pause is thrown by resume, and drops what waited', () => {
  const parser = new FrameParser({}, { frame: () => parser.pause() });
  parser.push(hex`82 00 | 83 00`);
  parser.push(hex`82 00`);
  expect(parser.error).toBeUndefined();
  expect(() => parser.resume()).toThrow(expect.objectContaining({ code: 'WS_ERR_INVALID_OPCODE' }));
  expect(parser.error).toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
  expect(parser.bufferedBytes).toBe(0);
  parser.resume();
  parser.push(hex`82 00`);
  expect(parser.bufferedBytes).toBe(0);
});

test('200 000 chunks that waited are parsed in linear time', () => {
  let bytes = 0;
  const parser = new FrameParser({}, { payload: (slice) => (bytes += slice.length) });
  parser.push(hex`82 7f 0000000000030d40`);
  parser.pause();
  for (let i = 0; i < 200_000; i++) parser.push(Uint8Array.of(i & 0xff));
  expect(parser.bufferedBytes).toBe(200_000);
  parser.resume();
  expect(bytes).toBe(200_000);
});

test('16 MiB in pieces of 100 bytes', () => {
  const size = 16 * 1024 * 1024;
  let next = 0;
  let ended = false;
  const parser = new FrameParser(
    { role: 'server' },
    {
      payload: (slice, offset) => {
        if (offset !== next) throw new Error(`offset ${offset} instead of ${next}`);
        next += slice.length;
      },
      messageEnd: () => (ended = true),
    },
  );
  parser.push(hex`82 ff 0000000001000000 37fa213d`);
  const piece = new Uint8Array(100);
  for (let sent = 0; sent < size; sent += 100) parser.push(sent + 100 > size ? piece.subarray(0, size - sent) : piece);
  expect(next).toBe(size);
  expect(ended).toBe(true);
});

test('an idle parser holds no chunk', async () => {
  const parser = new FrameParser({ role: 'server' }, { frame: () => undefined, payload: () => undefined });
  const push = (): WeakRef<ArrayBufferLike> => {
    const whole = encodeFrame({ opcode: Opcode.Binary, maskingKey: 5 }, new Uint8Array(1000));
    const chunk = Buffer.from(new Uint8Array(Buffer.concat([whole, whole.subarray(0, 500)])).buffer);
    parser.push(chunk);
    return new WeakRef(chunk.buffer);
  };
  const memory = push();
  await setImmediate();
  collectGarbage();
  expect(memory.deref()).toBeUndefined();
  expect(parser.bufferedBytes).toBe(0);
});

test('insideFrame says whether the stream may end', () => {
  const parser = new FrameParser({}, {});
  const seen = Array.from(hex`82 02 6162 | 80 00`, (byte) => {
    parser.push(Uint8Array.of(byte));
    return parser.insideFrame;
  });
  expect(seen).toEqual([true, true, true, false, true, false]);
  parser.pause();
  parser.push(hex`82`);
  expect(parser.insideFrame).toBe(true);
});

describe('what is kept while it is paused', () => {
  const frame = Buffer.from([0x82, 0x03, 1, 2, 3]);

  test('counts with whole chunks, and no more when it is parsed', () => {
    const seen: number[] = [];
    const parser = new FrameParser({}, { frame: (_head, { length }) => seen.push(length) });
    expect(parser.retainedBytes).toBe(0);
    parser.pause();
    parser.push(Buffer.concat([frame, frame]));
    parser.push(frame);
    expect(parser.bufferedBytes).toBe(15);
    expect(parser.retainedBytes).toBeGreaterThan(15);
    expect(parser.retainedBytes).toBeLessThan(15 + 3 * 512);
    parser.resume();
    expect([seen, parser.retainedBytes]).toEqual([[3, 3, 3], 0]);
  });

  test('a chunk that is parsed to its end is not kept, paused or not; one that is half parsed is', () => {
    const parser = new FrameParser({}, { frame: () => parser.pause() });
    parser.push(frame);
    expect(parser.retainedBytes).toBe(0);
    parser.resume();
    parser.push(Buffer.concat([frame, Buffer.alloc(1000)]));
    expect(parser.retainedBytes).toBeGreaterThan(1005);
  });

  test('discard drops it, in a handler too, and whatever comes later', () => {
    const seen: number[] = [];
    const parser = new FrameParser(
      {},
      {
        frame(_head, { length }) {
          seen.push(length);
          parser.discard();
        },
      },
    );
    parser.push(Buffer.concat([frame, frame, frame]));
    parser.push(frame);
    parser.resume();
    expect([seen, parser.retainedBytes, parser.bufferedBytes, parser.paused, parser.error]).toEqual([
      [3],
      0,
      0,
      true,
      undefined,
    ]);
  });
});
