// The proxy between clients and server: every connection has its fault and its pace, and what was done to it is told at its end.
import { connect, createServer } from 'node:net';
import { Lane } from '../lib/lane.mjs';
import { watchStalls } from '../lib/leaks.mjs';
import { Random } from '../lib/random.mjs';
import { faultOf, paceOf } from '../lib/scenario.mjs';

/** @typedef {import('node:net').Socket} Socket */
/** @typedef {import('../lib/scenario.mjs').Settings} Settings */
/** @typedef {import('../lib/verdict.mjs').ProxyRecord} ProxyRecord */

/** Longest number of a connection, as the client says it before its first byte. */
const PREAMBLE_MOST = 12;

/** @type {Set<Socket>} */
const sockets = new Set();
const stalls = watchStalls();
let open = 0;

/** @param {object} message */
const tell = (message) => void process.send?.(message, () => undefined); // who asked may be gone

process.on('message', (/** @type {any} */ { type, settings, port }) => {
  if (type === 'start') start(settings, port);
  if (type === 'report') tell({ type: 'report', open, stalls });
});
process.on('disconnect', () => process.exit());

/** @param {Settings} settings @param {number} serverPort */
function start(settings, serverPort) {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: false }, (client) => {
    sockets.add(client);
    client.on('error', () => undefined);
    client.once('close', () => sockets.delete(client));
    readNumber(client, (id) => new Proxied(settings, serverPort, id, client));
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
    const address = server.address();
    tell({ type: 'ready', port: typeof address === 'object' ? address?.port : 0 });
  });
}

/** The client's number stands before its first byte. @param {Socket} client @param {(id: number) => void} then */
function readNumber(client, then) {
  let text = '';
  const onData = (/** @type {Buffer} */ chunk) => {
    const end = chunk.indexOf(10);
    text += chunk.toString('latin1', 0, end < 0 ? undefined : end);
    if (end < 0) {
      if (text.length > PREAMBLE_MOST) client.destroy();
      return;
    }
    client.off('data', onData);
    client.pause();
    if (end + 1 < chunk.length) client.unshift(chunk.subarray(end + 1));
    then(Number(text));
  };
  client.on('data', onData);
}

class Proxied {
  #settings;
  #client;
  #server;
  #fault;
  /** @type {Lane} */
  #up;
  /** @type {Lane} */
  #down;
  /** @type {ProxyRecord} */
  #record;
  #closed = 0;

  /** @param {Settings} settings @param {number} serverPort @param {number} id @param {Socket} client */
  constructor(settings, serverPort, id, client) {
    open++;
    this.#settings = settings;
    this.#client = client;
    this.#server = connect({ port: serverPort, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    this.#server.on('error', () => undefined);
    sockets.add(this.#server);
    const fault = faultOf(settings, id);
    this.#fault = fault;
    this.#record = { id, kind: fault.kind, direction: fault.direction, firedAt: undefined, up: 0, down: 0, changed: 0 };
    /** @param {import('../lib/messages.mjs').Direction} direction @param {Socket} source @param {Socket} target */
    const lane = (direction, source, target) => {
      const isHurt = fault.direction === direction;
      const isCorrupt = isHurt && fault.kind === 'corrupt';
      const random = new Random(settings.seed, id, direction === 'up' ? 21 : 22);
      const changes = isCorrupt ? changesFrom(random, fault.at) : undefined;
      const limit = isHurt && !isCorrupt ? fault.at : Infinity;
      const made = new Lane(source, target, paceOf(settings, id, direction), random, limit, changes);
      made.onLimit = () => this.#fire();
      made.onChange = () => this.#changed();
      return made;
    };
    this.#up = lane('up', client, this.#server);
    this.#down = lane('down', this.#server, client);
    this.#up.start();
    this.#down.start();
    for (const socket of [client, this.#server]) {
      socket.once('close', () => {
        sockets.delete(socket);
        if (++this.#closed === 2) this.#end();
      });
    }
  }

  #changed() {
    this.#record.firedAt ??= Date.now();
    this.#record.changed++;
    this.#tell();
  }

  #fire() {
    if (this.#record.firedAt !== undefined) return;
    this.#record.firedAt = Date.now();
    const { kind, direction, swallow } = this.#fault;
    const [hurt, other, target] =
      direction === 'up' ? [this.#up, this.#down, this.#server] : [this.#down, this.#up, this.#client];
    if (kind === 'reset') {
      hurt.stop(true);
      other.stop(true);
      this.#client.resetAndDestroy();
      this.#server.resetAndDestroy();
    } else if (kind === 'truncate') {
      hurt.stop(true);
      other.stop(true);
      this.#client.end();
      this.#server.end();
    } else if (kind === 'fin') {
      hurt.stop(true);
      target.end();
    } else {
      hurt.stop(swallow);
      if (kind === 'half-open') other.stop(swallow);
      this.#freeLater();
    }
    this.#tell();
  }

  /** A socket that is not read never tells that its peer has gone: long after it must have, it is given up. */
  #freeLater() {
    const { interval, timeout, closeTimeout, handshakeTimeout } = this.#settings.times;
    const timer = setTimeout(
      () => {
        this.#client.destroy();
        this.#server.destroy();
      },
      3 * Math.max(interval + timeout, closeTimeout, handshakeTimeout),
    );
    timer.unref();
  }

  #end() {
    open--;
    this.#tell();
  }

  /** At its fault, and again at its end. */
  #tell() {
    this.#record.up = this.#up.forwarded;
    this.#record.down = this.#down.forwarded;
    tell({ type: 'proxied', record: this.#record });
  }
}

/** One byte, or a few beside each other. @param {Random} random @param {number} at */
function changesFrom(random, at) {
  const count = random.pick([1, 1, 1, 4, 40]);
  return new Map(Array.from({ length: count }, (_, index) => [at + index, random.between(1, 255)]));
}
