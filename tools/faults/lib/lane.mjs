// One direction of a proxied connection: what comes in at one socket, out at the other, at the pace and up to the byte that the plan says.

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('./random.mjs').Random} Random */
/** @typedef {import('./scenario.mjs').Pace} Pace */

const HIGH_BYTES = 128 * 1024;
const SIZES = /** @type {const} */ ([1, 2, 3, 5, 13, 125, 127, 1021, 1460, 4093, 16_381, 65_521]);
const TURN_BYTES = 16 * 1024;

export class Lane {
  /** Bytes given to the target. */
  forwarded = 0;
  /** When the next byte goes. @type {(() => void) | undefined} */
  onLimit;
  #source;
  #target;
  #pace;
  #random;
  #limit;
  /** Bytes that go out changed, by their places. @type {Map<number, number>} */
  #changes;
  /** @type {Buffer[]} */
  #queue = [];
  #queued = 0;
  #waiting = false;
  /** Bytes of the queue for which there is no more waiting. */
  #released = 0;
  #stalled = false;
  /** @type {'forward' | 'swallow' | 'stuck'} */
  #mode = 'forward';
  /** How the source ended. @type {'fin' | 'rst' | undefined} */
  #end;

  /** @param {Socket} source @param {Socket} target @param {Pace} pace @param {Random} random @param {number} limit bytes until `onLimit` @param {Map<number, number>} [changes] what a byte is changed by */
  constructor(source, target, pace, random, limit, changes = new Map()) {
    this.#source = source;
    this.#target = target;
    this.#pace = pace;
    this.#random = random;
    this.#limit = limit;
    this.#changes = changes;
  }

  start() {
    const source = this.#source;
    source.on('data', (chunk) => this.#take(chunk));
    source.on('end', () => this.#ended('fin'));
    source.on('error', () => this.#ended('rst'));
    source.on('close', () => this.#ended('rst'));
    this.#target.on('drain', () => this.#pump());
    if (this.#mode !== 'stuck') source.resume();
    this.#pump();
  }

  /** Nothing is forwarded from now on, neither bytes nor ends. @param {boolean} swallow reads on; else the sender's bytes stay in the system's buffers */
  stop(swallow) {
    this.#mode = swallow ? 'swallow' : 'stuck';
    this.#queue = [];
    this.#queued = 0;
    if (swallow) this.#source.resume();
    else this.#source.pause();
  }

  get isStopped() {
    return this.#mode !== 'forward';
  }

  /** @param {Buffer} chunk */
  #take(chunk) {
    if (this.#mode !== 'forward') return;
    this.#queue.push(chunk);
    this.#queued += chunk.length;
    if (this.#queued > HIGH_BYTES) this.#source.pause();
    this.#pump();
  }

  /** @param {'fin' | 'rst'} how */
  #ended(how) {
    if (this.#end !== undefined) return;
    this.#end = how;
    this.#pump();
  }

  #pump() {
    while (this.#mode === 'forward' && !this.#waiting && !this.#target.writableNeedDrain) {
      if (this.forwarded >= this.#limit) return this.onLimit?.();
      if (this.#queued === 0) return this.#finish();
      const before = this.#before();
      if (before > 0) return this.#wait(before);
      const piece = this.#shift(this.#size());
      const isLast = this.#queued === 0;
      this.#target.write(piece);
      this.forwarded += piece.length;
      this.#released -= piece.length;
      const after = this.#after(piece.length);
      if (after !== undefined && !(isLast && this.#end === undefined && after === 0)) return this.#wait(after);
    }
  }

  /** The source's end goes on behind its last byte. */
  #finish() {
    if (this.#end === undefined || this.#target.destroyed) return;
    if (this.#end === 'fin') return void this.#target.end();
    if (this.#target.writableEnded) return void this.#target.resetAndDestroy();
    this.#target.write('', () => this.#target.resetAndDestroy());
  }

  /** @param {number} ms 0: a turn of the event loop */
  #wait(ms) {
    this.#waiting = true;
    const go = () => {
      this.#waiting = false;
      this.#pump();
    };
    if (ms === 0) setImmediate(go);
    else setTimeout(go, ms);
  }

  /** Ms until what is in the queue may go. */
  #before() {
    const { kind, ms, at } = this.#pace;
    if (kind === 'latency' && this.#released <= 0) {
      this.#released = this.#queued;
      return this.#random.between(1, ms);
    }
    if (kind === 'stall' && !this.#stalled && this.forwarded >= at) {
      this.#stalled = true;
      return ms;
    }
    return 0;
  }

  #size() {
    const { kind, singles, at } = this.#pace;
    const most = this.#limit - this.forwarded;
    if (kind === 'splits') return Math.min(most, this.forwarded < singles ? 1 : this.#random.pick(SIZES));
    if (kind === 'stall' && this.forwarded < at) return Math.min(most, at - this.forwarded);
    return Math.min(most, TURN_BYTES);
  }

  /** Ms after a piece; undefined: none. @param {number} bytes */
  #after(bytes) {
    const { kind, rate } = this.#pace;
    if (kind === 'splits') return 0;
    return kind === 'bandwidth' ? (bytes * 1000) / rate : undefined;
  }

  /** The front of the queue, at most so many bytes of one chunk. @param {number} most */
  #shift(most) {
    const [first = Buffer.alloc(0)] = this.#queue;
    let piece = first;
    if (first.length > most) {
      piece = first.subarray(0, most);
      this.#queue[0] = first.subarray(most);
    } else {
      this.#queue.shift();
    }
    this.#queued -= piece.length;
    if (this.#queued < HIGH_BYTES / 2 && this.#source.isPaused()) this.#source.resume();
    return this.#changes.size === 0 ? piece : this.#changed(piece);
  }

  /** @param {Buffer} piece */
  #changed(piece) {
    for (const [at, change] of this.#changes) {
      const index = at - this.forwarded;
      if (index < 0 || index >= piece.length) continue;
      piece[index] = (piece[index] ?? 0) ^ change;
      this.#changes.delete(at);
      this.onChange?.();
    }
    return piece;
  }

  /** A byte has been changed. @type {(() => void) | undefined} */
  onChange;
}
