import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { everySplit, hex } from '@ws/testing';
import { encodeFrame, encodeHeader, FrameParser, Opcode, type FrameHandlers } from '../src/index.js';
import { byteLoop } from './byte-loop.js';
import { cut, frames, wireOf, type Frame } from './frames.js';
import { parse, type Report } from './record.js';

const KEY = 0x37fa213d;

const reportOf = (list: readonly Frame[]): Report => ({
  events: list.flatMap(({ head, payload }) => {
    const frame = { head, payload: Buffer.from(payload).toString('hex'), complete: true };
    return head.fin && head.opcode < 8 ? [frame, 'messageEnd' as const] : [frame];
  }),
  error: undefined,
});

describe('RFC 6455 §5.7', () => {
  const hello = '48656c6c6f';
  const head = (opcode: Opcode, payloadLength: number, fin = true, maskingKey?: number) => ({
    fin,
    rsv: 0,
    opcode,
    maskingKey,
    payloadLength,
  });
  const whole = { complete: true };

  test.each([
    [
      'a single-frame unmasked text message',
      hex`81 05 ${hello}`,
      [{ head: head(1, 5), payload: hello, ...whole }, 'messageEnd'],
    ],
    [
      'a single-frame masked text message',
      hex`81 85 37fa213d 7f9f4d5158`,
      [{ head: head(1, 5, true, KEY), payload: hello, ...whole }, 'messageEnd'],
    ],
    [
      'a fragmented unmasked text message',
      hex`01 03 48656c | 80 02 6c6f`,
      [
        { head: head(1, 3, false), payload: '48656c', ...whole },
        { head: head(0, 2), payload: '6c6f', ...whole },
        'messageEnd',
      ],
    ],
    [
      'an unmasked ping and a masked pong',
      hex`89 05 ${hello} | 8a 85 37fa213d 7f9f4d5158`,
      [
        { head: head(9, 5), payload: hello, ...whole },
        { head: head(10, 5, true, KEY), payload: hello, ...whole },
      ],
    ],
    [
      '256 bytes in one unmasked frame',
      hex`82 7e 0100 ${'ab'.repeat(256)}`,
      [{ head: head(2, 256), payload: 'ab'.repeat(256), ...whole }, 'messageEnd'],
    ],
  ])('%s, however it is cut', (_, wire, events) => {
    for (const listen of [true, false]) {
      for (const chunks of everySplit(wire)) expect(parse(chunks, {}, listen)).toEqual({ events, error: undefined });
    }
  });

  test('64 KiB in one unmasked frame', () => {
    const wire = hex`82 7f 0000000000010000 ${new Uint8Array(65536).fill(7)}`;
    const events = [{ head: head(2, 65536), payload: '07'.repeat(65536), ...whole }, 'messageEnd'];
    for (const chunks of [[wire], cut(wire, [1]), cut(wire, [5]), cut(wire, [10]), cut(wire, [11, 4000, 60000])])
      expect(parse(chunks)).toEqual({ events, error: undefined });
  });
});

describe('lengths', () => {
  test.each([0, 1, 125, 126, 127, 1000, 65535, 65536, 70000])('%i bytes arrive, masked and not', (length) => {
    const payload = Uint8Array.from({ length }, (_, i) => (i * 7) & 0xff);
    for (const maskingKey of [undefined, KEY, 0x80000001]) {
      const frame: Frame = {
        head: { fin: true, rsv: 0, opcode: 2, maskingKey, payloadLength: length },
        payload,
      };
      const wire = wireOf([frame, frame]);
      for (const chunks of [[wire], cut(wire, [3]), cut(wire, [15, 16, 17]), cut(wire, [wire.length / 2])])
        expect(parse(chunks)).toEqual(reportOf([frame, frame]));
    }
  });

  test.each([2 ** 31, 2 ** 32, 2 ** 32 + 5, 2 ** 53 - 1])('%i bytes are announced as that many', (payloadLength) => {
    for (const maskingKey of [undefined, KEY]) {
      const header = encodeHeader({ opcode: Opcode.Binary, payloadLength, maskingKey });
      for (const chunks of everySplit(header)) {
        const lengths: number[] = [];
        const parser = new FrameParser({}, { head: (head) => lengths.push(head.payloadLength) });
        chunks.forEach((chunk) => parser.push(chunk));
        expect(lengths).toEqual([payloadLength]);
      }
    }
  });

  test('longer forms are taken when strictLength is false', () => {
    const long = hex`82 7e 0001 07 | 82 ff 0000000000000001 00000000 08`;
    for (const chunks of everySplit(long)) {
      const { events, error } = parse(chunks, { strictLength: false });
      expect(error).toBeUndefined();
      expect(events).toMatchObject([{ payload: '07' }, 'messageEnd', { payload: '08' }, 'messageEnd']);
    }
  });

  test('maxFramePayload counts data frames, not control frames, and is no limit when 0 or false', () => {
    const ping = encodeFrame({ opcode: Opcode.Ping }, new Uint8Array(125));
    const data = encodeFrame({ opcode: Opcode.Binary }, new Uint8Array(125));
    for (const chunks of everySplit(ping)) expect(parse(chunks, { maxFramePayload: 10 }).error).toBeUndefined();
    expect(parse([data], { maxFramePayload: 125 }).error).toBeUndefined();
    expect(parse([data], { maxFramePayload: 124 }).error).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    for (const maxFramePayload of [0, false, Infinity] as const)
      expect(parse([encodeFrame({ opcode: 2 }, new Uint8Array(70000))], { maxFramePayload }).error).toBeUndefined();
  });
});

describe('reserved bits', () => {
  test('an extension owns the bits it was given, RSV1 on data frames only', () => {
    for (let allowedRsv = 0; allowedRsv < 8; allowedRsv++) {
      for (let rsv = 0; rsv < 8; rsv++) {
        const data = parse([Uint8Array.of(0x81 | (rsv << 4), 0)], { allowedRsv });
        expect(data.error === undefined).toBe((rsv & ~allowedRsv) === 0);
        const control = parse([Uint8Array.of(0x89 | (rsv << 4), 0)], { allowedRsv });
        expect(control.error === undefined).toBe((rsv & ~(allowedRsv & 3)) === 0);
      }
    }
  });
});

describe('properties', () => {
  const cuts = fc.array(fc.nat(2000), { maxLength: 12 });

  test.each([
    ['any', undefined],
    ['server', true],
    ['client', false],
  ] as const)('role %s: what was encoded is reported, however it is cut', (role, masked) => {
    const list = fc.array(frames(masked), { maxLength: 8 });
    fc.assert(
      fc.property(list, cuts, fc.boolean(), fc.boolean(), (sent, at, whole, preserveInput) => {
        const chunks = cut(wireOf(sent), at);
        expect(parse(chunks, { role, allowedRsv: 7, preserveInput }, whole)).toEqual(reportOf(sent));
      }),
      { numRuns: 150 },
    );
  });

  /** Streams that are nearly right: legal frames with some octets changed, or anything. */
  const streams = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .tuple(fc.array(frames(), { maxLength: 5 }), fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 3 }))
      .map(([list, changes]) => {
        const wire = wireOf(list);
        for (const [at, value] of changes) if (at < wire.length) wire[at] = value;
        return wire;
      }),
  );
  const options = fc.record({
    role: fc.constantFrom('any' as const, 'server' as const, 'client' as const),
    allowedRsv: fc.nat(7),
    maxFramePayload: fc.constantFrom(false as const, 5, 50, 125, 126, 300, 70000),
    strictLength: fc.boolean(),
    preserveInput: fc.boolean(),
  });

  test('any bytes end in events or in one ProtocolError, the same ones wherever they are cut', () => {
    fc.assert(
      fc.property(streams, options, cuts, (wire, given, at) => {
        const expected = parse([wire], given, false); // throws what is not a ProtocolError
        expect(parse(cut(wire, at), given, false)).toEqual(expected);
        expect(parse(cut(wire, at), given, true)).toEqual(expected);
        expect(parse([wire], given, true)).toEqual(expected);
        const octets = Array.from(wire, (_, i) => wire.subarray(i, i + 1));
        expect(parse(octets, given, true)).toEqual(expected);
      }),
      { numRuns: 600 },
    );
  });
});

describe('whose memory', () => {
  const payload = Uint8Array.from({ length: 100 }, (_, i) => i);
  const masked = encodeFrame({ opcode: Opcode.Binary, maskingKey: KEY }, payload);
  const plain = encodeFrame({ opcode: Opcode.Binary }, payload);

  /** The slices that were handed over, without a look at what is in them. */
  function slices(chunks: readonly Uint8Array[], preserveInput: boolean, whole: boolean): Uint8Array[] {
    const seen: Uint8Array[] = [];
    const handlers: FrameHandlers = { payload: (slice) => seen.push(slice) };
    if (whole) handlers.frame = (_, slice) => seen.push(slice);
    const parser = new FrameParser({ preserveInput }, handlers);
    for (const chunk of chunks) parser.push(chunk);
    return seen;
  }

  test.each([true, false])('a payload is a view of the chunk, unmasked in place (whole: %p)', (whole) => {
    for (const wire of [masked, plain]) {
      const chunk = Buffer.concat([wire]);
      const [first, ...rest] = slices([chunk], false, whole);
      expect(rest).toEqual([]);
      expect(first).toBeInstanceOf(Buffer);
      expect(first?.buffer).toBe(chunk.buffer);
      expect(first?.byteOffset).toBe(chunk.byteOffset + wire.length - 100);
      expect(first?.length).toBe(100);
      expect(first).toEqual(Buffer.from(payload));
      expect(Buffer.compare(chunk.subarray(-100), payload)).toBe(0);
    }
  });

  test('pieces are views too: nothing is put together, and nothing waits', () => {
    const octets = Array.from(masked, (octet) => Uint8Array.of(octet));
    const seen = slices(octets, false, true);
    expect(seen).toHaveLength(100);
    seen.forEach((slice, i) => expect(slice.buffer).toBe(octets[masked.length - 100 + i]?.buffer));
    expect(Buffer.concat(seen)).toEqual(Buffer.from(payload));
  });

  test.each([true, false])('preserveInput leaves the chunk as it was (whole: %p)', (whole) => {
    for (const cuts of [[], [1], [6], [7], [50], [3, 4, 60, 61]]) {
      const wire = Buffer.concat([masked, plain, masked]);
      const before = Buffer.from(wire);
      const seen = slices(cut(wire, cuts), true, whole);
      expect(Buffer.compare(wire, before)).toBe(0);
      expect(Buffer.concat(seen)).toEqual(Buffer.concat([payload, payload, payload]));
      seen[0]?.fill(0xee);
      expect(Buffer.compare(wire, before)).toBe(0);
    }
  });

  test('preserveInput copies masked payloads only', () => {
    const chunk = Buffer.concat([plain]);
    expect(slices([chunk], true, true)[0]?.buffer).toBe(chunk.buffer);
  });

  test('slices are of the class that the chunk itself would make', () => {
    class Plain extends Uint8Array {}
    class Odd extends Uint8Array {
      static get [Symbol.species](): never {
        return undefined as never;
      }
    }
    for (const preserveInput of [true, false]) {
      const chunks = [Buffer.from(masked), Uint8Array.from(masked), Plain.from(masked), Odd.from(masked)];
      const classes = slices(chunks, preserveInput, true).map((slice) => slice.constructor);
      expect(classes).toEqual([Buffer, Uint8Array, Plain, Uint8Array]);
    }
  });

  test('the key turns with the place of a piece, at any place in memory', () => {
    for (let shift = 0; shift < 4; shift++) {
      for (let at = 0; at < 12; at++) {
        const memory = new Uint8Array(masked.length + shift);
        memory.set(masked, shift);
        const seen = slices(cut(memory.subarray(shift), [at]), false, true);
        expect(Buffer.concat(seen)).toEqual(Buffer.from(payload));
      }
    }
    expect(Buffer.compare(masked.subarray(-100), byteLoop(payload, KEY))).toBe(0);
  });

  test('payload that nobody listens for is not touched', () => {
    const chunk = masked.slice();
    new FrameParser({}, { head: () => undefined }).push(chunk);
    expect(chunk).toEqual(masked);
  });
});

test('handlers may all be missing', () => {
  const parser = new FrameParser({}, {});
  for (const octet of hex`01 01 61 | 80 00 | 89 00`) parser.push(Uint8Array.of(octet));
  expect(parser.error).toBeUndefined();
});

describe('mistakes of the caller', () => {
  const construct = (options: unknown, handlers: unknown = {}) =>
    new FrameParser(options as ConstructorParameters<typeof FrameParser>[0], handlers as FrameHandlers);

  test.each([
    [TypeError, { role: 'proxy' }, 'role is proxy'],
    [TypeError, { role: null }, 'role is null'],
    [RangeError, { allowedRsv: 8 }, 'allowedRsv is 8'],
    [RangeError, { allowedRsv: -1 }, 'allowedRsv is -1'],
    [RangeError, { allowedRsv: 1.5 }, 'allowedRsv is 1.5'],
    [RangeError, { allowedRsv: '4' }, 'allowedRsv is 4'],
    [RangeError, { maxFramePayload: -1 }, 'maxFramePayload is -1'],
    [RangeError, { maxFramePayload: NaN }, 'maxFramePayload is NaN'],
    [RangeError, { maxFramePayload: true }, 'maxFramePayload is true'],
    [RangeError, { maxFramePayload: '5' }, 'maxFramePayload is 5'],
    [TypeError, { strictLength: 1 }, 'strictLength is 1'],
    [TypeError, { preserveInput: 'yes' }, 'preserveInput is yes'],
  ])('%p for %p', (kind, options, message) => {
    expect(() => construct(options)).toThrow(kind);
    expect(() => construct(options)).toThrow(message);
  });

  test('undefined is the default', () => {
    const options = { role: undefined, allowedRsv: undefined, maxFramePayload: undefined, strictLength: undefined };
    expect(() => construct({ ...options, preserveInput: undefined })).not.toThrow();
  });

  test.each([undefined, null, 'frame'])('handlers cannot be %p', (handlers) => {
    expect(() => construct({}, handlers ?? null)).toThrow(TypeError);
  });

  test.each([undefined, null, 'text', [1, 2], new ArrayBuffer(2), new Int8Array(2), new DataView(new ArrayBuffer(2))])(
    'a chunk cannot be %p',
    (chunk) => {
      const parser = new FrameParser({}, {});
      expect(() => parser.push(chunk as unknown as Uint8Array)).toThrow(TypeError);
      expect(parser.error).toBeUndefined();
    },
  );
});
