// The clients: so many connections at a time through the proxy, each made again when it ends, until told to stop.
import { connect } from 'node:net';
import { WebSocket } from '@ws/client';
import { End } from '../lib/end.mjs';
import { footing, Held, watchStalls } from '../lib/leaks.mjs';
import { Checker, messageOf } from '../lib/messages.mjs';
import { clientOf, endingOf, pathOf } from '../lib/scenario.mjs';

/** @typedef {import('../lib/scenario.mjs').Settings} Settings */

/** Messages of a connection that may wait for their answers. */
const WINDOW = 12;
const BURST = 8;
/** Between the first attempts of two connections. */
const RAMP_MS = 15;

const held = new Held();
const stalls = watchStalls();
let open = 0;
let attempts = 0;
let isStopping = false;
/** @type {Set<Client>} */
const clients = new Set();

/** @param {object} message */
const tell = (message) => void process.send?.(message, () => undefined); // who asked may be gone

process.on('message', (/** @type {any} */ { type, settings, port, connections, firstId }) => {
  if (type === 'traffic') start(settings, port, connections, firstId);
  if (type === 'stop') stop();
  if (type === 'footing') void footing(held).then((value) => tell({ type, footing: value }));
  if (type === 'report') tell({ type, open, attempts, stalls });
});
process.on('disconnect', () => process.exit());

/** @param {Settings} settings @param {number} port @param {number} connections @param {number} firstId */
function start(settings, port, connections, firstId) {
  isStopping = false;
  let nextId = firstId;
  const openOne = () => {
    if (isStopping) return;
    const client = new Client(settings, port, nextId++, () => {
      clients.delete(client);
      if (!isStopping) setTimeout(openOne, client.random.between(1, settings.times.backOff));
      else if (clients.size === 0) tell({ type: 'idle' });
    });
    clients.add(client);
  };
  for (let slot = 0; slot < connections; slot++) setTimeout(openOne, RAMP_MS * slot);
}

function stop() {
  isStopping = true;
  if (clients.size === 0) tell({ type: 'idle' });
  for (const client of clients) client.stop();
}

class Client {
  #settings;
  #id;
  #end;
  /** @type {NodeJS.Timeout | undefined} */
  #burstTimer;
  /** @type {NodeJS.Timeout | undefined} */
  #endTimer;

  /** @param {Settings} settings @param {number} port @param {number} id @param {() => void} onEnd */
  constructor(settings, port, id, onEnd) {
    attempts++;
    open++;
    this.#settings = settings;
    this.#id = id;
    const { seed, largest, times } = settings;
    const { reading, perMessageDeflate, random } = clientOf(settings, id);
    this.random = random;
    const { interval, timeout, closeTimeout, handshakeTimeout } = times;
    const socket = new WebSocket(`ws://127.0.0.1:${port}${pathOf(id)}`, {
      perMessageDeflate,
      heartbeat: { interval, timeout },
      closeTimeout,
      handshakeTimeout,
      createConnection: () => {
        const stream = connect({ port, host: '127.0.0.1' });
        stream.write(`${id}\n`); // for the proxy
        return stream;
      },
    });
    held.add(socket);
    let isDone = false;
    const checker = new Checker(seed, id, 'down', largest);
    this.#end = new End(
      socket,
      id,
      checker,
      () => undefined,
      (record) => {
        tell({ type: 'client', record });
        if (isDone) return;
        isDone = true;
        open--;
        clearTimeout(this.#burstTimer);
        clearTimeout(this.#endTimer);
        onEnd();
      },
    );
    this.#end.read(reading);
    socket.once('open', () => {
      this.#end.opened();
      if (isStopping) return this.#end.close(1000);
      this.#endLater();
      this.#burst();
    });
  }

  /** At the end of the run. */
  stop() {
    if (this.#end.isOpen) this.#end.close(1000);
  }

  #endLater() {
    const { by, how, code, afterMs } = endingOf(this.#settings, this.#id);
    // A little later where it is the server's turn, so that what closes at both ends at once happens too.
    this.#endTimer = setTimeout(
      () => {
        if (by === 'client' && how === 'terminate') this.#end.terminate();
        else this.#end.close(code);
      },
      afterMs + (by === 'client' ? 0 : 20),
    );
  }

  #burst() {
    if (!this.#end.isOpen) return;
    const { seed, largest, times } = this.#settings;
    const room = WINDOW - (this.#end.sent - this.#end.received);
    for (let n = Math.min(room, this.random.between(1, BURST)); n > 0; n--)
      this.#end.send(messageOf(seed, this.#id, 'up', this.#end.sent, largest));
    const wait = -Math.log(1 - this.random.next()) * times.pause;
    this.#burstTimer = setTimeout(() => this.#burst(), Math.min(wait, 8 * times.pause));
  }
}
