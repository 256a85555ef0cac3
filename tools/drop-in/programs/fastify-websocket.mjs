// fastify with @fastify/websocket: routes, hooks, a refusal, schemas, a stream, injectWS, and what an orderly end tells the clients.
import { pipeline } from 'node:stream';
import { closeOf, readerOf, refusalOf } from './parts.mjs';

export const users = [['@fastify/websocket']];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs, esm }) {
  const { default: WebSocket, createWebSocketStream } = await esm('ws');
  const app = cjs('fastify')();
  const errors = /** @type {string[]} */ ([]);
  await app.register(cjs('@fastify/websocket'), {
    options: {
      maxPayload: 1 << 20,
      perMessageDeflate: { threshold: 10 },
      verifyClient: (/** @type {any} */ { req }, /** @type {any} */ next) =>
        next(req.headers['x-banned'] === undefined, 451),
    },
    errorHandler: (/** @type {any} */ error, /** @type {any} */ socket) => {
      errors.push(error.code ?? error.message);
      socket.close(1011, 'handler failed');
    },
  });
  app.addHook('preValidation', async (/** @type {any} */ request, /** @type {any} */ reply) => {
    if (request.query.token === 'wrong') await reply.code(401).send('not you');
  });
  app.get('/echo', { websocket: true }, (/** @type {any} */ socket, /** @type {any} */ request) => {
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ binary) => socket.send(data, { binary }));
    socket.send(JSON.stringify({ id: request.query.id, ws: request.ws }));
  });
  app.get('/broken', { websocket: true }, () => {
    throw new Error('a handler that throws');
  });
  app.get('/late', { websocket: true }, async () => {
    throw new Error('a handler that rejects');
  });
  app.get('/page', async () => 'a page');
  app.get('/stream', { websocket: true }, (/** @type {any} */ socket) => {
    const stream = createWebSocketStream(socket);
    pipeline(stream, stream, () => undefined);
  });
  app.route({
    method: 'GET',
    url: '/both',
    handler: async () => ({ over: 'HTTP' }),
    wsHandler: (/** @type {any} */ socket) => socket.close(4000, 'over WebSocket'),
  });
  const address = await app.listen({ port: 0, host: '127.0.0.1' });
  const url = address.replace('http', 'ws');

  const echo = new WebSocket(`${url}/echo?id=7`);
  const read = readerOf(echo);
  const greeting = await read();
  const echoes = [];
  for (const data of ['text', 'größe'.repeat(1000), Buffer.from([1, 0, 255]), Buffer.alloc(100_000, 'abc')]) {
    echo.send(data);
    const back = await read();
    echoes.push(back.length > 10 ? back.length : back);
  }
  const clients = app.websocketServer.clients.size;
  const refused = {
    hook: await refusalOf(new WebSocket(`${url}/echo?token=wrong`)),
    verifyClient: await refusalOf(new WebSocket(`${url}/echo`, { headers: { 'x-banned': '1' } })),
    noRoute: await refusalOf(new WebSocket(`${url}/nowhere`)),
    noWebSocketRoute: await refusalOf(new WebSocket(`${url}/page`)),
    broken: await refusalOf(new WebSocket(`${url}/broken`)),
    late: await refusalOf(new WebSocket(`${url}/late`)),
    both: await refusalOf(new WebSocket(`${url}/both`)),
  };
  const overHttp = [(await fetch(`${address}/echo`)).status, await (await fetch(`${address}/both`)).text()];

  const tooMuch = new WebSocket(`${url}/echo`);
  await readerOf(tooMuch)();
  const tooMuchClose = closeOf(tooMuch);
  tooMuch.send(Buffer.alloc((1 << 20) + 1));
  const tooMuchClosed = await tooMuchClose;

  const streamed = createWebSocketStream(new WebSocket(`${url}/stream`));
  streamed.write(Buffer.alloc(300_000, 'stream'));
  let received = 0;
  for await (const chunk of streamed) {
    received += chunk.length;
    if (received === 300_000) streamed.end();
  }

  const open = new WebSocket(`${url}/echo`);
  await readerOf(open)();
  const ends = Promise.all([echo, open].map(closeOf));
  await app.close();
  return {
    greeting,
    echoes,
    extensions: echo.extensions,
    clients,
    refused,
    overHttp,
    tooMuchClosed,
    errors,
    received,
    injected: await injected(cjs),
    ends: await ends,
  };
}

/** Sockets over no network, as the plugin hands them to the tests of its users. @param {NodeJS.Require} cjs */
async function injected(cjs) {
  const app = cjs('fastify')();
  await app.register(cjs('@fastify/websocket'));
  app.addHook('preValidation', async (/** @type {any} */ request, /** @type {any} */ reply) => {
    if (request.headers['api-key'] !== 'some key') await reply.code(401).send('not you');
  });
  app.get('/', { websocket: true }, (/** @type {any} */ socket) => {
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ binary) => socket.send(data, { binary }));
  });
  await app.ready();
  const socket = await app.injectWS('/', { headers: { 'api-key': 'some key' } });
  const read = readerOf(socket);
  const seen = [];
  for (const data of ['through no network', Buffer.from([1, 2, 3])]) {
    socket.send(data);
    seen.push(await read());
  }
  seen.push(await app.injectWS('/').catch((/** @type {Error} */ { message }) => message));
  const closed = closeOf(socket);
  socket.terminate();
  seen.push(await closed);
  await app.close();
  return seen;
}

export const expected = {
  greeting: '{"id":"7","ws":true}',
  echoes: ['text', 5000, [1, 0, 255], 100000],
  extensions: 'permessage-deflate',
  clients: 1,
  refused: {
    hook: ['Unexpected server response: 401', '1006'],
    verifyClient: ['Unexpected server response: 451', '1006'],
    noRoute: ['Unexpected server response: 404', '1006'],
    noWebSocketRoute: ['1005'],
    broken: ['1011 handler failed'],
    late: ['1011 handler failed'],
    both: ['4000 over WebSocket'],
  },
  overHttp: [404, '{"over":"HTTP"}'],
  tooMuchClosed: '1009',
  errors: ['a handler that throws', 'a handler that rejects', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
  received: 300000,
  injected: ['through no network', [1, 2, 3], 'Unexpected server response: 401', '1006'],
  ends: ['1005', '1005'],
};
