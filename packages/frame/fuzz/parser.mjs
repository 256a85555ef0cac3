// Invariant: whatever the bytes and wherever they are cut, FrameParser makes the same calls and ends in the same
// error, throws nothing but that one ProtocolError, agrees with decodeHeader on every head, and what it reports encodes
// to the bytes it was given (strict lengths). Utf8Validator, with and without isUtf8, agrees with node:buffer.
//
// Run: npm run build && npm run fuzz [seconds] [seed]. Inputs are mutated legal streams; one that shows a new
// behaviour (calls and error in short form) joins the corpus. A failure prints the seed and the input.
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import {
  decodeHeader,
  encodeFrame,
  encodeHeader,
  FrameParser,
  ProtocolError,
  Utf8Validator,
} from '../dist/esm/index.js';

const seconds = Number(process.argv[2] ?? 20);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);

/** Mulberry32: small, seeded, and nothing here is secret. */
let state = seed;
function random(below) {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
}
const pick = (list) => list[random(list.length)];
const octets = (length) => Buffer.from(Uint8Array.from({ length }, () => random(256)));

const LENGTHS = [0, 1, 2, 3, 7, 31, 32, 63, 64, 65, 124, 125, 126, 127, 128, 300];
const MAGIC = [0x00, 0x01, 0x7d, 0x7e, 0x7f, 0x80, 0x81, 0x82, 0x88, 0x89, 0x8a, 0xc1, 0xfd, 0xfe, 0xff];

function someFrame() {
  const opcode = pick([0, 1, 2, 8, 9, 10]);
  const payload = octets(Math.min(pick(LENGTHS), opcode >= 8 ? 125 : Infinity));
  const rsv = random(4) === 0 ? random(8) : 0;
  const head = {
    opcode,
    fin: opcode >= 8 || random(2) === 0,
    rsv,
    maskingKey: random(3) ? random(2 ** 32) : undefined,
  };
  return Buffer.from(encodeFrame(head, payload));
}

const corpus = Array.from({ length: 40 }, () => Buffer.concat(Array.from({ length: 1 + random(4) }, someFrame)));
const behaviours = new Set();

function mutate(input) {
  let bytes = Buffer.from(input);
  for (let times = random(4); times >= 0; times--) {
    const at = random(bytes.length + 1);
    switch (random(7)) {
      case 0:
        if (at < bytes.length) bytes[at] ^= 1 << random(8);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = pick(MAGIC);
        break;
      case 2:
        bytes = Buffer.concat([bytes.subarray(0, at), octets(random(4)), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(5))]);
        break;
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, at), someFrame(), bytes.subarray(at)]);
        break;
      case 5:
        bytes = bytes.subarray(0, at);
        break;
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), pick(corpus)]);
    }
  }
  return bytes.subarray(0, 2000);
}

function cutAnywhere(bytes) {
  const chunks = [];
  const most = pick([1, 2, 5, 20, 200]);
  for (let at = 0; at < bytes.length;) {
    const to = at + random(most + 1);
    chunks.push(bytes.subarray(at, to));
    at = to;
  }
  return chunks;
}

class Failure extends Error {}

/** What the parser says, and in `disturbed` runs its handlers pause and throw as they like. */
function run(chunks, options, whole, disturbed) {
  const frames = [];
  let open;
  let error;
  const disturb = () => {
    if (!disturbed) return;
    if (random(4) === 0) parser.pause();
    if (random(6) === 0) throw new Failure();
  };
  const begin = (head) => {
    assert.equal(open, undefined);
    open = { head, pieces: [], length: 0, ended: false, messageEnded: false };
    frames.push(open);
  };
  const add = (slice, offset, isLast) => {
    assert.equal(offset, open.length);
    open.length += slice.length;
    assert.equal(isLast, open.length === open.head.payloadLength);
    open.pieces.push(Buffer.from(slice));
  };
  const end = () => {
    assert.equal(open.length, open.head.payloadLength);
    open.ended = true;
    open = undefined;
  };
  const endMessage = () => {
    const frame = frames.at(-1);
    assert.ok(frame.ended && frame.head.fin && frame.head.opcode < 8 && !frame.messageEnded);
    frame.messageEnded = true;
  };
  const handlers = {
    head: (head) => (begin(head), disturb()),
    payload: (slice, offset, isLast) => (add(slice, offset, isLast), disturb()),
    frameEnd: () => (end(), disturb()),
    messageEnd: () => (endMessage(), disturb()),
  };
  if (whole)
    handlers.frame = (head, payload) => {
      begin(head);
      add(payload, 0, true);
      end();
      if (head.fin && head.opcode < 8) endMessage();
      disturb();
    };
  const parser = new FrameParser(options, handlers);
  const attempt = (step) => {
    try {
      step();
    } catch (thrown) {
      if (thrown instanceof Failure) return;
      if (!(thrown instanceof ProtocolError)) throw thrown;
      assert.equal(error, undefined);
      assert.equal(parser.error, thrown);
      error = thrown.code;
    }
  };
  for (const chunk of chunks) {
    const copy = Buffer.from(chunk);
    attempt(() => parser.push(copy));
    if (!disturbed && options.preserveInput) assert.deepEqual(copy, Buffer.from(chunk));
  }
  let calls = -1;
  const made = () => frames.reduce((sum, f) => sum + 1 + f.pieces.length + f.ended + f.messageEnded, 0);
  if (disturbed) {
    while (parser.paused || made() > calls) {
      calls = made();
      attempt(() => parser.resume());
    }
  }
  assert.equal(parser.error?.code, error);
  assert.equal(parser.bufferedBytes, 0);
  return {
    frames: frames.map(({ head, pieces, ended, messageEnded }) => ({
      head,
      ended,
      messageEnded,
      payload: Buffer.concat(pieces),
    })),
    error,
  };
}

function checkAgainstCodec(bytes, { frames, error }, options) {
  let at = 0;
  for (const { head, payload, ended } of frames) {
    const { byteLength, ...decoded } = decodeHeader(bytes.subarray(at), options.strictLength);
    assert.deepEqual(head, decoded);
    if (options.strictLength && ended) {
      const wire = encodeFrame(head, payload);
      assert.deepEqual(Buffer.from(wire), Buffer.from(bytes.subarray(at, at + wire.length)));
    } else if (options.strictLength) assert.equal(encodeHeader(head).length, byteLength);
    at += byteLength + payload.length;
  }
  if (error === undefined)
    assert.ok(at === bytes.length || decodeHeader(bytes.subarray(at), options.strictLength) === undefined);
}

function checkUtf8(bytes) {
  const [pure, fast] = [new Utf8Validator(), new Utf8Validator(isUtf8)];
  for (const chunk of cutAnywhere(bytes)) assert.equal(pure.push(chunk), fast.push(chunk));
  assert.equal(pure.end(), isUtf8(bytes));
  assert.equal(fast.end(), isUtf8(bytes));
}

const TEXT = Buffer.from('ascii only, then Grüße, 漢字 and 😀 '.repeat(6));
let executions = 0;
let input = corpus[0];
const until = Date.now() + seconds * 1000;
try {
  while (Date.now() < until) {
    for (let burst = 0; burst < 50; burst++, executions++) {
      input = mutate(pick(corpus));
      const options = {
        role: pick(['any', 'any', 'server', 'client']),
        allowedRsv: pick([0, 4, 7]),
        maxFramePayload: pick([false, 5, 124, 126, 70000]),
        strictLength: random(4) > 0,
        preserveInput: random(2) === 0,
      };
      const expected = run([input], options, false, false);
      checkAgainstCodec(input, expected, options);
      assert.deepEqual(run([input], options, true, false), expected);
      assert.deepEqual(run(cutAnywhere(input), options, random(2) === 0, false), expected);
      assert.deepEqual(run(cutAnywhere(input), options, random(2) === 0, true), expected);

      const short = expected.frames.map(
        ({ head, ended }) => `${head.opcode}${head.fin}${Math.min(head.payloadLength, 127) >> 5}${ended}`,
      );
      const behaviour = `${short.slice(-3).join()} ${expected.error}`;
      if (!behaviours.has(behaviour) && corpus.length < 5000) {
        behaviours.add(behaviour);
        corpus.push(input);
      }

      input = Buffer.from(TEXT.subarray(random(TEXT.length)));
      for (let bad = random(3); bad > 0 && input.length > 0; bad--) input[random(input.length)] = random(256);
      checkUtf8(input);
    }
  }
} catch (error) {
  console.error(`seed ${seed}, input ${Buffer.from(input).toString('hex')}`);
  throw error;
}
console.log(
  `frame: ${executions} inputs in ${seconds} s, ${behaviours.size} behaviours, seed ${seed}: the invariant holds`,
);
