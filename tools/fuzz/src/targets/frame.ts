// Invariant: whatever the bytes and wherever they are cut, FrameParser makes the same calls and ends in the same one ProtocolError, at
// the octet that decides, and throws nothing else, even where its handlers pause and throw; it agrees with a naive reading of §5.2, with
// decodeHeader and with the encoder; masking, UTF-8 and Close bodies agree with naive ones; work grows with the bytes and not faster.
import { isUtf8 } from 'node:buffer';
import {
  decodeClosePayload,
  decodeHeader,
  encodeFrame,
  encodeHeader,
  FrameParser,
  mask,
  ProtocolError,
  Utf8Validator,
  type FrameHandlers,
  type FrameHead,
} from '@ws/frame';
import type { Counters } from '../counting/counters.js';
import { must, same } from '../engine/failure.js';
import { mustBeLinear } from '../engine/linear.js';
import { closeCode, someFrame, TEXTS } from '../oracle/builder.js';
import { naiveFrames, type FrameRulesGiven } from '../oracle/frames.js';
import { hashOf, Random } from '../random.js';
import type { MakeTarget } from '../target.js';

interface Given extends FrameRulesGiven {
  readonly preserveInput: boolean;
  readonly wire: Uint8Array;
  /** Decides on cuts, and on what handlers do. */
  readonly random: () => Random;
}

const MAXIMA = [Infinity, 5, 126, 70_000];

/** Two bytes of options, then the stream; or, by the highest bit of the second, a text. */
function read(input: Uint8Array): Given {
  const [options = 0, more = 0] = input;
  return {
    role: (['any', 'server', 'client', 'any'] as const)[options & 3]!,
    allowedRsv: (options >> 2) & 7,
    strictLength: (options & 0x20) === 0,
    preserveInput: (options & 0x40) !== 0,
    maxFramePayload: MAXIMA[more & 3]!,
    wire: input.subarray(2),
    random: () => new Random(hashOf(input)),
  };
}

interface Seen {
  readonly frames: {
    readonly head: FrameHead;
    readonly payload: string;
    readonly ended: boolean;
    readonly whole: boolean;
  }[];
  readonly error: string | undefined;
}

class Thrown extends Error {}

/** What the parser says. With `disturbing` its handlers pause and throw as they like. */
function parse(chunks: readonly Uint8Array[], given: Given, takesFrames: boolean, disturbing?: Random): Seen {
  interface Open {
    readonly head: FrameHead;
    readonly pieces: Buffer[];
    length: number;
    ended: boolean;
    whole: boolean;
  }
  const frames: Open[] = [];
  let open: Open | undefined;
  let error: string | undefined;
  const disturb = (): void => {
    if (disturbing?.oneIn(4)) parser.pause();
    if (disturbing?.oneIn(6)) throw new Thrown();
  };
  const handlers: FrameHandlers = {
    head(head) {
      must(open === undefined, 'a frame begins inside another one');
      frames.push((open = { head, pieces: [], length: 0, ended: false, whole: false }));
      disturb();
    },
    payload(slice, offset, isLast) {
      must(open !== undefined && offset === open.length, 'a piece of payload is out of place');
      open.length += slice.length;
      must(isLast === (open.length === open.head.payloadLength), 'isLast is wrong');
      open.pieces.push(Buffer.from(slice));
      disturb();
    },
    frameEnd() {
      must(open?.length === open?.head.payloadLength, 'a frame ends early');
      if (open) open.ended = true;
      open = undefined;
      disturb();
    },
    messageEnd() {
      const last = frames.at(-1);
      must(
        last !== undefined && last.ended && last.head.fin && last.head.opcode < 8 && !last.whole,
        'a message ends early',
      );
      last.whole = true;
      disturb();
    },
  };
  if (takesFrames) {
    handlers.frame = (head, payload) => {
      must(open === undefined && payload.length === head.payloadLength, 'a whole frame is none');
      const whole = head.fin && head.opcode < 8;
      frames.push({ head, pieces: [Buffer.from(payload)], length: payload.length, ended: true, whole });
      disturb();
    };
  }
  const { maxFramePayload, ...options } = given;
  const parser = new FrameParser(
    { ...options, maxFramePayload: maxFramePayload === Infinity ? false : maxFramePayload },
    handlers,
  );
  const attempt = (step: () => void): void => {
    try {
      step();
    } catch (thrown) {
      if (thrown instanceof Thrown) return;
      if (!(thrown instanceof ProtocolError)) throw thrown;
      must(error === undefined && parser.error === thrown, 'a second error');
      error = thrown.code;
    }
  };
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    attempt(() => parser.push(copy));
    if (given.preserveInput && !disturbing) must(copy.equals(chunk), 'the input was changed');
  }
  if (disturbing) {
    const made = (): number =>
      frames.reduce((sum, one) => sum + 1 + one.pieces.length + (one.ended ? 1 : 0) + (one.whole ? 1 : 0), 0);
    for (let calls = -1; parser.paused || made() > calls;) {
      calls = made();
      attempt(() => parser.resume());
    }
  }
  must(parser.error?.code === error && parser.bufferedBytes === 0, 'something was kept');
  return {
    frames: frames.map(({ head, pieces, ended, whole }) => ({
      head,
      payload: Buffer.concat(pieces).toString('hex'),
      ended,
      whole,
    })),
    error,
  };
}

function checkAgainstNaive(seen: Seen, given: Given): void {
  const naive = naiveFrames(given.wire, given);
  same(
    seen,
    {
      frames: naive.frames.map(({ head, payload, ended }) => ({
        head,
        payload: payload.toString('hex'),
        ended,
        whole: ended && head.fin && head.opcode < 8,
      })),
      error: naive.error,
    },
    'the parser disagrees with a naive reading',
  );
  for (const { head, payload, ended, at, bodyAt } of naive.frames) {
    const { byteLength, ...decoded } = decodeHeader(given.wire.subarray(at), given.strictLength)!;
    same(decoded, head, 'decodeHeader disagrees');
    must(byteLength === bodyAt - at, 'decodeHeader has another length');
    if (!given.strictLength) continue;
    const encoded = ended ? encodeFrame(head as FrameHead, payload) : encodeHeader(head as FrameHead);
    const wire = given.wire.subarray(at, ended ? bodyAt + payload.length : bodyAt);
    must(Buffer.from(encoded).equals(wire), 'what was parsed encodes to something else');
  }
}

function checkUtf8(bytes: Uint8Array, random: Random): void {
  const [pure, fast] = [new Utf8Validator(), new Utf8Validator(isUtf8)];
  for (const piece of random.cut(bytes, 1 + random.below(40))) {
    // Fails at the first bad byte: what was good so far is the beginning of some text.
    must(pure.push(piece) === fast.push(piece), 'the two ways to check UTF-8 differ');
  }
  must(pure.end() === isUtf8(bytes) && fast.end() === isUtf8(bytes), 'UTF-8 is judged wrongly');
}

const TEXT = Buffer.from('ascii only, then Grüße, 漢字 and 😀 '.repeat(3));
/** Octets at which UTF-8 changes its mind. */
const UTF8_EDGES = [
  0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff,
];

/** From anywhere in a text, with a few octets that may not belong there. */
function someText(random: Random): Buffer {
  const text = Buffer.from(TEXT.subarray(random.below(TEXT.length)));
  for (let bad = random.below(3); bad > 0 && text.length > 0; bad--)
    text[random.below(text.length)] = random.pick(UTF8_EDGES);
  return text;
}

/** Whatever head a caller makes up, it is refused or reads back as it was. */
function checkEncoder(random: Random): void {
  const odd = [-1, 0.5, NaN, Infinity, 2 ** 53, 2 ** 32, undefined];
  const opcode = random.oneIn(8) ? random.pick([...odd, 3, 7, 11, 15]) : random.pick([0, 1, 2, 8, 9, 10]);
  const head = {
    opcode,
    fin: random.oneIn(2),
    rsv: Number(opcode) >= 8 ? random.below(4) : random.oneIn(8) ? random.pick([...odd, 8]) : random.below(8),
    maskingKey: random.oneIn(8) ? random.pick(odd) : random.oneIn(2) ? random.below(2 ** 32) : undefined,
    payloadLength: random.oneIn(8)
      ? (random.pick(odd) ?? 0)
      : random.pick([0, 125, 126, 127, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, Number.MAX_SAFE_INTEGER]),
  };
  let bytes;
  try {
    bytes = encodeHeader(head as Parameters<typeof encodeHeader>[0]);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const isControl = [8, 9, 10].includes(head.opcode ?? -1);
    const isWhole = (value: number | undefined, most: number): boolean =>
      Number.isInteger(value) && value! >= 0 && value! <= most;
    const isLegal =
      [0, 1, 2, 8, 9, 10].includes(head.opcode ?? -1) &&
      (head.rsv === undefined || isWhole(head.rsv, 7)) &&
      (head.maskingKey === undefined || isWhole(head.maskingKey, 2 ** 32 - 1)) &&
      isWhole(head.payloadLength, Number.MAX_SAFE_INTEGER) &&
      !(isControl && (!head.fin || head.payloadLength > 125));
    return must(!isLegal, () => `refused: ${JSON.stringify(head)}`);
  }
  const [first] = naiveFrames(bytes, {
    role: 'any',
    allowedRsv: 7,
    strictLength: true,
    maxFramePayload: Infinity,
  }).frames;
  same(
    first?.head,
    {
      fin: head.fin,
      rsv: head.rsv ?? 0,
      opcode: head.opcode,
      maskingKey: head.maskingKey,
      payloadLength: head.payloadLength,
    },
    'a head is written as another one',
  );
}

function checkMask(bytes: Uint8Array, random: Random): void {
  const key = random.below(2 ** 32);
  const offset = random.below(9);
  const shift = random.below(4);
  const memory = new Uint8Array(bytes.length + shift);
  memory.set(bytes, shift);
  mask(memory.subarray(shift), key, offset);
  const octets = [key >>> 24, (key >>> 16) & 255, (key >>> 8) & 255, key & 255];
  const wrong = bytes.findIndex((byte, i) => memory[shift + i] !== (byte ^ octets[(i + offset) % 4]!));
  must(wrong === -1, `byte ${wrong} is masked wrongly`);
}

function checkCloseBody(body: Uint8Array): void {
  let seen: unknown;
  try {
    seen = decodeClosePayload(body);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    seen = error.code;
  }
  same(seen, naiveCloseBody(Buffer.from(body)), 'a Close body is read wrongly');
}

export function naiveCloseBody(body: Buffer): { code: number; reason: string } | string {
  if (body.length === 0) return { code: 1005, reason: '' };
  if (body.length === 1) return 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH';
  const code = body.readUInt16BE();
  if (!/^(100[0-3]|100[7-9]|101[0-4]|[34]\d\d\d)$/.test(String(code))) return 'WS_ERR_INVALID_CLOSE_CODE';
  if (!isUtf8(body.subarray(2))) return 'WS_ERR_INVALID_UTF8';
  return { code, reason: body.toString('utf8', 2) };
}

/** The same stream again and again costs as much for each byte at 64 KiB as at 16 KiB. */
async function checkWork(given: Given, counters: Counters): Promise<void> {
  const { wire } = given;
  if (wire.length === 0) return;
  const stepsFor = (length: number): number => {
    const long = Buffer.alloc(length, wire);
    const before = counters.steps();
    const chunks = given.random().cut(long, 3);
    let error: unknown;
    const parser = new FrameParser(
      { role: given.role, allowedRsv: 7, strictLength: given.strictLength },
      { payload: () => {} },
    );
    try {
      for (const chunk of chunks) parser.push(chunk);
    } catch (thrown) {
      error = thrown;
    }
    must(error === undefined || error instanceof ProtocolError, () => `threw ${String(error)}`);
    return counters.steps() - before;
  };
  await mustBeLinear(stepsFor);
}

export const makeTarget: MakeTarget = ({ counters }) => ({
  name: 'frame',
  covers: [
    'frame/parser',
    'frame/partial-header',
    'frame/fragment-run',
    'frame/rules',
    'frame/header',
    'frame/mask',
    'frame/utf8',
    'frame/byte-queue',
    'frame/close',
    'frame/serializer',
  ],
  maxLength: 4096,
  seeds: () => {
    const random = new Random(5);
    const text = Buffer.concat([Buffer.from([0, 0x80]), TEXT]);
    const streams = [0x00, 0x1c, 0x01, 0x02, 0x20, 0x40].map((options) =>
      Buffer.concat(
        [[options, 0], ...Array.from({ length: 5 }, () => someFrame(random, options !== 2))].map((part) =>
          Buffer.from(part),
        ),
      ),
    );
    return [text, ...streams];
  },
  dictionary: [
    ...TEXTS,
    ...[
      '817e0000',
      '827f0000000000010000',
      '827fffffffffffffffff',
      '827f001fffffffffffff',
      '88',
      '8902',
      'f0808080',
      'eda080',
      'f48fbfbf',
    ].map((text) => Buffer.from(text, 'hex')),
  ],
  mutate(input, other, random) {
    const given = read(input);
    const starts = [
      ...naiveFrames(given.wire, { ...given, allowedRsv: 7, strictLength: false }).frames.map(({ at }) => at + 2),
      input.length,
    ];
    const at = random.pick(starts);
    const piece = random.oneIn(3)
      ? other.subarray(2)
      : random.oneIn(8)
        ? closeCode(random)
        : someFrame(random, !random.oneIn(3));
    const until = random.oneIn(3) ? random.pick(starts) : at;
    return Buffer.concat([input.subarray(0, Math.min(at, until)), piece, input.subarray(Math.max(at, until))]);
  },
  run(input) {
    const given = read(input);
    const random = given.random();
    const { wire } = given;
    if (((input[1] ?? 0) & 0x80) !== 0) return checkUtf8(wire, random); // a text, and nothing else
    const seen = parse([wire], given, false);
    checkAgainstNaive(seen, given);
    counters.saw(`${seen.frames.slice(-2).map(({ head, ended }) => `${head.opcode}${head.fin}${Math.min(head.payloadLength, 127) >> 5}${ended}`).join()} ${seen.error}`); // prettier-ignore
    same(parse([wire], given, true), seen, 'whole frames are others');
    same(parse(random.cut(wire, 1), given, false), seen, 'byte by byte it is something else');
    same(parse(random.cut(wire, 1 + random.below(60)), given, random.oneIn(2)), seen, 'it depends on the cuts');
    same(parse(random.cut(wire, 1 + random.below(60)), given, random.oneIn(2), random), seen, 'handlers disturb it');
    checkUtf8(wire, random);
    for (let i = 0; i < 4; i++) checkUtf8(someText(random), random);
    checkEncoder(random);
    checkCloseBody(wire.subarray(random.below(wire.length + 1)));
    checkMask(wire, random);
    for (const { head, payload, ended } of seen.frames)
      if (head.opcode === 8 && ended) checkCloseBody(Buffer.from(payload, 'hex'));
    if (random.oneIn(64)) return checkWork(given, counters);
  },
});
