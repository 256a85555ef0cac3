// express with express-ws: routes, parameters, middleware, routers, a broadcast, a throwing handler, no route.
import { once } from 'node:events';
import { closeOf, readerOf, refusalOf, stop } from './parts.mjs';

export const users = [['express-ws']];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs, esm }) {
  const express = cjs('express');
  const { default: WebSocket } = await esm('ws');
  const app = express();
  const { applyTo, getWss } = cjs('express-ws')(app, undefined, {
    wsOptions: { maxPayload: 1000, perMessageDeflate: true },
  });

  const closes = /** @type {string[]} */ ([]);
  app.ws('/echo/:name', (/** @type {any} */ socket, /** @type {any} */ { params, query }) => {
    socket.send(JSON.stringify({ params, query }));
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ binary) => socket.send(data, { binary }));
    socket.on('error', (/** @type {any} */ { code }) => closes.push(code));
    socket.on('close', (/** @type {number} */ code, /** @type {Buffer} */ reason) =>
      closes.push(`${code} ${String(reason)}`),
    );
  });
  const rooms = express.Router();
  applyTo(rooms);
  rooms.use((/** @type {any} */ request, /** @type {any} */ _response, /** @type {any} */ next) => {
    request.user = request.query.user;
    next(request.user === undefined ? new Error('nobody') : undefined);
  });
  rooms.ws('/all', (/** @type {any} */ socket, /** @type {any} */ { user }) => {
    socket.on('message', (/** @type {unknown} */ data) => {
      for (const each of getWss().clients) each.send(`${user}: ${String(data)}`);
    });
  });
  app.use('/rooms', rooms);
  app.ws('/broken', () => {
    throw new Error('a handler that throws');
  });
  app.use((/** @type {Error} */ error, /** @type {any} */ _q, /** @type {any} */ response, /** @type {any} */ _n) =>
    response.writeHead(500).end(error.message),
  );

  const http = app.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const url = `ws://127.0.0.1:${http.address().port}`;
  const open = async (/** @type {string} */ path) => {
    const socket = new WebSocket(url + path);
    const read = readerOf(socket);
    await once(socket, 'open');
    return { socket, read };
  };

  const { socket: echo, read } = await open('/echo/ann?tag=1');
  const first = await read();
  const echoes = [];
  for (const data of ['text', 'größe', '', new Uint8Array([0, 255]), new Uint8Array(0), 'ab'.repeat(400)]) {
    echo.send(data);
    const back = await read();
    echoes.push(typeof back === 'string' ? back.length : back);
  }
  const clean = closeOf(echo);
  echo.close(4001, 'enough');
  const { socket: tooMuch } = await open('/echo/bob');
  const refusedMessage = closeOf(tooMuch);
  tooMuch.send(Buffer.alloc(1001));

  const everybody = await Promise.all(['ann', 'bob', 'cyn'].map((user) => open(`/rooms/all?user=${user}`)));
  const heard = everybody.map(({ read: hear }) => hear());
  const closesSoFar = [await clean, await refusedMessage];
  everybody[1]?.socket.send('good day');
  const counted = (await Promise.all(heard)).concat(String(getWss().clients.size));

  const unknown = await refusalOf(new WebSocket(`${url}/nowhere`));
  const nobody = await refusalOf(new WebSocket(`${url}/rooms/all`));
  const broken = await refusalOf(new WebSocket(`${url}/broken`));
  const plain = (await fetch(`${url.replace('ws', 'http')}/echo/ann`)).status;

  const ends = everybody.map(({ socket }) => closeOf(socket));
  const [a, b, c] = getWss().clients;
  a.close(1001, 'away');
  b.terminate();
  c.close();
  const ended = (await Promise.all(ends)).toSorted();
  await stop(http);
  return {
    first,
    echoes,
    extensions: echo.extensions,
    closesSoFar,
    counted,
    unknown,
    nobody,
    broken,
    plain,
    ended,
    closes: closes.toSorted(),
  };
}

export const expected = {
  first: '{"params":{"name":"ann"},"query":{"tag":"1"}}',
  echoes: [4, 5, 0, [0, 255], [], 800],
  extensions: 'permessage-deflate',
  closesSoFar: ['4001 enough', '1009'],
  counted: ['bob: good day', 'bob: good day', 'bob: good day', '3'],
  unknown: ['1005'],
  nobody: ['1005'],
  broken: ['1005'],
  plain: 404,
  ended: ['1001 away', '1005', '1006'],
  closes: ['1006 ', '4001 enough', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
};
