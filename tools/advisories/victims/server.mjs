// A server to attack: `node server.mjs '{"options":{…},"way":"port","echo":true,"hooks":{…},"http":{…}}'`.
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { WebSocket, WebSocketServer } from '@ws/server';
import { answer, ending } from './answers.mjs';
import { battery, names } from './battery.mjs';
import { InPieces } from './in-pieces.mjs';

/** @type {import('./specs.mjs').ServerSpec} */
const { options = {}, way = 'port', echo = true, hooks = {}, http = {} } = JSON.parse(process.argv[2] ?? '{}');

/** @type {ReturnType<typeof ending>[]} */
const closings = [];
/** @type {{ reason: string, code: string | null }[]} */
const refusals = [];
/** @type {WebSocket[]} */
const sockets = [];

/** Tells how it ended to whoever asks, without a listener for any event. */
class Watched extends WebSocket {
  /** @param {ConstructorParameters<typeof WebSocket>} args */
  constructor(...args) {
    super(...args);
    sockets.push(this);
    void this.closed.then((info) => closings.push(ending(info)));
  }
}

/** What a program may do wrong, or slowly, while it decides. */
const HOOKS = {
  never: () => new Promise(() => {}),
  refuse: () => false,
  injectReason: () => ({ accept: false, code: 401, reason: 'no\r\nX-Injected: 1' }),
  injectHeader: () => ({ accept: false, code: 401, headers: { 'X-A': 'b\r\nX-Injected: 1' } }),
  injectName: () => ({ accept: false, code: 401, headers: { 'X-A\r\nX-Injected: 1': 'b' } }),
  injectProtocol: () => 'a\r\nX-Injected: 1',
  throws: () => {
    throw new Error('of the program');
  },
};

const given = {
  ...options,
  ...Object.fromEntries(Object.entries(hooks).map(([name, hook]) => [name, HOOKS[hook]])),
  WebSocket: Watched,
};

let port = 0;
const listening = (/** @type {import('node:net').AddressInfo | string | null} */ address) => {
  port = typeof address === 'object' && address !== null ? address.port : 0;
  process.send?.({ port });
};

/** @type {WebSocketServer} */
let server;
if (way === 'port') {
  server = new WebSocketServer({ ...given, port: 0, host: '127.0.0.1' }, () => listening(server.address()));
} else {
  const httpServer = createServer(http, (_request, response) => response.end('a page'));
  server = new WebSocketServer({ ...given, server: httpServer });
  if (way === 'bytes' || way === 'pieces') {
    const size = way === 'bytes' ? 1 : 100;
    const tcpServer = createTcpServer((socket) => httpServer.emit('connection', new InPieces(socket, size)));
    tcpServer.listen(0, '127.0.0.1', () => listening(tcpServer.address()));
  } else {
    httpServer.listen(0, '127.0.0.1', () => listening(httpServer.address()));
  }
}

if (echo) {
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
}
server.on('refused', (reason, _request, error) => {
  refusals.push({ reason, code: error instanceof Error ? String(Reflect.get(error, 'code') ?? error.name) : null });
});

answer({
  names: () => names,
  clients: () => server.clients.size,
  /** Waits until no more than so many are connected, and forgets the others. */
  settled: async (/** @type {number} */ count) => {
    while (server.clients.size > count) await new Promise(setImmediate);
    await new Promise(setImmediate);
    closings.length = 0;
    refusals.length = 0;
  },
  /** Since it was last asked. */
  closings: () => closings.splice(0),
  refusals: () => refusals.splice(0),
  /** Closes the newest connection, from its own end. */
  close: (/** @type {{ code?: number, reason?: string }} */ { code, reason }) => sockets.at(-1)?.close(code, reason),
  /** Sends odd views over the newest connection: see battery.mjs. */
  battery: (/** @type {Parameters<typeof battery>[1]} */ told) => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new RangeError('nobody is connected');
    return battery(socket, told);
  },
});
