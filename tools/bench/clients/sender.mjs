// A client that sends bursts: all messages of a burst in one go, the next burst when the server has answered this one.
import { answerParent, usage } from '../servers/control.mjs';

/**
 * @typedef {object} SendingSocket what the two libraries' clients have in common
 * @property {(event: 'open' | 'message', listener: (this: SendingSocket) => void) => unknown} on
 * @property {(data: Buffer) => unknown} send
 */

const [port = 0, connections = 1, burst = 1, size = 16] = process.argv.slice(2).map(Number);
// The bytes 0, 1, 2, …: the sink compares them.
const payload = Buffer.from(Array.from({ length: size }, (_, index) => index & 0xff));

let stopAt = 0;
let startedAt = 0;
let cpuBefore = 0;
let messages = 0;
let waiting = 0;

/** @param {SendingSocket} socket */
function sendBurst(socket) {
  for (let sent = 0; sent < burst; sent++) socket.send(payload);
}

/** @type {(this: SendingSocket) => void} */
function onAnswer() {
  messages += burst;
  const now = performance.now();
  if (now < stopAt) sendBurst(this);
  else if (--waiting === 0) {
    process.send?.({ messages, seconds: (now - startedAt) / 1000, cpu: usage().cpu - cpuBefore });
  }
}

/** @param {new (address: string, options: { perMessageDeflate: false }) => SendingSocket} Client */
export async function sendBursts(Client) {
  /** @type {SendingSocket[]} */
  const sockets = [];
  for (let index = 0; index < connections; index++) {
    const socket = new Client(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    await new Promise((resolve) => socket.on('open', () => resolve(undefined)));
    socket.on('message', onAnswer);
    sockets.push(socket);
  }
  process.on('message', (/** @type {{ seconds?: number }} */ command) => {
    if (command.seconds === undefined) return;
    messages = 0;
    waiting = connections;
    cpuBefore = usage().cpu;
    startedAt = performance.now();
    stopAt = startedAt + command.seconds * 1000;
    for (const socket of sockets) sendBurst(socket);
  });
  answerParent();
  process.send?.({ port });
}
