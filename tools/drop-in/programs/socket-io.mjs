// socket.io, both ends: rooms, acknowledgements, binary, refusal, unclean close and reconnection, over each of its ways to send.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { deferred, listen } from './parts.mjs';

export const users = [
  ['socket.io', 'engine.io'],
  ['socket.io', 'socket.io-adapter'],
  ['socket.io-client', 'engine.io-client'],
];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs, esm }) {
  const { Server } = cjs('socket.io');
  const { io } = await esm('socket.io-client'); // its ES module does `import * as ws`
  return everyWay({ Server, io, ws: cjs('ws').Server });
}

/** @typedef {{ Server: any, io: any, ws: any, engine?: object }} Parts its `ws` is the server that the engine shall have made */

/** @param {Parts} parts */
export async function everyWay(parts) {
  const compressed = { perMessageDeflate: { threshold: 1 } };
  return {
    upgraded: await chat(parts, {}, {}),
    plain: await chat(parts, {}, { transports: ['websocket'] }),
    compressed: await chat(parts, compressed, { ...compressed, transports: ['websocket'] }),
  };
}

/** @param {Parts} parts @param {object} serverOptions @param {object} clientOptions */
async function chat({ Server, io, ws, engine: given }, serverOptions, clientOptions) {
  const http = createServer();
  const server = new Server(http, {
    ...given,
    ...serverOptions,
    maxHttpBufferSize: 10_000,
    allowRequest: (/** @type {any} */ { url }, /** @type {any} */ done) =>
      done('forbidden', !url.includes('tenant=none')),
  });
  server.use((/** @type {any} */ socket, /** @type {any} */ next) =>
    next(socket.handshake.auth.token === 'let me in' ? undefined : new Error('who are you?')),
  );
  server.engine.on('headers', (/** @type {any} */ headers) => (headers['x-served-by'] = 'engine'));
  const partings = /** @type {string[]} */ ([]);
  server.on('connection', (/** @type {any} */ socket) => {
    socket.on('join', (/** @type {string} */ room, /** @type {any} */ done) => {
      socket.join(room);
      done(server.sockets.adapter.rooms.get(room).size);
    });
    socket.on('say', (/** @type {string} */ room, /** @type {unknown} */ what) => socket.to(room).emit('said', what));
    socket.on('echo', (/** @type {unknown} */ what, /** @type {any} */ done) => done(what, Buffer.isBuffer(what)));
    socket.on('disconnect', (/** @type {string} */ reason) => partings.push(reason));
  });
  const url = `http://127.0.0.1:${await listen(http)}`;
  const connect = (/** @type {object} */ more = {}) =>
    io(url, { ...clientOptions, forceNew: true, auth: { token: 'let me in' }, reconnectionDelay: 1, ...more });

  const [ann, bob, cyn] = [connect(), connect(), connect()];
  const sockets = [ann, bob, cyn];
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  for (const { engine } of sockets.map((socket) => socket.io)) {
    if (engine.transport.name !== 'websocket') await once(engine, 'upgrade');
  }
  const extensions = sockets.map(({ io: { engine } }) => engine.transport.ws.extensions);

  const members = [];
  for (const [socket, room] of [
    [ann, 'red'],
    [bob, 'red'],
    [cyn, 'blue'],
  ])
    members.push(await socket.emitWithAck('join', room));
  const heard = sockets.map((socket) => {
    const said = /** @type {unknown[]} */ ([]);
    socket.on('said', (/** @type {unknown} */ what) => said.push(what));
    socket.on('question', (/** @type {any} */ done) => done(said.length));
    return said;
  });
  server.emit('said', 'to all');
  server.to('red').emit('said', 'to red');
  server.to('blue').emit('said', { to: 'blue', letters: 'bleu '.repeat(3) });
  server.emit('said', Buffer.from([1, 2, 3]));
  ann.emit('say', 'red', 'from ann');
  const echoes = [];
  for (const what of ['text', 'größer '.repeat(500), { nested: [1, null, true] }, new Uint8Array([0, 128, 255])]) {
    const [back, wasBuffer] = await new Promise((resolve) =>
      ann.emit('echo', what, (/** @type {unknown[]} */ ...all) => resolve(all)),
    );
    echoes.push(typeof back === 'string' ? back.length : back, wasBuffer);
  }
  const answers = await server.timeout(20_000).to('red').emitWithAck('question');
  await Promise.all([bob, cyn].map((socket) => socket.emitWithAck('echo', 'all before this has come')));

  const refused = await failureOf(connect({ auth: { token: 'open sesame' } }));
  const forbidden = await failureOf(
    connect({ query: { tenant: 'none' }, transports: ['websocket'], reconnection: false }),
  );

  const tooLong = once(bob, 'disconnect');
  const back = once(bob, 'connect');
  bob.emit('echo', 'x'.repeat(20_000), () => undefined);
  const [tooLongReason, { context }] = await tooLong;
  await back;

  const cut = once(cyn, 'disconnect');
  const cynAgain = once(cyn, 'connect');
  const [cynThere] = await server.in('blue').fetchSockets();
  server.sockets.sockets.get(cynThere.id).conn.transport.socket.terminate();
  const [cutReason, { context: cutContext }] = await cut;
  await cynAgain;

  const left = once(ann, 'disconnect');
  ann.disconnect();
  const [annReason] = await left;
  await cyn.emitWithAck('echo', 'still there');
  const closing = [bob, cyn].map(async (socket) => (await once(socket, 'disconnect'))[0]);
  bob.io.reconnection(false);
  cyn.io.reconnection(false);
  const headers = await headersOf(url);
  await server.close();
  return {
    engineIsWs: server.engine.ws instanceof ws,
    extensions,
    members,
    heard,
    echoes,
    answers: answers.toSorted(),
    refused,
    forbidden,
    tooLong: [tooLongReason, context.code, context.wasClean],
    cut: [cutReason, cutContext.code, cutContext.wasClean],
    left: annReason,
    partings: partings.toSorted(),
    closed: await Promise.all(closing),
    headers,
  };
}

/** @param {any} socket */
async function failureOf(socket) {
  const [error] = await once(socket, 'connect_error');
  socket.disconnect();
  return [error.message, error.type, error.description?.message];
}

/** What the engine adds to the answer of a handshake. @param {string} url */
async function headersOf(url) {
  const asked = request(`${url}/socket.io/?EIO=4&transport=websocket`, {
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    },
  });
  asked.end();
  const upgraded = deferred();
  asked.once('upgrade', (response, socket) => {
    socket.on('error', () => undefined).destroy();
    upgraded.resolve(response);
  });
  const { statusCode, headers } = await upgraded.promise;
  return [statusCode, headers['x-served-by'], headers['sec-websocket-accept']];
}

/** @param {string} extensions */
const way = (extensions) => ({
  engineIsWs: true,
  extensions: [extensions, extensions, extensions],
  members: [1, 2, 1],
  heard: [
    ['to all', 'to red', { type: 'Buffer', data: [1, 2, 3] }],
    ['to all', 'to red', { type: 'Buffer', data: [1, 2, 3] }, 'from ann'],
    ['to all', { to: 'blue', letters: 'bleu bleu bleu ' }, { type: 'Buffer', data: [1, 2, 3] }],
  ],
  echoes: [4, false, 3500, false, { nested: [1, null, true] }, false, { type: 'Buffer', data: [0, 128, 255] }, true],
  answers: [3, 4],
  refused: ['who are you?', null, null],
  forbidden: ['websocket error', 'TransportError', 'Unexpected server response: 400'],
  tooLong: ['transport close', 1009, true],
  cut: ['transport close', 1006, false],
  left: 'io client disconnect',
  partings: [
    'client namespace disconnect',
    'server shutting down',
    'server shutting down',
    'transport close',
    'transport error',
  ],
  closed: ['transport close', 'transport close'],
  headers: [101, 'engine', 'ICX+Yqv66kxgM0FcWaLWlFLwTAI='],
});

export const expected = { upgraded: way(''), plain: way(''), compressed: way('permessage-deflate') };
