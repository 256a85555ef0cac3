// hono with @hono/node-ws: upgradeWebSocket routes, middleware that refuses, messages before the handler is ready, close codes.
import { closeOf, deferred, readerOf, refusalOf, stop } from './parts.mjs';

export const users = [['@hono/node-ws']];

/** @param {import('../install.mjs').Install} install */
export async function run({ esm }) {
  const { Hono } = await esm('hono');
  const { serve } = await esm('@hono/node-server');
  const { createNodeWebSocket } = await esm('@hono/node-ws');
  const { WebSocket } = await esm('ws');
  const app = new Hono();
  const { injectWebSocket, upgradeWebSocket, wss } = createNodeWebSocket({ app });
  const events = /** @type {unknown[]} */ ([]);
  app.use('/private/*', async (/** @type {any} */ c, /** @type {any} */ next) =>
    c.req.header('authorization') === 'Bearer me' ? next() : c.text('who?', 401),
  );
  for (const path of ['/echo/:id', '/private/:id']) {
    app.get(
      path,
      upgradeWebSocket((/** @type {any} */ c) => ({
        onOpen: (/** @type {any} */ _event, /** @type {any} */ ws) =>
          ws.send(`hello ${c.req.param('id')} ${ws.readyState} ${ws.protocol}`),
        onMessage: (/** @type {any} */ { data }, /** @type {any} */ ws) => {
          ws.send(data);
          if (data === 'close me') ws.close(4321, 'as you wish');
        },
        onClose: (/** @type {any} */ { code, reason, wasClean }) => events.push([code, reason, wasClean]),
      })),
    );
  }
  const listening = deferred();
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, listening.resolve);
  injectWebSocket(server);
  const url = `ws://127.0.0.1:${(await listening.promise).port}`;

  const echo = new WebSocket(`${url}/echo/7`, ['chat', 'superchat'], { origin: 'http://elsewhere.example' });
  const read = readerOf(echo);
  const greeting = await read();
  const echoes = [];
  for (const data of ['text', 'größe', new Uint8Array([1, 2, 255]), 'x'.repeat(70_000)]) {
    echo.send(data);
    const back = await read();
    echoes.push(back.length > 10 ? back.length : back);
  }
  const closed = closeOf(echo);
  echo.send('close me');

  const early = new WebSocket(`${url}/echo/early`);
  early.once('open', () => {
    early.send('one');
    early.send('two');
  });
  const inOrder = /** @type {string[]} */ ([]);
  early.on('message', (/** @type {unknown} */ data) => inOrder.push(String(data)) === 3 && early.close(1000, 'enough'));
  const earlyClosed = await closeOf(early);

  const refused = [
    await refusalOf(new WebSocket(`${url}/private/1`)),
    await refusalOf(new WebSocket(`${url}/nowhere`)),
    await refusalOf(new WebSocket(`${url}/private/1`, { headers: { authorization: 'Bearer you' } })),
  ];
  const allowed = new WebSocket(`${url}/private/2`, { headers: { authorization: 'Bearer me' } });
  const allowedGreeting = await readerOf(allowed)();
  const { size } = wss.clients;
  const [there] = wss.clients;
  const gone = closeOf(there);
  allowed.terminate();
  await gone;
  const end = [await closed, earlyClosed];
  await new Promise((resolve) => wss.close(resolve));
  await stop(server);
  return { greeting, protocol: echo.protocol, echoes, inOrder, end, refused, allowedGreeting, size, events };
}

export const expected = {
  greeting: 'hello 7 1 chat',
  protocol: 'chat',
  echoes: ['text', 'größe', [1, 2, 255], 70000],
  inOrder: ['hello early 1 ', 'one', 'two'],
  end: ['4321 as you wish', '1000 enough'],
  refused: [
    ['Unexpected server response: 401', '1006'],
    ['Unexpected server response: 404', '1006'],
    ['Unexpected server response: 401', '1006'],
  ],
  allowedGreeting: 'hello 2 1 ',
  size: 1,
  events: [
    [4321, 'as you wish', false],
    [1000, 'enough', false],
    [1006, '', false],
  ],
};
