// Invariant: whatever bytes come as a compressed message, however they are cut, they end in at most `remaining` bytes of output or in
// one error with a stable code, the same whichever way zlib is used, whatever the cuts, and whether they are streamed; and the next message is
// not harmed.
// Run: npm run fuzz [-- SECONDS [SEED]]
import { deflateRawSync, constants } from 'node:zlib';
import { PerMessageDeflate } from '@ws/deflate';
import { zlibBackend } from '@ws/deflate/node';

const [seconds = '20', seedText = String(Date.now() % 2 ** 31)] = process.argv.slice(2);
const CODES = ['WS_ERR_INVALID_DEFLATE_DATA', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_INFLATION_RATIO'];
const BACKENDS = [true, false].flatMap((fastPath) => [
  zlibBackend({ fastPath }),
  zlibBackend({ fastPath, syncInflateLimit: 0 }),
]);

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
const bytes = (length) => Buffer.from(Uint8Array.from({ length }, () => random(256)));

function content() {
  const length = random(pick([10, 1000, 60_000]));
  const kind = random(3);
  if (kind === 0) return bytes(length);
  if (kind === 1) return Buffer.alloc(length, pick(['a', 'abc', '\0']));
  return Buffer.from(Uint8Array.from({ length }, () => 97 + random(6)));
}

/** One or several blocks, perhaps final ones in between, perhaps damaged. */
function compressedMessage() {
  if (random(8) === 0) return bytes(random(60));
  const parts = [];
  for (let i = random(3); i >= 0; i--) {
    const finishFlush = random(6) === 0 ? constants.Z_FINISH : constants.Z_SYNC_FLUSH;
    parts.push(deflateRawSync(content(), { level: random(10), finishFlush, strategy: random(5) }));
  }
  const wire = Buffer.concat(parts).subarray(0, random(3) === 0 ? undefined : -4);
  for (let damage = random(4); damage > 1 && wire.length > 0; damage--) wire[random(wire.length)] = random(256);
  return random(10) === 0 ? wire.subarray(0, random(wire.length + 1)) : wire;
}

function cut(wire) {
  const at = [
    0,
    ...Array.from({ length: random(4) }, () => random(wire.length + 1)).sort((a, b) => a - b),
    wire.length,
  ];
  return at.slice(1).map((to, i) => wire.subarray(at[i], to));
}

/** A reader who now and then has no room, and then gets nothing. */
function reader() {
  let isFull = false;
  return {
    get isFull() {
      return (isFull = random(3) === 0);
    },
    whenRoom(proceed) {
      setImmediate(() => {
        isFull = false;
        proceed();
      });
    },
    get isWaiting() {
      return isFull;
    },
  };
}

async function decode(end, pieces, maxPayload, flow) {
  const parts = [];
  let length = 0;
  const whole = random(2) === 0 ? undefined : pieces.reduce((sum, piece) => sum + piece.length, 0);
  for (const [i, piece] of pieces.entries()) {
    let answers = 0;
    const told = { first: i === 0, last: i === pieces.length - 1, length: whole, remaining: maxPayload - length, flow };
    const output = (part) => {
      if (flow?.isWaiting) throw new Error('output while there is no room');
      parts.push(part);
      length += part.length;
    };
    const error = await new Promise((resolve) =>
      end.decode(piece, told, output, (failure) => {
        if (++answers > 1) throw new Error('answered twice');
        resolve(failure);
      }),
    );
    if (length > maxPayload) throw new Error(`${length} bytes, limit ${maxPayload}`);
    if (error && !CODES.includes(error.code)) throw error;
    if (error) return error.code;
  }
  return Buffer.concat(parts).toString('latin1');
}

const PLAIN = Buffer.from('and the next one?');
const NEXT = deflateRawSync(PLAIN, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
const until = Date.now() + Number(seconds) * 1000;
let messages = 0;
let errors = 0;
for (; Date.now() < until; messages++) {
  const wire = compressedMessage();
  const maxPayload = pick([1, 100, 5000, 1_000_000]);
  const takeover = random(2) === 0;
  const parameters = takeover ? {} : { serverNoContextTakeover: true, clientNoContextTakeover: true };
  const results = [];
  for (const [backend, flow] of BACKENDS.flatMap((one) => [[one], [one, reader()]])) {
    const end = new PerMessageDeflate({ role: 'server', backend, parameters });
    const result = await decode(end, cut(wire), maxPayload, flow);
    results.push(result);
    if (CODES.includes(result)) errors++;
    else if ((await decode(end, [NEXT], 100)) !== PLAIN.toString()) throw new Error('the next message was harmed');
    end.close();
  }
  // Where a message is both too long and corrupt, what is noticed first may differ.
  const kinds = new Set(results.map((result) => (CODES.includes(result) ? 'error' : result)));
  if (kinds.size !== 1) {
    throw new Error(
      `seed ${seedText}, message ${messages}: ${wire.toString('hex').slice(0, 200)}: ${results.map((r) => r.slice(0, 50)).join(' | ')}`,
    );
  }
}
console.log(
  `${messages} messages, ${((100 * errors) / messages / BACKENDS.length / 2).toFixed(0)} % of them refused; seed ${seedText}`,
);
