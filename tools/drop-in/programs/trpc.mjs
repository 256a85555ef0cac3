// @trpc/server on a `WebSocketServer`, @trpc/client with the class: queries, mutations, errors, subscriptions, keep-alive, coming back, and what is no request.
import { on, once } from 'node:events';
import { closeOf, deferred, readerOf } from './parts.mjs';

/** Both are handed what they use. */
export const users = [[]];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const { initTRPC, TRPCError } = cjs('@trpc/server');
  const { applyWSSHandler } = cjs('@trpc/server/adapters/ws');
  const { createTRPCClient, createWSClient, wsLink } = cjs('@trpc/client');
  const { WebSocket, WebSocketServer } = cjs('ws');

  const any = (/** @type {unknown} */ input) => input;
  const ended = deferred();
  const { procedure, router } = initTRPC.context().create();
  const routes = router({
    greet: procedure.input(any).query((/** @type {any} */ { input }) => `hello ${input}`),
    add: procedure.input(any).mutation((/** @type {any} */ { input: [a, b] }) => a + b),
    who: procedure.query((/** @type {any} */ { ctx }) => ctx),
    forbidden: procedure.query(() => {
      throw new TRPCError({ code: 'FORBIDDEN', message: 'not you' });
    }),
    count: procedure.subscription(async function* (/** @type {any} */ { signal }) {
      for (let i = 0; i < 3; i++) yield i;
      if (!signal.aborted) await once(signal, 'abort').catch(() => undefined);
      ended.resolve();
    }),
  });
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const handler = applyWSSHandler({
    wss: server,
    router: routes,
    createContext: (/** @type {any} */ { req, info }) => ({ url: req.url, ...info.connectionParams }),
    keepAlive: { enabled: true, pingMs: 20, pongWaitMs: 5000 },
  });
  const url = `ws://127.0.0.1:${server.address().port}`;
  const states = /** @type {unknown[]} */ ([]);
  const bothClosed = deferred();
  let closes = 0;
  const socket = createWSClient({
    url: `${url}/api`,
    WebSocket,
    connectionParams: async () => ({ token: 'k' }),
    retryDelayMs: () => 1,
    onOpen: () => states.push('open'),
    onClose(/** @type {any} */ { code } = {}) {
      states.push(code);
      if (code === 1005 && closes++ === 1) bothClosed.resolve();
    },
  });
  const client = createTRPCClient({ links: [wsLink({ client: socket })] });

  const calls = await Promise.all([client.greet.query('größe'), client.add.mutate([1, 2]), client.who.query()]);
  const long = (await client.greet.query('x'.repeat(200_000))).length;
  const failure = await client.forbidden
    .query()
    .catch((/** @type {any} */ { message, data }) => [message, data.code, data.httpStatus]);
  const counted = await count(() => undefined);
  await ended.promise;
  const [end] = server.clients;
  const pongs = on(end, 'message');
  while (String((await pongs.next()).value[0]) !== 'PONG');

  // Connections that are cut in mid-subscription, and one that is asked to come again.
  const resumed = await count((at) => {
    if (at === 3) for (const each of server.clients) each.terminate();
  }, 6);
  const renewed = once(server, 'connection');
  handler.broadcastReconnectNotification();
  await renewed;
  const again = await client.greet.query('again');

  const raw = new WebSocket(url);
  await once(raw, 'open');
  const next = readerOf(raw);
  const read = async () => {
    for (;;) {
      const text = String(await next());
      if (text !== 'PING') return text;
    }
  };
  raw.send('PING');
  const answers = [await read()];
  const request = JSON.stringify({ id: 7, method: 'query', params: { path: 'greet', input: 'bytes' } });
  for (const wrong of [Buffer.from(request), 'not JSON']) {
    raw.send(wrong);
    answers.push(JSON.parse(await read()).error.data.code);
  }
  raw.send(request);
  answers.push(JSON.parse(await read()).result.data);
  const closed = closeOf(raw);
  raw.close(4000, 'enough');
  const close = await closed;
  await socket.close();
  await bothClosed.promise;
  const down = once(server, 'close');
  server.close();
  await down;
  return { calls, long, failure, counted, resumed, again, answers, close, states };

  /** Follows a subscription until so many have come. @param {(at: number) => void} at @param {number} all */
  function count(at, all = 3) {
    return new Promise((resolve, reject) => {
      const seen = /** @type {number[]} */ ([]);
      const subscription = client.count.subscribe(undefined, {
        onData(/** @type {number} */ value) {
          seen.push(value);
          at(seen.length);
          if (seen.length < all) return;
          subscription.unsubscribe();
          resolve(seen);
        },
        onError: reject,
      });
    });
  }
}

export const expected = {
  calls: ['hello größe', 3, { url: '/api?connectionParams=1', token: 'k' }],
  long: 200006,
  failure: ['not you', 'FORBIDDEN', 403],
  counted: [0, 1, 2],
  resumed: [0, 1, 2, 0, 1, 2],
  again: 'hello again',
  answers: ['PONG', 'PARSE_ERROR', 'PARSE_ERROR', 'hello bytes'],
  close: '4000 enough',
  states: ['open', 1006, 'open', 'open', 1005, 1005],
};
