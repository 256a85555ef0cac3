// express and a WebSocketServer beside it on one HTTP server, as ws's own documents have it: sessions, refusal, two paths.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { closeOf, listen, readerOf, refusalOf, stop } from './parts.mjs';

export const users = [[]];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const express = cjs('express');
  const WebSocket = cjs('ws');
  const app = express();
  app.get('/login', (/** @type {any} */ _request, /** @type {any} */ response) =>
    response.cookie('session', '42').json({ ok: true }),
  );
  const http = createServer(app);
  const refusals = /** @type {string[]} */ ([]);
  const inside = new WebSocket.Server({
    noServer: true,
    verifyClient: (/** @type {any} */ { req, origin, secure }, /** @type {any} */ done) => {
      refusals.push(`${origin} ${secure}`);
      if (req.headers.cookie === 'session=42') done(true);
      else done(false, 401, 'log in first', { 'X-Login': '/login' });
    },
  });
  const open = new WebSocket.Server({ noServer: true });
  const direct = new WebSocket.Server({ server: createServer(app), path: '/direct' });
  inside.on('connection', (/** @type {any} */ socket, /** @type {any} */ request) => {
    socket.on('message', (/** @type {unknown} */ data, /** @type {boolean} */ binary) => {
      for (const client of inside.clients) {
        if (client !== socket && client.readyState === WebSocket.OPEN) client.send(data, { binary });
      }
    });
    socket.send(request.url);
  });
  open.on('connection', (/** @type {any} */ socket) => socket.close(4000, 'nothing here'));
  http.on('upgrade', (request, socket, head) => {
    const server = request.url?.startsWith('/inside') ? inside : request.url === '/open' ? open : undefined;
    if (server === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    server.handleUpgrade(request, socket, head, (/** @type {any} */ webSocket) =>
      server.emit('connection', webSocket, request),
    );
  });
  direct.on('connection', (/** @type {any} */ socket) => socket.send('direct'));

  const port = await listen(http);
  const directPort = await listen(direct.options.server);
  const url = `ws://127.0.0.1:${port}`;
  const login = await fetch(`http://127.0.0.1:${port}/login`);
  const cookie = String(login.headers.get('set-cookie')).split(';')[0];

  const answered = once(new WebSocket(`${url}/inside`), 'unexpected-response').then(([, response]) => {
    response.resume();
    return [response.statusCode, response.headers['x-login']];
  });
  const refused = [await refusalOf(new WebSocket(`${url}/inside`, { origin: 'http://evil.example' })), await answered];
  const sockets = ['/inside/1', '/inside/2', '/inside/3'].map(
    (path) => new WebSocket(url + path, { headers: { cookie }, origin: 'http://good.example' }),
  );
  const readers = sockets.map(readerOf);
  const greetings = await Promise.all(readers.map((read) => read()));
  const heard = readers.slice(1).map(async (read) => [await read(), await read()]);
  sockets[0].send('to the others');
  sockets[0].send(Buffer.from([9, 8]));
  const others = await Promise.all(heard);
  const nothing = await refusalOf(new WebSocket(`${url}/open`));
  const missing = await refusalOf(new WebSocket(`${url}/missing`));
  const wrongPath = await refusalOf(new WebSocket(`ws://127.0.0.1:${directPort}/other`));
  const directSocket = new WebSocket(`ws://127.0.0.1:${directPort}/direct`);
  const first = await readerOf(directSocket)();

  const closes = Promise.all([...sockets, directSocket].map(closeOf));
  sockets[0].close(1000, 'done');
  sockets[1].terminate();
  sockets[2].close();
  directSocket.close(3000);
  const ended = await closes;
  await Promise.all([inside, open, direct].map((server) => new Promise((resolve) => server.close(resolve))));
  await stop(http);
  await stop(direct.options.server);
  return {
    login: login.status,
    refused,
    refusals: refusals.toSorted(),
    greetings,
    others,
    nothing,
    missing,
    wrongPath,
    first,
    ended,
  };
}

export const expected = {
  login: 200,
  refused: [
    ['Unexpected server response: 401', '1006'],
    [401, '/login'],
  ],
  refusals: [
    'http://evil.example false',
    'http://good.example false',
    'http://good.example false',
    'http://good.example false',
    'undefined false',
  ],
  greetings: ['/inside/1', '/inside/2', '/inside/3'],
  others: [
    ['to the others', [9, 8]],
    ['to the others', [9, 8]],
  ],
  nothing: ['4000 nothing here'],
  missing: ['Unexpected server response: 404', '1006'],
  wrongPath: ['Unexpected server response: 400', '1006'],
  first: 'direct',
  ended: ['1000 done', '1006', '1005', '3000'],
};
