// All that a program may hand to `send`, `ping`, `pong` and `close`, and the bytes that may then be on the wire: none but its own.
// Whatever memory the process had before is full of SECRET, so that a byte too many shows.

const LENGTH = 24;
const SECRET = 0x5e;

/** @typedef {{ name: string, value: unknown, bytes: Uint8Array | undefined }} Odd `bytes` undefined: it has to throw */

/** @type {(new (buffer: ArrayBufferLike, byteOffset?: number, length?: number) => ArrayBufferView)[]} */
const VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

/** @returns {Iterable<Odd>} */
function* values() {
  for (const View of VIEWS) {
    yield own(`a whole ${View.name}`, (buffer) => new View(buffer));
    const step = 'BYTES_PER_ELEMENT' in View ? Number(View.BYTES_PER_ELEMENT) : 1;
    yield own(`the middle of a buffer as ${View.name}`, (buffer) => new View(buffer, 8, 8 / step));
    yield own(`an empty ${View.name}`, (buffer) => new View(buffer, 8, 0));
    yield own(
      `shared memory as ${View.name}`,
      (buffer) => new View(buffer, 8, 16 / step),
      new SharedArrayBuffer(LENGTH),
    );
    yield own(`resizable memory as ${View.name}`, (buffer) => new View(buffer, 8), resizable(LENGTH, LENGTH * 8));
    yield own(`growing shared memory as ${View.name}`, (buffer) => new View(buffer, 8), growable(LENGTH));
    yield { ...shrunk((buffer) => new View(buffer, 8, 8 / step)), name: `${View.name} of memory that has shrunk` };
    yield { name: `${View.name} of memory that was given away`, value: detached(View), bytes: new Uint8Array(0) };
  }
  yield own('an ArrayBuffer', (buffer) => buffer);
  yield own('a SharedArrayBuffer', (buffer) => buffer, new SharedArrayBuffer(LENGTH));
  yield own('a resizable ArrayBuffer', (buffer) => buffer, resizable(LENGTH, LENGTH * 8));
  yield own('a slice of the pool', (buffer) => Buffer.from(Buffer.from(buffer)).subarray(3, 11));
  for (const number of [0, 1, 100, -1, 1.5, 2 ** 20, NaN, Infinity])
    yield { name: `the number ${number}`, value: number, bytes: Buffer.from(String(number)) };
  yield { name: 'an array of numbers', value: [1, 2, 300], bytes: Uint8Array.of(1, 2, 44) };
  yield {
    name: 'a view that lies about its length',
    value: new Liar(8).fill(0x41),
    bytes: new Uint8Array(8).fill(0x41),
  };
  yield { name: 'a Date', value: new Date(0), bytes: Buffer.from(String(new Date(0))) };
  yield { name: 'text', value: 'text', bytes: Buffer.from('text') };
  yield* OBJECTS.map(([name, value]) => ({ name, value, bytes: undefined }));
}

class Liar extends Uint8Array {
  /** @override */
  get length() {
    return 64;
  }
  /** @override */
  get byteLength() {
    return 64;
  }
}

/** What only looks like bytes. @type {[name: string, value: unknown][]} */
const OBJECTS = [
  ['a boolean', true],
  ['a bigint', 100n],
  ['a symbol', Symbol('of the program')],
  ['a function', (/** @type {number} */ a) => a],
  ['an empty object', {}],
  ['an object with a length', { length: 100 }],
  ['an object with a byteLength', { byteLength: 100 }],
  ['an object like a view', { buffer: new ArrayBuffer(100), byteOffset: 0, byteLength: 100, length: 100 }],
  ['an object that says it is a Buffer', { type: 'Buffer', length: 100 }],
  ['a Map', new Map([[1, 2]])],
  ['a view by its prototype alone', Object.create(Uint8Array.prototype)],
  ['a Buffer by its prototype alone', Object.create(Buffer.prototype)],
  ['a proxy of a view', new Proxy(new Uint8Array(8), {})],
];

/** @returns {Odd} @param {string} name @param {(buffer: any) => unknown} make @param {ArrayBufferLike} [memory] */
function own(name, make, memory = new ArrayBuffer(LENGTH)) {
  fill(memory);
  const value = make(memory);
  const view = ArrayBuffer.isView(value) ? value : new Uint8Array(/** @type {ArrayBuffer} */ (value));
  return { name, value, bytes: Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength)) };
}

/** @param {ArrayBufferLike} memory */
const fill = (memory) => new Uint8Array(memory).forEach((_, at, all) => (all[at] = 0x41 + at));

// The types know none of the three yet.
/** @returns {ArrayBuffer} @param {number} length @param {number} maxByteLength */
const resizable = (length, maxByteLength) => Reflect.construct(ArrayBuffer, [length, { maxByteLength }]);

/** @returns {SharedArrayBuffer} @param {number} length */
function growable(length) {
  const memory = Reflect.construct(SharedArrayBuffer, [8, { maxByteLength: length }]);
  memory.grow(length);
  return memory;
}

/** @param {(buffer: ArrayBuffer) => unknown} make */
function shrunk(make) {
  const memory = resizable(LENGTH, LENGTH);
  fill(memory);
  const value = make(memory);
  Reflect.apply(Reflect.get(memory, 'resize'), memory, [4]);
  return { value, bytes: new Uint8Array(0) };
}

/** @param {(typeof VIEWS)[number]} View */
function detached(View) {
  const memory = new ArrayBuffer(LENGTH);
  const view = new View(memory);
  structuredClone(memory, { transfer: [memory] });
  return view;
}

function leaveSecrets() {
  for (let i = 0; i < 64; i++) {
    Buffer.allocUnsafe(4000).fill(SECRET);
    Buffer.allocUnsafeSlow(16_384).fill(SECRET);
  }
}

export const names = [...values()].map(({ name }) => name);

/**
 * Hands the values, or the one with that name, to a method of `socket`.
 * @param {import('@ws/connection').WebSocket} socket
 * @param {{ method: 'send' | 'ping' | 'pong' | 'close', only?: string }} told
 * @returns {{ name: string, bytes: string | null, threw: string | null }[]} in the order in which they went out; bytes in hexadecimal
 */
export function battery(socket, { method, only }) {
  return [...values()]
    .filter(({ name }) => only === undefined || name === only)
    .map(({ name, value, bytes }) => {
      leaveSecrets();
      if (typeof value === 'function' && method !== 'send') bytes = new Uint8Array(0); // that is the callback
      let threw = null;
      try {
        if (method === 'close') socket.close(1000, /** @type {any} */ (value));
        else if (method === 'send') socket.send(/** @type {any} */ (value));
        else socket[method](/** @type {any} */ (value));
      } catch (error) {
        threw = error instanceof Error ? error.name : 'what is no Error';
      }
      return { name, bytes: bytes === undefined ? null : Buffer.from(bytes).toString('hex'), threw };
    });
}
