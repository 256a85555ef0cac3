// One end of one connection, as its owner sees it: what it called, what came, and how it was told to have ended.
/** @typedef {import('@ws/server').WebSocket} WebSocket */
/** @typedef {import('./messages.mjs').Checker} Checker */
/** @typedef {import('./messages.mjs').Spec} Spec */
/** @typedef {import('./scenario.mjs').Reading} Reading */
/** @typedef {import('./verdict.mjs').EndRecord} EndRecord */

/** For what the test's own checks find. */
const DAMAGE_CODE = 4100;

/** Messages are read, checked and counted; the record comes when the socket has ended and all of it is read. */
export class End {
  /** Messages given to `send`. */
  sent = 0;
  /** Messages that the test saw, wrong ones too. */
  seen = 0;
  #socket;
  #id;
  #checker;
  /** @type {string[]} */
  #faults = [];
  /** @type {EndRecord['called']} */
  #called;
  /** @type {EndRecord['closed']} */
  #closed;
  #openedAt = Date.now();
  #isOpened = false;
  #errorCode = '';
  #closes = 0;
  #isReading = false;
  /** Of the loop: what broke a message that is a stream, and then the connection. @type {string | undefined} */
  #thrown;
  #isReported = false;
  #onMessage;
  #onRecord;

  /**
   * @param {WebSocket} socket @param {number} id @param {Checker} checker
   * @param {() => void} onMessage for each that is right @param {(record: EndRecord) => void} onRecord once, or again with a fault that comes later
   */
  constructor(socket, id, checker, onMessage, onRecord) {
    this.#socket = socket;
    this.#id = id;
    this.#checker = checker;
    this.#onMessage = onMessage;
    this.#onRecord = onRecord;
    socket.on('error', (error) => (this.#errorCode ||= codeOf(error) ?? error.name));
    socket.on('close', (code, reason, info) => this.#onClose(code, reason.toString(), info));
  }

  get isOpen() {
    return this.#socket.readyState === 1;
  }
  get received() {
    return this.#checker.count;
  }

  opened() {
    this.#openedAt = Date.now();
    this.#isOpened = true;
  }

  /** @param {Reading} reading */
  read(reading) {
    const socket = this.#socket;
    socket.incoming = reading === 'stream' ? 'stream' : 'buffer';
    if (reading === 'event')
      socket.on('message', (data, isBinary) => this.#take(/** @type {Buffer} */ (data), !isBinary));
    else void this.#readLoop();
  }

  async #readLoop() {
    this.#isReading = true;
    try {
      for await (const message of this.#socket) {
        if (typeof message === 'string') this.#take(message, true);
        else if (Buffer.isBuffer(message)) this.#take(message, false);
        else if ('text' in message) this.#take(await message.buffer(), !message.isBinary);
      }
    } catch (error) {
      const code = codeOf(error);
      if (this.#isOpened && code !== 'WS_ERR_CLOSED' && code !== 'WS_ERR_INCOMPLETE_MESSAGE')
        this.#thrown = code ?? String(error);
    }
    this.#isReading = false;
    this.#report();
  }

  /** @param {Buffer | string} data @param {boolean} isText */
  #take(data, isText) {
    this.seen++;
    if (this.#closes > 0 && !this.#isReading) this.#fault("a message after 'close'");
    if (this.#checker.accept(data, isText)) this.#onMessage();
    else this.close(DAMAGE_CODE);
  }

  /** Sends the n-th message as it is to be sent; its first byte takes its place before this returns. @param {Spec} spec */
  send(spec) {
    if (!this.isOpen) return;
    this.sent++;
    sendMessage(this.#socket, spec);
  }

  /** Does nothing where the end has begun already. @param {number} code */
  close(code) {
    if (!this.isOpen) return;
    this.#called = { how: 'close', code, at: Date.now() };
    this.#socket.close(code, 'enough');
  }
  terminate() {
    if (!this.isOpen) return;
    this.#called = { how: 'terminate', code: 1006, at: Date.now() };
    this.#socket.terminate();
  }

  /** @param {number} code @param {string} reason @param {import('@ws/server').CloseInfo} info */
  #onClose(code, reason, info) {
    if (++this.#closes > 1) this.#fault(`'close' came ${this.#closes} times`);
    if (code !== info.code || reason !== info.reason) this.#fault(`'close' says ${code}, its CloseInfo ${info.code}`);
    if (this.#socket.readyState !== 3) this.#fault(`readyState is ${this.#socket.readyState} at 'close'`);
    this.#closed ??= {
      at: Date.now(),
      code,
      initiator: info.initiator,
      wasClean: info.wasClean,
      sent: info.sent?.code ?? null,
      received: info.received?.code ?? null,
      error: codeOf(info.error) ?? (this.#errorCode || null),
      lastActivity: info.lastActivity,
      frames: info.frames.length,
      bytesUnsent: info.bytesUnsent,
    };
    void this.#socket.closed.then((promised) => {
      if (promised !== info) this.#fault('socket.closed has another CloseInfo');
      this.#report();
    });
  }

  /** @param {string} text */
  #fault(text) {
    this.#faults.push(text);
    if (this.#isReported) this.#onRecord(this.#record());
  }

  #report() {
    if (this.#isReported || this.#isReading || this.#closed === undefined) return;
    this.#isReported = true;
    if (this.#thrown !== undefined && this.#thrown !== this.#closed.error)
      this.#faults.push(`the loop threw ${this.#thrown}`);
    this.#onRecord(this.#record());
  }

  /** @returns {EndRecord} */
  #record() {
    const faults = this.#checker.fault === undefined ? this.#faults : [...this.#faults, this.#checker.fault];
    return {
      id: this.#id,
      isOpened: this.#isOpened,
      openedAt: this.#openedAt,
      called: this.#called,
      closed: this.#closed,
      closes: this.#closes,
      sent: this.sent,
      received: this.received,
      seen: this.seen,
      isDamaged: this.#checker.fault !== undefined,
      faults,
      stats: this.#socket.stats,
    };
  }
}

/** @param {WebSocket} socket @param {Spec} spec */
function sendMessage(socket, { content, isText, way, compress, pieces }) {
  const binary = !isText;
  const bytes = Buffer.from(content);
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  if (way === 'send') socket.send(content, { binary, compress });
  else if (way === 'fragments') {
    for (let at = 0; at < bytes.length; at += size)
      socket.send(bytes.subarray(at, at + size), { binary, compress, fin: at + size >= bytes.length });
  } else {
    const options = way === 'declared' ? { binary, length: bytes.length } : { binary, compress };
    const outgoing = socket.createOutgoing(options);
    outgoing.on('error', () => undefined); // the connection's end tells
    writeSlowly(outgoing, bytes, size, 0);
  }
}

/** A piece a turn. @param {import('node:stream').Writable} outgoing @param {Buffer} bytes @param {number} size @param {number} at */
function writeSlowly(outgoing, bytes, size, at) {
  if (outgoing.destroyed) return;
  const hasRoom = outgoing.write(bytes.subarray(at, at + size));
  const next = at + size;
  if (next >= bytes.length) return void outgoing.end();
  const goOn = () => writeSlowly(outgoing, bytes, size, next);
  if (hasRoom) setImmediate(goOn);
  else outgoing.once('drain', goOn);
}

/** @param {unknown} error */
function codeOf(error) {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : undefined;
}
