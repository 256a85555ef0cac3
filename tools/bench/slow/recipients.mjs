// Many recipients on bare TCP: they shake hands, and check the numbers of what comes. Some stop reading behind the handshake, until they are told.
import { connect } from 'node:net';
import { answerParent } from '../servers/control.mjs';
import { FILLER, MARKER } from './wire.mjs';

/** @typedef {import('../lib/slow-consumers.mjs').SlowTask} SlowTask */

/**
 * @typedef {object} Received by one that was stalled
 * @property {number} fillers
 * @property {number} count of the numbers
 * @property {[first: number, last: number][]} runs of numbers without a gap, in the order in which they came; the first thousand
 * @property {string} ending 'marker', 'end', or an error's code
 * @property {number | undefined} closeCode
 */

const task = /** @type {SlowTask} */ (JSON.parse(process.argv[2] ?? '{}'));
const { port = 0, recipients, broadcasts, size } = task;
const MOST_RUNS = 1000;
const END_OF_HEAD = '\r\n\r\n';

/** @param {string} message */
const fail = (message) => process.send?.({ failed: message });

/** How many of those that keep up have not got everything, and how many have not ended yet. */
let waiting = recipients - task.stalled;
let open = recipients;

/** @param {boolean} isStalled */
class Recipient {
  /** @type {Received} */
  received = { fillers: 0, count: 0, runs: [], ending: '', closeCode: undefined };
  #isStalled;
  #socket;
  #rest = Buffer.alloc(0);
  #isOpen = false;
  #next = 0;
  #hasEnded = false;

  /** @param {boolean} isStalled @param {() => void} opened */
  constructor(isStalled, opened) {
    this.#isStalled = isStalled;
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.write(
      `GET /${isStalled ? 'stalled' : ''} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    this.#socket.on('data', (chunk) => {
      if (this.#isOpen) return this.#parse(chunk);
      this.#rest = Buffer.concat([this.#rest, chunk]);
      const end = this.#rest.indexOf(END_OF_HEAD);
      if (end === -1) return;
      if (!this.#rest.toString('latin1', 0, 12).startsWith('HTTP/1.1 101')) fail(this.#rest.toString('latin1', 0, end));
      const frames = this.#rest.subarray(end + END_OF_HEAD.length);
      this.#rest = Buffer.alloc(0);
      this.#isOpen = true;
      if (isStalled) this.#socket.pause();
      opened();
      this.#parse(frames);
    });
    this.#socket.on('error', (/** @type {NodeJS.ErrnoException} */ error) => this.#end(error.code ?? error.message));
    this.#socket.on('end', () => this.#end('end'));
  }

  read() {
    this.#socket.resume();
  }

  destroy() {
    this.#socket.destroy();
  }

  /** Frames of a server: whole messages, not masked. @param {Buffer} chunk */
  #parse(chunk) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (at + 4 <= bytes.length) {
      const short = bytes[at + 1] ?? 0;
      const start = at + (short === 126 ? 4 : 2);
      const length = short === 126 ? bytes.readUInt16BE(at + 2) : short;
      if (start + length > bytes.length) break;
      if (bytes[at] === 0x88) this.received.closeCode = length < 2 ? 1005 : bytes.readUInt16BE(start);
      else if (bytes[at] !== 0x82) fail(`a frame that begins with ${bytes[at]}`);
      else this.#message(bytes.readUInt32BE(start), length);
      at = start + length;
    }
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at));
  }

  /** @param {number} number @param {number} length */
  #message(number, length) {
    if (number === FILLER) this.received.fillers++;
    else if (length !== size) fail(`a message of ${length} bytes`);
    else if (number === MARKER) this.#end('marker');
    else if (this.#isStalled) this.#note(number);
    else if (number !== this.#next++) fail(`number ${number} came instead of ${this.#next - 1}`);
    else if (this.#next === broadcasts && --waiting === 0) process.send?.({ delivered: true });
  }

  /** @param {number} number */
  #note(number) {
    const { received } = this;
    received.count++;
    const run = received.runs.at(-1);
    if (run !== undefined && run[1] === number - 1) run[1] = number;
    else if (received.runs.length < MOST_RUNS) received.runs.push([number, number]);
  }

  /** @param {string} ending */
  #end(ending) {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.received.ending = ending;
    if (!this.#isStalled && ending !== 'marker') fail(`one that kept up ended by ${ending}`);
    if (--open === 0) process.send?.({ received: stalled.map((each) => each.received) });
  }
}

/** @type {Recipient[]} */
const stalled = [];
/** @type {Recipient[]} */
const all = [];

for (let index = 0; index < recipients; index++) {
  const isStalled = index < task.stalled;
  await new Promise((resolve) => {
    const recipient = new Recipient(isStalled, () => resolve(undefined));
    all.push(recipient);
    if (isStalled) stalled.push(recipient);
  });
}

process.on('message', (command) => {
  if (command === 'read') for (const recipient of stalled) recipient.read();
  else if (command === 'end') for (const recipient of all) recipient.destroy();
});
answerParent();
process.send?.({ port });
