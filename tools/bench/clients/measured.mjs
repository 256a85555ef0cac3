// A client under test, which sends bursts to the sink or receives them from the source: the next burst when this one has been answered, or is there.
import { answerParent, usage } from '../servers/control.mjs';

/**
 * @typedef {{ send(data: Buffer | string): unknown }} Sending what is left of a library's socket here
 *
 * @callback Connect opens a socket
 * @param {string} address
 * @param {(data: Buffer | ArrayBuffer) => void} received
 * @returns {Promise<Sending>} once it is open
 *
 * @typedef {object} Peer one connection
 * @property {Sending} socket
 * @property {number} count messages that it has received
 * @property {number} missing messages until the burst is there
 */

const [port = 0, connections = 1, burst = 1, size = 16] = process.argv.slice(2).map(Number);
const isSender = process.argv[6] !== 'receive';

/** The source's n-th message begins with n % PERIOD, and each byte is the one before it and one more; the sink compares what begins with 0. */
const PERIOD = 16;
const bytes = Buffer.from(Array.from({ length: size + PERIOD }, (_, index) => index & 0xff));
const payload = Buffer.from(bytes.subarray(0, size));
/** No multiple of PERIOD and no divisor: the content of each of them is looked at in turn. */
const LOOK_EACH = 63;

let stopAt = 0;
let startedAt = 0;
let cpuBefore = 0;
let messages = 0;
let waiting = 0;

/** @param {Sending} socket */
const sendBurst = (socket) => {
  for (let sent = 0; sent < burst; sent++) socket.send(payload);
};

/** @param {Sending} socket */
const askForBurst = (socket) => socket.send(String(burst));

const start = isSender ? sendBurst : askForBurst;

/** @param {Peer} peer */
function finish(peer) {
  messages += burst;
  const now = performance.now();
  if (now < stopAt) start(peer.socket);
  else if (--waiting === 0) {
    process.send?.({ messages, seconds: (now - startedAt) / 1000, cpu: usage().cpu - cpuBefore });
  }
}

/** @param {Peer} peer @param {Buffer | ArrayBuffer} data */
function receive(peer, data) {
  if (data.byteLength !== size) throw new Error(`a message of ${data.byteLength} bytes, expected ${size}`);
  const number = peer.count++;
  if (number % LOOK_EACH === 0) {
    const first = number % PERIOD;
    const content = data instanceof ArrayBuffer ? new Uint8Array(data) : data;
    if (Buffer.compare(content, bytes.subarray(first, first + size)) !== 0)
      throw new Error(`message ${number} differs`);
  }
  if (--peer.missing > 0) return;
  peer.missing = burst;
  finish(peer);
}

/** @param {Connect} connect a library's way to */
export async function runClient(connect) {
  /** @type {Peer[]} */
  const peers = [];
  for (let index = 0; index < connections; index++) {
    /** @type {Peer} */
    const peer = { socket: { send: () => undefined }, count: 0, missing: burst };
    peers.push(peer);
    const received = isSender ? () => finish(peer) : (/** @type {Buffer | ArrayBuffer} */ data) => receive(peer, data);
    peer.socket = await connect(`ws://127.0.0.1:${port}`, received);
  }
  process.on('message', (/** @type {{ seconds?: number }} */ command) => {
    if (command.seconds === undefined) return;
    messages = 0;
    waiting = connections;
    cpuBefore = usage().cpu;
    startedAt = performance.now();
    stopAt = startedAt + command.seconds * 1000;
    for (const { socket } of peers) start(socket);
  });
  answerParent();
  process.send?.({ port });
}
