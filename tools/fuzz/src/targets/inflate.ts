// Invariant: whatever bytes come as compressed messages, however they are cut, they end in at most `remaining` bytes of output or in one
// error with a stable code, the same whichever way zlib is used, at once or streamed to a reader who now and then has no room; outcome and
// content are those of an inflater written after RFC 1951 alone, and of node:zlib; the next message is not harmed; work grows with the bytes.
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { PerMessageDeflate } from '@ws/deflate';
import { zlibBackend } from '@ws/deflate/node';
import { CUT_SHORT, InflateError, Inflater, TOO_LONG } from '@ws/testing';
import type { Counters } from '../counting/counters.js';
import { must, same } from '../engine/failure.js';
import { mustBeLinear } from '../engine/linear.js';
import { hashOf, Random } from '../random.js';
import type { MakeTarget } from '../target.js';

const CORRUPT = 'WS_ERR_INVALID_DEFLATE_DATA';
const TOO_MUCH = ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_INFLATION_RATIO'];

/** Every way to use zlib. */
const BACKENDS = [true, false].flatMap((fastPath) => [
  zlibBackend({ fastPath }),
  zlibBackend({ fastPath, syncInflateLimit: 0 }),
]);
const MAXIMA = [5000, 1, 100, 100_000];
/** Of the decompressor: behind them a message goes on no more. */
const MOST_FINAL_BLOCKS = 64;
/** With what the decompressor sees that a message is whole. */
const OUR_ENDING = Buffer.from([1, 0, 0, 0xff, 0xff]);
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);

interface Given {
  readonly takeover: boolean;
  readonly windowBits: number;
  readonly maxPayload: number;
  readonly maxRatio: number;
  readonly messages: readonly Uint8Array[];
}

/** Two octets of options, then messages: two octets of length before each. */
function read(input: Uint8Array): Given {
  const [one = 0, two = 0] = input;
  const messages: Uint8Array[] = [];
  for (let at = 2; at < input.length && messages.length < 4;) {
    const length = ((input[at] ?? 0) << 8) | (input[at + 1] ?? 0);
    messages.push(input.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return {
    takeover: (one & 1) === 0,
    windowBits: 15 - ((one >> 1) & 7),
    maxPayload: MAXIMA[(one >> 4) & 3]!,
    maxRatio: (two & 1) === 0 ? Infinity : 20,
    messages,
  };
}

function write(options: Uint8Array, messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat([
    options,
    ...messages.flatMap((message) => [Buffer.from([message.length >> 8, message.length & 255]), message]),
  ]);
}

type Accepted = { readonly content: Buffer };
type Verdict = (Accepted & { readonly code?: undefined }) | { readonly code: string; readonly content?: undefined };

/** A reader who now and then has no room, and then gets nothing. */
class Reader {
  isWaiting = false;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }
  get isFull(): boolean {
    return (this.isWaiting = this.#random.oneIn(3));
  }
  whenRoom(proceed: () => void): void {
    setImmediate(() => {
      this.isWaiting = false;
      proceed();
    });
  }
}

async function decode(
  end: PerMessageDeflate,
  pieces: readonly Uint8Array[],
  maxPayload: number,
  random: Random,
  flow?: Reader,
): Promise<Verdict> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const whole = random.oneIn(2) ? undefined : pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (const [i, piece] of pieces.entries()) {
    let answers = 0;
    const told = {
      opcode: 2,
      first: i === 0,
      last: i === pieces.length - 1,
      length: whole,
      remaining: maxPayload - length,
      flow,
    } as const;
    const copy = Uint8Array.from(piece);
    const failure = await new Promise<{ readonly code: string } | null>((resolve) =>
      end.decode(
        copy,
        told,
        (part) => {
          must(flow?.isWaiting !== true && answers === 0, 'output where there is no room for it');
          parts.push(part);
          length += part.length;
        },
        (error) => {
          must(++answers === 1, 'answered twice');
          resolve(error);
        },
      ),
    );
    must(length <= maxPayload, `${length} bytes, limit ${maxPayload}`);
    must(Buffer.from(copy).equals(piece), 'the input was changed');
    if (failure === null) continue;
    must(failure.code === CORRUPT || TOO_MUCH.includes(failure.code), `${failure.code}: ${String(failure)}`);
    const { code } = failure;
    return { code };
  }
  return { content: Buffer.concat(parts) };
}

function naive(inflater: Inflater, message: Uint8Array, maxPayload: number): Verdict {
  if (message.length === 0) return { content: Buffer.alloc(0) };
  try {
    return { content: inflater.message(message, maxPayload) };
  } catch (error) {
    if (!(error instanceof InflateError)) throw error;
    if (error.message === CUT_SHORT) return { code: CUT_SHORT }; // and what we put behind it may be read as any amount of content
    return { code: error.message === TOO_LONG ? TOO_MUCH[0]! : CORRUPT };
  }
}

function checkAgainstZlib(message: Uint8Array, before: Buffer, content: Buffer): void {
  const dictionary = before.length > 0 ? { dictionary: before } : {};
  const plain = inflateRawSync(Buffer.concat([message, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH, ...dictionary });
  must(plain.equals(content), 'node:zlib has other content');
}

const isAccepted = (verdict: Verdict): verdict is Accepted & { code?: undefined } => verdict.content !== undefined;
const shortly = (verdict: Verdict): string =>
  isAccepted(verdict)
    ? `${verdict.content.length} bytes ${verdict.content.toString('hex', 0, 40)}`
    : String(verdict.code);

async function check(given: Given, random: Random, counters: Counters): Promise<void> {
  const { takeover, windowBits, maxPayload, maxRatio } = given;
  const parameters = { clientNoContextTakeover: !takeover, clientMaxWindowBits: windowBits };
  const last = Buffer.concat([
    deflateRawSync('and the next one?', { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
  ]);
  const ways = [BACKENDS[0]!, random.pick(BACKENDS), random.pick(BACKENDS)].map((backend, i) => ({
    end: new PerMessageDeflate({ role: 'server', backend, parameters, maxRatio }),
    flow: i > 0 && random.oneIn(2) ? new Reader(random) : undefined,
  }));
  const [strict, lenient] = [new Inflater(windowBits, takeover, true), new Inflater(15, takeover, true)];
  let before: Buffer = Buffer.alloc(0);
  try {
    for (const message of [...given.messages, last]) {
      const limit = message === last ? 100 : maxPayload;
      const verdicts: Verdict[] = [];
      for (const [i, { end, flow }] of ways.entries())
        verdicts.push(
          await decode(
            end,
            i === 0 ? [message] : withEmpty(random.cut(message, random.pick([1, 10, 1000])), random),
            limit,
            random,
            flow,
          ),
        );
      const [first, ...others] = verdicts as [Verdict, ...Verdict[]];
      counters.saw(isAccepted(first) ? `accepted ${Math.min(first.content.length, 300)}` : String(first.code));
      // Where a message is both too long and corrupt, what is noticed first may differ.
      for (const other of others) {
        const isSame = isAccepted(first)
          ? isAccepted(other) && other.content.equals(first.content)
          : !isAccepted(other);
        must(isSame, () => `it depends on the way: ${shortly(first)}, ${shortly(other)}`);
      }
      const expected = naive(lenient, message, limit);
      const exact = windowBits === 15 ? expected : naive(strict, message, limit);
      const isRatio =
        !isAccepted(first) && first.code === 'WS_ERR_INFLATION_RATIO' && message.length * maxRatio < 200_000;
      if (isAccepted(first)) {
        // A final block that is longer than its message takes for content what we put behind that: such a sender has its own way.
        if (expected.code === CUT_SHORT && first.content.subarray(-5).equals(OUR_ENDING)) return;
        must(
          isAccepted(expected) && expected.content.equals(first.content),
          () => `accepted as ${shortly(first)}, is ${shortly(expected)}`,
        );
        if (lenient.finalBlocks === 0 && message.length > 0) checkAgainstZlib(message, takeover ? before.subarray(-(2 ** windowBits)) : Buffer.alloc(0), first.content); // prettier-ignore
        before = Buffer.concat([before, first.content]);
      } else {
        // Behind a final block a message of its own window begins anew, which no sender of ours would notice.
        const isOurs = lenient.finalBlocks > (takeover ? MOST_FINAL_BLOCKS : 0) || lenient.tookTail;
        must(!isAccepted(exact) || isRatio || isOurs, () => `refused with ${first.code}, is ${shortly(exact)}`);
        if (!isAccepted(expected) && expected.code === CORRUPT && !isRatio && !isOurs)
          same(first.code, CORRUPT, 'corrupt data is called something else');
        return;
      }
    }
  } finally {
    for (const { end } of ways) end.close();
  }
}

function withEmpty(pieces: Uint8Array[], random: Random): Uint8Array[] {
  if (pieces.length === 0 || random.oneIn(8)) pieces.splice(random.below(pieces.length + 1), 0, new Uint8Array(0));
  return pieces;
}

/** One octet at a time, 64 KiB cost for each octet what 16 KiB do. */
async function checkWork(given: Given, counters: Counters): Promise<void> {
  const stepsFor = async (length: number): Promise<number> => {
    const end = new PerMessageDeflate({ role: 'server', backend: BACKENDS[0]! });
    const message = given.messages[0] ?? new Uint8Array(1);
    const bytes = Buffer.alloc(length, message.length > 0 ? message : 0);
    const before = counters.steps();
    await decode(end, new Random(1).cut(bytes, 1), 10_000_000, new Random(1));
    end.close();
    return counters.steps() - before;
  };
  await mustBeLinear(stepsFor);
}

function someContent(random: Random): Buffer {
  const length = random.below(random.pick([10, 1000, 1000, 20_000]));
  const kind = random.below(3);
  if (kind === 0) return Buffer.from(random.bytes(Math.min(length, 1000)));
  if (kind === 1) return Buffer.alloc(length, random.pick(['a', 'abc', '\0', 'and the next one?']));
  return Buffer.from(Uint8Array.from({ length }, () => 97 + random.below(6)));
}

/** One or several blocks, perhaps final ones in between. */
function someMessage(random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let blocks = random.below(3); blocks >= 0; blocks--) {
    const finishFlush = random.oneIn(6)
      ? constants.Z_FINISH
      : random.pick([constants.Z_SYNC_FLUSH, constants.Z_FULL_FLUSH]);
    const dictionary = random.oneIn(3) ? { dictionary: someContent(random) } : {};
    if (dictionary.dictionary?.length === 0) delete dictionary.dictionary;
    parts.push(
      deflateRawSync(someContent(random), {
        level: random.below(10),
        finishFlush,
        strategy: random.below(5),
        windowBits: 9 + random.below(7),
        ...dictionary,
      }),
    );
  }
  const whole = Buffer.concat(parts);
  return random.oneIn(3) ? whole : whole.subarray(0, -4);
}

export const makeTarget: MakeTarget = ({ counters }) => ({
  name: 'inflate',
  covers: [
    'deflate/decompression',
    'deflate/window',
    'deflate/node/at-once',
    'deflate/node/ending',
    'deflate/node/inflation',
    'deflate/node/stream-inflater',
    'deflate/node/zlib-handle',
    'deflate/permessage-deflate',
  ],
  maxLength: 4096,
  seeds: () => {
    const random = new Random(3);
    return Array.from({ length: 24 }, (_, i) =>
      write(Buffer.from([i * 5, i & 1]), [someMessage(random), someMessage(random)]),
    );
  },
  dictionary: [
    '00000000ffff',
    '010000ffff',
    '0000ffff',
    '0300',
    '050000',
    'c1000000',
    '6360',
    'f248cdc9c907000000ffff',
  ].map((text) => Buffer.from(text, 'hex')),
  mutate(input, other, random) {
    const messages = [...read(input).messages];
    const theirs = read(other).messages;
    const at = random.below(messages.length + 1);
    const kind = random.below(4);
    if (kind === 0) messages.splice(at, 1);
    else if (kind === 1) messages.splice(at, random.below(2), someMessage(random));
    else if (kind === 2 && theirs.length > 0) messages.splice(at, random.below(2), random.pick(theirs));
    else {
      const message = messages[at % Math.max(1, messages.length)];
      if (message && message.length > 0) {
        const damaged = Buffer.from(message);
        damaged[random.below(damaged.length)]! ^= 1 << random.below(8);
        messages[at % messages.length] = random.oneIn(3) ? damaged.subarray(0, random.below(damaged.length)) : damaged;
      }
    }
    return write(Buffer.concat([input.subarray(0, 2), Buffer.alloc(2)]).subarray(0, 2), messages);
  },
  describe: (input) => {
    const { messages, ...options } = read(input);
    return `${JSON.stringify(options)}\n${messages.map((message) => `  ${Buffer.from(message).toString('hex')}`).join('\n')}`;
  },
  async run(input) {
    const given = read(input);
    const random = new Random(hashOf(input));
    await check(given, random, counters);
    if (random.oneIn(512)) await checkWork(given, counters);
  },
});
