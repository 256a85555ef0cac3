import { Duplex } from 'node:stream';

/** A stream as the slowest of networks would give it: whatever arrives is passed on one byte at a time, each in a chunk of its own. */
export class ByteByByte extends Duplex {
  #under;

  /** @param {Duplex} under */
  constructor(under) {
    super({ allowHalfOpen: true });
    this.#under = under;
    under.on('data', (/** @type {Buffer} */ chunk) => {
      let goesOn = true;
      for (const byte of chunk) goesOn = this.push(Buffer.of(byte));
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
