// A client to attack: it connects to whom it is told, and tells how that ended.
import { request as httpRequest } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from '@ws/client';
import { answer, ending } from './answers.mjs';
import { battery, names } from './battery.mjs';
import { InPieces } from './in-pieces.mjs';
import { injections } from './injections.mjs';

/** @typedef {import('./specs.mjs').ClientSpec} ClientSpec */
/** @typedef {{ socket: WebSocket, opened: boolean, error: string | null, messages: string[], redirects: string[], events: string[] }} Attempt */

/** @type {Attempt[]} */
const attempts = [];

/** @param {unknown} error */
const codeOf = (error) => (error instanceof Error ? String(Reflect.get(error, 'code') ?? error.name) : 'none');

/** @param {ClientSpec} spec */
function connect({ url, protocols = [], options = {}, listens = true, proxy, byteByByte = false }) {
  const socket = new WebSocket(url, protocols, {
    ...options,
    ...(proxy && tunnel(proxy)),
    ...(byteByByte && { createConnection: (target) => new InPieces(connectTcp(target), 1) }),
  });
  /** @type {Attempt} */
  const attempt = { socket, opened: false, error: null, messages: [], redirects: [], events: [] };
  if (listens) {
    socket.on('open', () => (attempt.opened = true));
    socket.on('message', (data) => {
      if (attempt.messages.length < 20) attempt.messages.push(String(data).slice(0, 100));
    });
    socket.on('redirect', (to) => attempt.redirects.push(to));
    socket.on('error', (error) => (attempt.error = codeOf(error)));
    for (const name of /** @type {const} */ (['open', 'message', 'error', 'close']))
      socket.on(name, () => attempt.events.length < 50 && attempt.events.push(name));
  }
  return attempts.push(attempt) - 1;
}

/**
 * A tunnel as programs make one: CONNECT by hand, then TLS over it with the options that they were given, `servername` among them.
 * @param {NonNullable<ClientSpec['proxy']>} proxy
 * @returns {import('@ws/client').ClientOptions}
 */
function tunnel({ port, by }) {
  /** @type {(options: any, callback: (error: Error | null, stream?: any) => void) => undefined} */
  const createConnection = (options, callback) => {
    httpRequest({ host: '127.0.0.1', port, method: 'CONNECT', path: `${options.host}:${options.port}` })
      .on('connect', (_response, socket) => {
        if (options.secureEndpoint === false) return callback(null, socket);
        callback(null, connectTls({ ...options, socket }));
      })
      .on('error', callback)
      .end();
  };
  if (by === 'createConnection') return { createConnection };
  const agent = new HttpsAgent();
  Object.assign(agent, { createConnection });
  return { agent };
}

/** @param {number} id */
function attemptOf(id) {
  const attempt = attempts[id];
  if (attempt === undefined) throw new RangeError(`there is no connection ${id}`);
  return attempt;
}

answer({
  names: () => names,
  connect,
  /** Resolves when it is open; false when it ended before. */
  opened: async (/** @type {number} */ id) => {
    const { socket } = attemptOf(id);
    if (socket.readyState === WebSocket.OPEN) return true;
    return Promise.race([
      new Promise((resolve) => socket.once('open', () => resolve(true))),
      socket.closed.then(() => false),
    ]);
  },
  /** Resolves when it has ended. */
  ended: async (/** @type {number} */ id) => {
    const { socket, opened, error, messages, redirects, events } = attemptOf(id);
    const info = await socket.closed;
    await new Promise(setImmediate); // what comes too late is in the list as well
    const { protocol, extensions, readyState } = socket;
    return {
      ...ending(info),
      opened: opened || attemptOf(id).opened,
      error: attemptOf(id).error ?? error,
      messages,
      redirects,
      events,
      protocol,
      extensions,
      readyState,
    };
  },
  terminate: (/** @type {number} */ id) => attemptOf(id).socket.terminate(),
  close: (/** @type {{ id: number, code?: number }} */ { id, code }) => attemptOf(id).socket.close(code),
  send: (
    /** @type {{ id: number, text: string, times?: number, compress?: boolean }} */ { id, text, times = 1, compress },
  ) => {
    for (let n = 0; n < times; n++) attemptOf(id).socket.send(text, compress === undefined ? {} : { compress });
  },
  /** Sends buffers of many sizes, half of them when the connection is cut: whether they changed, and how often each callback came. */
  callbacks: async (/** @type {number} */ id) => {
    const { socket } = attemptOf(id);
    const sizes = [0, 1, 3, 125, 126, 1000, 20_000, 65_536, 70_000, 300_000];
    const called = new Map();
    let changed = 0;
    const send = (/** @type {number} */ size) => {
      const bytes = Buffer.alloc(size, 'abc');
      const key = Symbol(String(size));
      called.set(key, 0);
      socket.send(bytes, () => {
        called.set(key, called.get(key) + 1);
        if (!bytes.equals(Buffer.alloc(size, 'abc'))) changed++;
      });
    };
    sizes.forEach(send);
    socket.terminate();
    await socket.closed;
    sizes.forEach(send);
    while ([...called.values()].includes(0)) await new Promise(setImmediate);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
    const counts = [...called.values()];
    return {
      changed,
      sent: counts.length,
      called: counts.filter(Boolean).length,
      twice: counts.filter((n) => n > 1).length,
    };
  },
  agreed: (/** @type {number} */ id) => {
    const { protocol, extensions } = attemptOf(id).socket;
    return { protocol, extensions };
  },
  battery: (/** @type {{ id: number } & Parameters<typeof battery>[1]} */ { id, ...told }) =>
    battery(attemptOf(id).socket, told),
  injections: (/** @type {string} */ url) => injections(url),
});

process.send?.({ port: 0 });
