import { Duplex } from 'node:stream';

/** A stream as the slowest of networks would give it: whatever arrives is passed on in chunks of `size` bytes, each with memory of its own. */
export class InPieces extends Duplex {
  #under;

  /** @param {Duplex} under @param {number} size */
  constructor(under, size) {
    super({ allowHalfOpen: true });
    this.#under = under;
    under.on('data', (/** @type {Buffer} */ chunk) => {
      let goesOn = true;
      for (let at = 0; at < chunk.length; at += size) goesOn = this.push(Buffer.from(chunk.subarray(at, at + size)));
      if (!goesOn) under.pause();
    });
    under.on('end', () => this.push(null));
    under.on('error', (error) => this.destroy(error));
    under.on('close', () => this.destroy());
    under.pause();
  }

  /** @override */
  _read() {
    this.#under.resume();
  }

  /** @override @type {Duplex['_write']} */
  _write(chunk, encoding, done) {
    this.#under.write(chunk, encoding, done);
  }

  /** @override @type {Duplex['_final']} */
  _final(done) {
    this.#under.end(done);
  }

  /** @override @type {Duplex['_destroy']} */
  _destroy(error, done) {
    this.#under.destroy();
    done(error);
  }
}
