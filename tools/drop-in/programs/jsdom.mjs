// jsdom's window.WebSocket, as a page uses it: cookies, origin, subprotocols, blobs, refusal, close codes, a window that closes.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { deferred, listen, stop } from './parts.mjs';

export const users = [['jsdom']];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const { JSDOM, CookieJar } = cjs('jsdom');
  const { WebSocketServer } = cjs('ws');
  const http = createServer();
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: true,
    verifyClient: (/** @type {any} */ { req }) => req.url !== '/refused',
    handleProtocols: (/** @type {Set<string>} */ protocols) => (protocols.has('second') ? 'second' : false),
  });
  server.on('headers', (/** @type {string[]} */ headers) => headers.push('Set-Cookie: visits=2; Path=/'));
  const requests = /** @type {unknown[]} */ ([]);
  const closes = /** @type {string[]} */ ([]);
  server.on('connection', (/** @type {any} */ socket, /** @type {any} */ { headers }) => {
    requests.push([
      headers.cookie,
      headers['user-agent'].includes('jsdom'),
      headers['sec-websocket-protocol']?.split(/, */),
    ]);
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ binary) => {
      if (String(data) === 'close 4010') socket.close(4010, 'as asked');
      else if (String(data) === 'break') socket.terminate();
      else socket.send(data, { binary });
    });
    socket.on('close', (/** @type {number} */ code, /** @type {Buffer} */ reason) =>
      closes.push(`${code} ${String(reason)}`),
    );
  });
  const port = await listen(http);
  const cookieJar = new CookieJar();
  cookieJar.setCookieSync('visits=1', `http://127.0.0.1:${port}/`);
  const { window } = new JSDOM('', { url: `http://127.0.0.1:${port}/page`, cookieJar });
  const origins = /** @type {boolean[]} */ ([]);
  http.prependListener('upgrade', ({ headers }) => origins.push(headers.origin === `http://127.0.0.1:${port}`));
  const open = (/** @type {string} */ path, /** @type {string[]} */ protocols = []) => {
    const socket = new window.WebSocket(`ws://127.0.0.1:${port}${path}`, protocols);
    const events = /** @type {unknown[]} */ ([]);
    const closed = deferred();
    let arrived = deferred();
    for (const type of ['open', 'error', 'close']) {
      socket.addEventListener(type, (/** @type {any} */ event) => {
        const state = `${type} ${socket.readyState}`;
        events.push(type === 'close' ? [state, event.code, event.reason, event.wasClean] : state);
        if (type === 'close') closed.resolve(events);
      });
    }
    socket.onmessage = (/** @type {any} */ { data }) => {
      arrived.resolve(data);
      arrived = deferred();
    };
    return { socket, closed: closed.promise, message: () => arrived.promise, opened: () => once(socket, 'open') };
  };

  const chat = open('/chat', ['first', 'second']);
  await chat.opened();
  const echoes = [];
  for (const data of ['text', 'größe'.repeat(2000), '']) {
    const back = chat.message();
    chat.socket.send(data);
    echoes.push((await back).length);
  }
  const blob = chat.message();
  chat.socket.send(new window.Blob(['a blob']));
  const reader = new window.FileReader();
  reader.readAsText(await blob);
  await once(reader, 'load');
  chat.socket.binaryType = 'arraybuffer';
  const buffer = chat.message();
  chat.socket.send(new window.Uint8Array([1, 2, 255]).buffer);
  const binary = await buffer;
  echoes.push(
    reader.result,
    binary instanceof window.ArrayBuffer,
    [...new Uint8Array(binary)],
    chat.socket.bufferedAmount,
  );
  const properties = [chat.socket.protocol, chat.socket.url.replace(String(port), 'PORT'), chat.socket.extensions];
  chat.socket.close(3001, 'done');
  const chatted = await chat.closed;

  const byServer = open('/');
  await byServer.opened();
  byServer.socket.send('close 4010');
  const broken = open('/');
  await broken.opened();
  broken.socket.send('break');
  const ends = { byServer: await byServer.closed, broken: await broken.closed, refused: await open('/refused').closed };
  const given = open('/');
  given.socket.close();
  const early = open('/');
  await Promise.resolve();
  await Promise.resolve();
  early.socket.close();
  const abandoned = [await given.closed, await early.closed];
  const noProtocol = await open('/', ['third']).closed;

  const last = open('/');
  await last.opened();
  const [there] = server.clients;
  const gone = once(there, 'close');
  window.close();
  await gone;
  await new Promise((resolve) => server.close(resolve));
  await stop(http);
  return {
    requests,
    origins: [...new Set(origins)],
    echoes,
    properties,
    chatted,
    ends,
    abandoned,
    noProtocol,
    closes: closes.toSorted(),
    cookies: cookieJar.getCookieStringSync(`http://127.0.0.1:${port}/`),
  };
}

export const expected = {
  requests: [
    ['visits=1', true, ['first', 'second']],
    ['visits=2', true, null],
    ['visits=2', true, null],
    ['visits=2', true, ['third']],
    ['visits=2', true, null],
  ],
  origins: [true],
  echoes: [4, 10000, 0, 'a blob', true, [1, 2, 255], 0],
  properties: ['second', 'ws://127.0.0.1:PORT/chat', '0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17'],
  chatted: ['open 1', ['close 3', 3001, 'done', true]],
  ends: {
    byServer: ['open 1', ['close 3', 4010, 'as asked', true]],
    broken: ['open 1', ['close 3', 1006, '', true]],
    refused: ['error 3', ['close 3', 1006, '', false]],
  },
  abandoned: [
    ['error 3', ['close 3', 1006, '', false]],
    ['error 3', ['close 3', 1006, '', false]],
  ],
  noProtocol: ['error 3', ['close 3', 1006, '', false]],
  closes: ['1001 ', '1006 ', '1006 ', '3001 done', '4010 as asked'],
  cookies: 'visits=2',
};
