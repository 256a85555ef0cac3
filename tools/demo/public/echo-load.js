// Keeps a number of messages on their way to the echo server and back, checks and times every one of them.
// An echo keeps the order, so the oldest message in flight is the one that comes back next.
import { Histogram } from './histogram.js';

const SAMPLE_MS = 250;
/** Figures are those of the last second. */
const SAMPLES_PER_FIGURE = 4;
/** Room for every message in flight; more than the window ever grows to. */
const RING = 256;
const SEQUENCE_DIGITS = 8;

/**
 * @typedef {{ bytes: number, inFlight: number, kind: 'binary' | 'text' }} LoadSettings
 * @typedef {{ at: number, rate: number, bytesPerSecond: number, p50: number, p99: number, total: number }} Sample
 *   `at` on the clock of performance.now(); p50 and p99 in ms, NaN when nothing came back
 * @typedef {{ count: number, ms: number, bytes: number, times: Histogram }} Slice
 * @typedef {{ running: () => void, stopped: (reason: string) => void, sample: (sample: Sample) => void }} LoadHandlers
 */

export class EchoLoad {
  #url;
  #handlers;
  /** @type {LoadSettings} */
  #settings;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {number | undefined} */
  #sampler;

  #sentAt = new Float64Array(RING);
  /** @type {(string | number)[]} what must come back: the text itself, or the length of the bytes */
  #expected = new Array(RING).fill('');
  #sent = 0;
  #received = 0;

  #bytes = new Uint8Array(0);
  #filler = '';

  #sampledAt = 0;
  #slice = newSlice();
  /** @type {Slice[]} */
  #slices = [];

  /**
   * @param {string} url
   * @param {LoadSettings} settings
   * @param {LoadHandlers} handlers
   */
  constructor(url, settings, handlers) {
    this.#url = url;
    this.#settings = settings;
    this.#handlers = handlers;
  }

  get active() {
    return this.#socket !== undefined;
  }

  /** Takes effect with the next message, also in the middle of a run. */
  set settings(/** @type {LoadSettings} */ settings) {
    this.#settings = settings;
    if (this.#socket !== undefined) this.#fill(this.#socket);
  }

  start() {
    if (this.#socket !== undefined) return;
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    this.#sent = this.#received = 0;
    this.#slices = [];
    socket.addEventListener('open', () => {
      if (this.#socket !== socket) return;
      this.#sampledAt = performance.now();
      this.#slice = newSlice();
      this.#sampler = setInterval(() => this.#sample(), SAMPLE_MS);
      this.#handlers.running();
      this.#fill(socket);
    });
    socket.addEventListener('message', ({ data }) => {
      if (this.#socket === socket) this.#receive(socket, data);
    });
    socket.addEventListener('close', ({ code, reason }) => {
      if (this.#socket === socket) this.#end(`The connection ended (${code}${reason && `, ${reason}`}).`);
    });
  }

  /** @param {string} reason a sentence for the person at the page */
  stop(reason) {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#end(reason);
    socket.close(1000);
  }

  /** @param {string} reason */
  #end(reason) {
    this.#socket = undefined;
    clearInterval(this.#sampler);
    this.#handlers.stopped(reason);
  }

  /** @param {WebSocket} socket */
  #fill(socket) {
    if (socket.readyState !== WebSocket.OPEN) return;
    while (this.#sent - this.#received < this.#settings.inFlight) this.#sendOne(socket);
  }

  /** @param {WebSocket} socket */
  #sendOne(socket) {
    const { bytes, kind } = this.#settings;
    const slot = this.#sent % RING;
    if (kind === 'binary') {
      if (this.#bytes.length !== bytes) this.#bytes = new Uint8Array(bytes).fill(0x5a);
      writeSequence(this.#bytes, this.#sent);
      this.#expected[slot] = bytes;
      this.#sentAt[slot] = performance.now();
      socket.send(this.#bytes);
    } else {
      if (this.#filler.length !== bytes - SEQUENCE_DIGITS) this.#filler = '~'.repeat(bytes - SEQUENCE_DIGITS);
      const text = (this.#sent >>> 0).toString(16).padStart(SEQUENCE_DIGITS, '0') + this.#filler;
      this.#expected[slot] = text;
      this.#sentAt[slot] = performance.now();
      socket.send(text);
    }
    this.#sent += 1;
  }

  /**
   * @param {WebSocket} socket
   * @param {string | ArrayBuffer} data
   */
  #receive(socket, data) {
    const slot = this.#received % RING;
    const ms = performance.now() - (this.#sentAt[slot] ?? 0);
    if (this.#received === this.#sent || !this.#isEcho(data, this.#expected[slot])) {
      this.stop('The server sent something else than an echo.');
      return;
    }
    this.#received += 1;
    this.#slice.count += 1;
    this.#slice.bytes += typeof data === 'string' ? data.length : data.byteLength;
    this.#slice.times.add(ms);
    this.#fill(socket);
  }

  /**
   * @param {string | ArrayBuffer} data
   * @param {string | number | undefined} expected
   */
  #isEcho(data, expected) {
    if (typeof data === 'string') return data === expected;
    return data.byteLength === expected && readSequence(data) === this.#received >>> 0;
  }

  #sample() {
    const now = performance.now();
    const slice = this.#slice;
    slice.ms = now - this.#sampledAt;
    this.#sampledAt = now;
    this.#slice = newSlice();
    this.#slices.push(slice);
    if (this.#slices.length > SAMPLES_PER_FIGURE) this.#slices.shift();

    const sum = newSlice();
    for (const { count, ms, bytes, times } of this.#slices) {
      sum.count += count;
      sum.ms += ms;
      sum.bytes += bytes;
      sum.times.include(times);
    }
    const perSecond = 1000 / sum.ms;
    this.#handlers.sample({
      at: now,
      rate: sum.count * perSecond,
      bytesPerSecond: sum.bytes * perSecond,
      p50: sum.times.percentile(0.5),
      p99: sum.times.percentile(0.99),
      total: this.#received,
    });
  }
}

/** @returns {Slice} */
const newSlice = () => ({ count: 0, ms: 0, bytes: 0, times: new Histogram() });

/** @type {(bytes: Uint8Array, sequence: number) => void} */
const writeSequence = (bytes, sequence) => new DataView(bytes.buffer).setUint32(0, sequence);

/** @type {(buffer: ArrayBuffer) => number} */
const readSequence = (buffer) => new DataView(buffer).getUint32(0);
