// graphql-ws, both ends: query, subscription, errors, each of its close codes, and a client that comes back.
import { once } from 'node:events';
import { closeOf, deferred, listen, readerOf, stop } from './parts.mjs';
import { createServer } from 'node:http';

export const users = [['graphql-ws']];

/** @param {import('../install.mjs').Install} install */
export async function run({ esm }) {
  const { buildSchema } = await esm('graphql');
  const { createClient } = await esm('graphql-ws');
  const { useServer } = await esm('graphql-ws/use/ws');
  const { WebSocketServer, default: WebSocket } = await esm('ws');
  const schema = buildSchema(
    'type Query { hello(name: String!): String! } type Subscription { count(to: Int!): Int! forever: Int! }',
  );
  const disconnects = /** @type {string[]} */ ([]);
  const http = createServer();
  const server = new WebSocketServer({ server: http, path: '/graphql' });
  const { dispose } = useServer(
    {
      schema,
      roots: {
        query: { hello: (/** @type {any} */ { name }) => `hello ${name}` },
        subscription: {
          count: async function* (/** @type {any} */ { to }) {
            for (let at = 1; at <= to; at++) yield { count: at };
          },
          forever: async function* () {
            for (let at = 1; ; at++) {
              yield { forever: at };
              if (at % 2 === 0) await new Promise((resolve) => setImmediate(resolve));
            }
          },
        },
      },
      onConnect: (/** @type {any} */ { connectionParams }) => connectionParams?.token !== 'forbidden',
      onDisconnect: (/** @type {unknown} */ _context, /** @type {number} */ code, /** @type {string} */ reason) =>
        disconnects.push(`${code} ${reason}`),
      connectionInitWaitTimeout: 20_000,
    },
    server,
    500, // ms between pings, and for each pong: who is later is cut
  );
  const url = `ws://127.0.0.1:${await listen(http)}/graphql`;

  const reconnected = deferred();
  let connections = 0;
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    lazy: false,
    connectionParams: { token: 'allowed' },
    retryWait: async () => undefined,
    on: { connected: () => ++connections === 2 && reconnected.resolve() },
  });
  const ask = async (/** @type {string} */ query, /** @type {object} */ variables = {}) => {
    const answers = [];
    for await (const { data, errors } of client.iterate({ query, variables })) {
      answers.push(data ?? errors.map((/** @type {any} */ { message }) => message));
      if (answers.length === 5) break;
    }
    return answers;
  };
  const answers = {
    query: await ask('query Hello($name: String!) { hello(name: $name) }', { name: 'größe' }),
    long: (await ask('query Hello($name: String!) { hello(name: $name) }', { name: 'x'.repeat(200_000) }))[0].hello
      .length,
    subscription: await ask('subscription { count(to: 3) }'),
    cancelled: await ask('subscription { forever }'),
    invalid: await ask('{ missing }').catch((/** @type {any[]} */ errors) => errors.map(({ message }) => message)),
  };

  // The server loses a client, which comes back by itself and subscribes again.
  const kept = client.iterate({ query: 'subscription { forever }' });
  const before = (await kept.next()).value.data.forever;
  const [lost] = server.clients;
  const pinged = once(lost, 'pong').then(([payload]) => payload.length);
  const pongs = await pinged;
  lost.terminate();
  await reconnected.promise;
  const terminated = [before, typeof (await kept.next()).value.data.forever, connections];
  await kept.return();
  await client.dispose();

  // What a client does wrong, by hand.
  const init = { type: 'connection_init', payload: {} };
  const subscribe = { id: '1', type: 'subscribe', payload: { query: 'subscription { forever }' } };
  const closes = {
    notJson: await closeAfter(['not JSON']),
    unknownType: await closeAfter([{ type: 'greeting' }]),
    unauthorized: await closeAfter([subscribe]),
    forbidden: await closeAfter([{ ...init, payload: { token: 'forbidden' } }]),
    twice: await closeAfter([init, init]),
    sameId: await closeAfter([init, subscribe, subscribe]),
    binary: await closeAfter([Buffer.from('not JSON either')]),
    noProtocol: await closeAfter([], []),
    otherProtocol: await closeAfter([], ['graphql-ws']),
    chosen: await protocolOf(['nonsense', 'graphql-transport-ws']),
  };
  const refusedByClient = await new Promise((resolve) => {
    createClient({
      url,
      webSocketImpl: WebSocket,
      connectionParams: { token: 'forbidden' },
      retryAttempts: 0,
    }).subscribe(
      { query: '{ hello(name: "x") }' },
      {
        next: () => undefined,
        complete: () => resolve('complete'),
        error: (/** @type {any} */ { code, reason, wasClean }) => resolve([code, reason, wasClean]),
      },
    );
  });

  const open = new WebSocket(url, 'graphql-transport-ws');
  const read = readerOf(open);
  await once(open, 'open');
  open.send(JSON.stringify(init));
  const acknowledged = await read();
  const away = closeOf(open);
  await dispose();
  const disposed = await away;
  await stop(http);
  return {
    answers,
    pongs,
    terminated,
    closes,
    refusedByClient,
    acknowledged,
    disposed,
    disconnects: disconnects.length,
  };

  /** @param {unknown[]} messages @param {string[]} protocols */
  async function closeAfter(messages, protocols = ['graphql-transport-ws']) {
    const socket = new WebSocket(url, protocols);
    const closed = closeOf(socket);
    socket.once('error', () => seen.push('error'));
    const seen = /** @type {string[]} */ ([]);
    const next = readerOf(socket);
    socket.once('open', async () => {
      for (const message of messages) {
        socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
        if (message === init && messages.length === 3) await next(); // the acknowledgement
      }
    });
    seen.push(await closed);
    return seen;
  }

  /** @param {string[]} protocols */
  async function protocolOf(protocols) {
    const socket = new WebSocket(url, protocols);
    await once(socket, 'open');
    socket.close();
    return socket.protocol;
  }
}

export const expected = {
  answers: {
    query: [{ hello: 'hello größe' }],
    long: 200006,
    subscription: [{ count: 1 }, { count: 2 }, { count: 3 }],
    cancelled: [{ forever: 1 }, { forever: 2 }, { forever: 3 }, { forever: 4 }, { forever: 5 }],
    invalid: ['Cannot query field "missing" on type "Query".'],
  },
  pongs: 0,
  terminated: [1, 'number', 2],
  closes: {
    notJson: ['4400 Invalid message received'],
    unknownType: ['4400 Invalid message received'],
    unauthorized: ['4401 Unauthorized'],
    forbidden: ['4403 Forbidden'],
    twice: ['4429 Too many initialisation requests'],
    sameId: ['4409 Subscriber for 1 already exists'],
    binary: ['4400 Invalid message received'],
    noProtocol: ['4406 Subprotocol not acceptable'],
    otherProtocol: ['error', '1006'],
    chosen: 'graphql-transport-ws',
  },
  refusedByClient: [4403, 'Forbidden', true],
  acknowledged: '{"type":"connection_ack"}',
  disposed: '1001 Going away',
  disconnects: 5,
};
