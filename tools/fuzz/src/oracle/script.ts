// A connection's life as bytes: some octets of settings, then steps. Every input is a script, and a mutation of whole steps keeps it one.
import { constants, deflateRawSync } from 'node:zlib';
import type { Random } from '../random.js';
import { closeCode, TEXTS, wireFrame } from './builder.js';

/** How the steps are numbered; the wire ones make up what the peer sends. */
export const STEPS = [
  'frame', // head, length, payload
  'compressed', // head, length, payload: compressed, in two frames if FIN is not set
  'large', // head, length / 64, pattern
  'bomb', // head, length / 256, pattern: the same compressed
  'again', // count: the last wire step so many times more
  'cut', // a chunk ends here in any case
  'time', // ms, squared
  'timeout', // 3 s pass
  'pause',
  'resume',
  'send', // flags, length, payload
  'ping', // length, payload
  'pong', // length, payload
  'close', // code, length, reason
  'full', // on, off
  'congested', // on, off
  'peerEnd',
  'transportEnd',
  'stop',
  'fail',
  'cutOff',
  'open', // flags, length, payload: a message that is written in fragments
  'write', // flags, length, payload: its next one
  'giveUp',
  'streams', // on, off
  'reader', // how he reads
  'short', // of memory: on, off
  'relieve',
  'stall', // ms, squared: nobody looks at the clock meanwhile
  'guards', // which are on from now on
  'keyed', // flags, length, payload: takes the place of one that waits
  'prepared', // flags, length, payload
  'deferred', // flags, length, payload
  'dropOldest',
] as const;

export type StepName = (typeof STEPS)[number] | 'raw';

/** Numbers behind the step's own octet, and whether the last of them is the length of what follows. */
const SHAPES: Readonly<Record<StepName, readonly [numbers: number, hasBytes: boolean]>> = {
  raw: [0, true],
  frame: [2, true],
  compressed: [2, true],
  large: [3, false],
  bomb: [3, false],
  again: [1, false],
  cut: [0, false],
  time: [1, false],
  timeout: [0, false],
  pause: [0, false],
  resume: [0, false],
  send: [2, true],
  ping: [1, true],
  pong: [1, true],
  close: [2, true],
  full: [0, false],
  congested: [0, false],
  peerEnd: [0, false],
  transportEnd: [0, false],
  stop: [0, false],
  fail: [0, false],
  cutOff: [0, false],
  open: [2, true],
  write: [2, true],
  giveUp: [0, false],
  streams: [0, false],
  reader: [1, false],
  short: [0, false],
  relieve: [0, false],
  stall: [1, false],
  guards: [1, false],
  keyed: [2, true],
  prepared: [2, true],
  deferred: [2, true],
  dropOldest: [0, false],
};

export interface Step {
  readonly name: StepName;
  readonly numbers: readonly number[];
  readonly bytes: Uint8Array;
  /** As it stood in the input. */
  readonly source: Uint8Array;
}

/** Octets before the first step. */
const SETTINGS = 4;

export function readScript(input: Uint8Array): { settings: number[]; steps: Step[] } {
  const settings = Array.from({ length: SETTINGS }, (_, i) => input[i] ?? 0);
  const steps: Step[] = [];
  for (let at = SETTINGS; at < input.length;) {
    const from = at;
    const tag = input[at++] ?? 0;
    const name = tag >= 0x80 ? 'raw' : STEPS[tag % STEPS.length]!;
    const [count, hasBytes] = SHAPES[name];
    const numbers: number[] = [];
    for (let i = 0; i < count; i++) numbers.push(input[at++] ?? 0);
    const length = name === 'raw' ? (tag & 0x7f) + 1 : hasBytes ? numbers.at(-1)! : 0;
    const bytes = input.subarray(at, at + length);
    at += length;
    steps.push({ name, numbers, bytes, source: input.subarray(from, at) });
  }
  return { settings, steps };
}

function step(name: StepName, numbers: readonly number[] = [], bytes: Uint8Array = Buffer.alloc(0)): Buffer {
  if (name === 'raw') return Buffer.concat([Buffer.from([0x7f + bytes.length]), bytes]);
  const [, hasBytes] = SHAPES[name];
  return Buffer.from([STEPS.indexOf(name), ...numbers, ...(hasBytes ? [bytes.length] : []), ...bytes]);
}

const WIRE: ReadonlySet<StepName> = new Set(['raw', 'frame', 'compressed', 'large', 'bomb', 'again']);
export const isWire = ({ name }: Step): boolean => WIRE.has(name);

/** Head octet of the wire steps: the opcode's nibble, FIN, RSV; where FIN is 0 the message goes on. */
const headOf = (octet: number): { opcode: number; fin: boolean; rsv: number } => ({
  opcode: octet & 0x0f,
  fin: (octet & 0x80) !== 0,
  rsv: (octet >> 4) & 7,
});

/** What a wire step puts on the wire. Compressed messages go on in one window, `compress`. */
/** @param disguise done to the payload of each data frame, as by an extension */
export function wireOf(
  { name, numbers, bytes }: Step,
  masked: boolean,
  compress: (data: Uint8Array) => Uint8Array,
  disguise: (payload: Uint8Array) => Uint8Array,
): Buffer {
  const [octet = 0, second = 0, third = 0] = numbers;
  const key = masked ? 0x37fa213d : undefined;
  const { opcode, fin, rsv } = headOf(octet);
  const shown = (payload: Uint8Array): Uint8Array => (opcode < 8 ? disguise(payload) : payload);
  switch (name) {
    case 'raw':
      return Buffer.from(bytes);
    case 'frame':
      return wireFrame({ opcode, fin, rsv, key, payload: shown(bytes) });
    case 'large':
      return wireFrame({ opcode, fin, rsv, key, payload: shown(Buffer.alloc(second * 64, third)) });
    default: {
      const content = name === 'bomb' ? Buffer.alloc(second * 256, third) : bytes;
      const payload = shown(compress(content));
      if (fin) return wireFrame({ opcode, rsv: rsv | 4, key, payload });
      const half = payload.length >> 1;
      return Buffer.concat([
        wireFrame({ opcode, fin: false, rsv: rsv | 4, key, payload: payload.subarray(0, half) }),
        wireFrame({ opcode: 0, key, payload: payload.subarray(half) }),
      ]);
    }
  }
}

/** A compressor as a sender of RFC 7692 has it: with context takeover each message may refer to those before it. */
export function compressor(takeover: boolean): (data: Uint8Array) => Uint8Array {
  let before = Buffer.alloc(0);
  return (data) => {
    const dictionary = before.length > 0 ? { dictionary: before } : {};
    const flushed = deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH, level: 6, ...dictionary });
    if (takeover) before = Buffer.concat([before, data]).subarray(-32_768);
    return flushed.subarray(0, -4);
  };
}

const HEADS = [0x81, 0x82, 0x01, 0x02, 0x00, 0x80, 0x00, 0x80, 0x89, 0x8a, 0x89, 0x88];

/** A step that makes sense somewhere. */
export function someStep(random: Random): Buffer {
  const text = (): Uint8Array => (random.oneIn(4) ? random.bytes(random.below(20)) : random.pick(TEXTS));
  const small = (): Uint8Array => text().subarray(0, 100);
  switch (random.below(26)) {
    case 0:
      return step('raw', [], random.bytes(1 + random.below(12)));
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      return step('frame', [random.pick(HEADS)], text());
    case 7:
      return step('frame', [0x88], Buffer.concat([closeCode(random), small()]));
    case 8:
    case 9:
      return step('compressed', [random.pick([0x81, 0x82, 0x01, 0x02])], text());
    case 10:
      return step(random.pick(['large', 'bomb'] as const), [random.pick(HEADS), random.below(64), random.below(256)]);
    case 11:
      return step('again', [random.below(40)]);
    case 12:
      return step(random.pick(['time', 'time', 'time', 'stall', 'guards'] as const), [random.below(256)]);
    case 13:
    case 14:
      return step(
        random.pick(['send', 'send', 'send', 'keyed', 'prepared', 'deferred'] as const),
        [random.below(64)],
        text(),
      );
    case 15:
      return step(random.pick(['ping', 'pong'] as const), [], small());
    case 16:
      return step('close', [random.below(16)], small());
    case 17:
    case 18:
      return step('open', [random.below(16)], small());
    case 19:
    case 20:
      return step('write', [random.below(2)], small());
    case 21:
      return step('reader', [random.below(256)]);
    case 22:
      return step(random.pick(['full', 'congested'] as const));
    default:
      return step(random.pick(['cut', 'timeout', 'pause', 'resume', 'peerEnd', 'transportEnd', 'stop', 'fail', 'cutOff', 'giveUp', 'streams', 'short', 'relieve', 'dropOldest'] as const)); // prettier-ignore
  }
}

/** Steps left out, doubled, moved, put in, or taken from another script. */
export function mutateScript(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  const steps = readScript(input).steps.map(({ source }) => source);
  const head = Buffer.alloc(SETTINGS);
  head.set(input.subarray(0, SETTINGS));
  if (random.oneIn(8)) head[random.below(SETTINGS)] = random.below(256);
  if (random.oneIn(8)) head[random.below(SETTINGS)]! ^= 1 << random.below(8);
  for (let changes = 1 + random.below(4); changes > 0; changes--) {
    const at = random.below(steps.length + 1);
    switch (random.below(7)) {
      case 0:
        steps.splice(at, 1 + random.below(3));
        break;
      case 1:
        steps.splice(at, 0, ...steps.slice(at, at + 1 + random.below(3)));
        break;
      case 2:
        steps.splice(at, 0, ...steps.splice(random.below(steps.length + 1), 1));
        break;
      case 3: {
        const theirs = readScript(other).steps.map(({ source }) => source);
        const from = random.below(theirs.length + 1);
        steps.splice(at, random.below(2), ...theirs.slice(from, from + 1 + random.below(6)));
        break;
      }
      default:
        steps.splice(at, random.below(2), someStep(random));
    }
  }
  return Buffer.concat([head, ...steps]);
}

export function describeScript(input: Uint8Array): string {
  const { settings, steps } = readScript(input);
  const lines = steps.map(({ name, numbers, bytes }) => {
    const shown = bytes.length > 0 ? ` ${Buffer.from(bytes).toString('hex')}` : '';
    return `  ${name}${numbers.length > 0 ? ` ${numbers.map((n) => `0x${n.toString(16)}`).join(' ')}` : ''}${shown}`;
  });
  return [`settings ${settings.map((n) => n.toString(2).padStart(8, '0')).join(' ')}`, ...lines].join('\n');
}
