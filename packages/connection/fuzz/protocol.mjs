// Invariant: whatever bytes a peer sends, however they are cut, a connection ends in events or in one failure: it throws
// nothing, keeps no more than its limits, sends at most one Close frame and nothing behind it, and what it reports does
// not depend on the cuts. Messages that are taken as they come have the content that they have when they are collected, and
// end exactly once.
// Run: npm run fuzz [-- SECONDS [SEED]]
import { isUtf8 } from 'node:buffer';
import { encodeFrame } from '@ws/frame';
import { Protocol } from '@ws/connection/protocol';

const [seconds = '20', seedText = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
const MAX_PAYLOAD = 2000;

/** mulberry32: small, seeded, good enough to choose with. */
function generator(seed) {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const random = generator(Number(seedText));
const pick = (list) => list[random(list.length)];
const bytes = (length) => Uint8Array.from({ length }, () => random(256));
const TEXTS = ['', 'a', 'héllo', '€', '😀', 'x'.repeat(300)].map((text) => new TextEncoder().encode(text));

/** A plausible frame, then perhaps damaged. */
function frame() {
  const opcode = pick([0, 0, 1, 1, 2, 8, 9, 10]);
  const payload = random(3) === 0 ? bytes(random(pick([10, 130, 3000]))) : pick(TEXTS);
  const isControl = opcode >= 8;
  const head = {
    opcode,
    fin: isControl || random(2) === 0,
    rsv: random(40) === 0 ? random(8) : 0,
    maskingKey: random(2 ** 32),
  };
  const wire = encodeFrame(head, isControl ? payload.subarray(0, 125) : payload);
  if (random(6) === 0 && wire.length > 0) wire[random(wire.length)] = random(256);
  return random(30) === 0 ? wire.subarray(0, random(wire.length + 1)) : wire;
}

/** `streams`: messages are taken as they come, by one who stops reading now and then. */
function observe(chunks, isUtf8OfHost, streams = false) {
  const seen = [];
  const frames = [];
  let allocated = 0;
  let open = 0;
  const transport = {
    isCongested: false,
    isFull: false,
    isBroken: false,
    hasRoom: () => true,
    frameHead: () => undefined, // nobody sends in parts here
    framePart: () => undefined,
    dropped: () => undefined,
    frame(opcode, fin, rsv, payload) {
      frames.push([opcode, Buffer.from(payload).toString('hex')]);
      return payload.length;
    },
    end: () => frames.push('end'),
    destroy: () => frames.push('destroy'),
  };
  const handlers = {
    message: (data, isText) => seen.push([isText, Buffer.from(data).toString('hex')]),
    ping: (data) => seen.push(['ping', Buffer.from(data).toString('hex')]),
    pong: (data) => seen.push(['pong', Buffer.from(data).toString('hex')]),
    closing: (code, reason, initiator) => seen.push(['closing', code, reason, initiator]),
    incoming({ isText }) {
      let content = '';
      let isOver = false;
      const over = () => {
        if (isOver) throw new Error('ended twice');
        isOver = true;
        open--;
      };
      open++;
      return {
        isFull: false,
        hasRoom: () => true,
        whenRoom: (proceed) => proceed(),
        data(piece) {
          if (isOver || piece.length === 0) throw new Error('data where there is none');
          content += Buffer.from(piece).toString('hex');
          if (random(4) === 0) protocol.pause('reader');
        },
        end() {
          over();
          seen.push([isText, content]);
        },
        abort: over,
      };
    },
    failure: (error) => seen.push(['failure', error.code, error.closeCode]),
    ready: () => undefined,
    deadline: () => undefined,
  };
  const protocol = new Protocol(
    {
      role: 'server',
      now: () => 0,
      closeTimeoutMs: 1000,
      limits: { maxPayload: MAX_PAYLOAD, maxFragments: 20, maxBufferedChunks: 10_000 },
      isUtf8: isUtf8OfHost,
      preserveInput: true,
      allocate: (length) => ((allocated = Math.max(allocated, length)), new Uint8Array(length)),
    },
    transport,
    handlers,
  );
  protocol.streams = streams;
  for (const chunk of chunks) {
    protocol.receive(chunk);
    while (protocol.isHeld && !protocol.isStopped) protocol.resume('reader');
  }
  protocol.stop();
  if (open !== 0) throw new Error(`${open} messages have no end`);
  const closes = frames.findIndex(([opcode]) => opcode === 8);
  if (closes !== -1 && frames.slice(closes + 1).some((sent) => sent !== 'end'))
    throw new Error('something follows our Close frame');
  if (seen.filter(([name]) => name === 'failure').length > 1) throw new Error('two failures');
  if (allocated > 2 * MAX_PAYLOAD) throw new Error(`${allocated} bytes for a limit of ${MAX_PAYLOAD}`);
  return JSON.stringify([seen, frames, protocol.state]);
}

function cut(wire) {
  const chunks = [];
  for (let at = 0; at < wire.length;) {
    const end = at + 1 + random(pick([1, 5, 50, 5000]));
    chunks.push(wire.subarray(at, end));
    at = end;
  }
  return chunks;
}

const until = performance.now() + Number(seconds) * 1000;
let runs = 0;
for (; performance.now() < until; runs++) {
  const wire = Buffer.concat(random(10) === 0 ? [bytes(random(200))] : Array.from({ length: 1 + random(6) }, frame));
  try {
    const whole = observe([wire], undefined);
    const pieces = observe(cut(wire), random(2) === 0 ? isUtf8 : undefined);
    const streamed = observe(cut(wire), random(2) === 0 ? isUtf8 : undefined, true);
    if (whole !== streamed) throw new Error(`not the same as streams:\n${whole}\n${streamed}`);
    if (whole !== pieces) throw new Error(`depends on the cuts:\n${whole}\n${pieces}`);
  } catch (error) {
    console.error(`seed ${seedText}, run ${runs}: ${error.stack}\ninput ${wire.toString('hex')}`);
    process.exit(1);
  }
}
console.log(`${runs} inputs, seed ${seedText}: the invariant holds`);
