// mockttp, a proxy for tests: it reads handshakes itself, makes the far end from `new WebSocket(null)`, and has the near one accept what the far one did.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { closeOf, listen, readerOf, refusalOf, stop } from './parts.mjs';

export const users = [['mockttp']];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const { getLocal } = cjs('mockttp');
  const WebSocket = cjs('ws');
  console.log = console.warn = () => undefined; // it tells what it does
  const heard = /** @type {unknown[]} */ ([]);
  const closes = /** @type {Promise<string>[]} */ ([]);
  const http = createServer();
  const server = new WebSocket.Server({
    server: http,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (/** @type {Set<string>} */ offered) => [...offered].at(-1),
    verifyClient: (/** @type {any} */ { req }, /** @type {any} */ done) =>
      done(req.url !== '/closed', 403, 'closed', { 'X-Why': 'night' }),
  });
  server.on('connection', (/** @type {any} */ socket, /** @type {any} */ { url, headers }) => {
    heard.push([url, socket.protocol, socket.extensions, headers['x-mine']]);
    closes.push(closeOf(socket));
    socket.on('ping', (/** @type {Buffer} */ data) => heard.push(`ping ${String(data)}`));
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ binary) => {
      if (String(data) === 'end') socket.close(4100, 'the server says so');
      else if (String(data) === 'cut') socket.terminate();
      else socket.send(data, { binary });
    });
  });
  const port = await listen(http);
  const proxy = getLocal();
  await proxy.start();
  const url = proxy.url.replace('http', 'ws');
  const events = /** @type {string[]} */ ([]);
  for (const event of ['websocket-message-received', 'websocket-message-sent'])
    await proxy.on(event, (/** @type {any} */ { content, isBinary }) =>
      events.push(`${event.split('-')[2]} ${content.length} ${isBinary}`),
    );
  await proxy.forAnyWebSocket('/echo').thenEcho();
  await proxy.forAnyWebSocket('/teapot').thenRejectConnection(418, 'teapot', { 'X-Pot': 'tea' }, 'short');
  await proxy.forAnyWebSocket('/reset').thenCloseConnection();
  await proxy.forAnyWebSocket().thenForwardTo(`ws://127.0.0.1:${port}`);

  const talks = {
    echo: await talk('/echo'),
    through: await talk('/through'),
    protocols: await talk('/protocols', ['one', 'two']),
    plain: await talk('/plain', [], { perMessageDeflate: false, headers: { 'X-Mine': 'yes' } }),
  };
  const ends = [];
  for (const last of ['end', 'cut']) {
    const socket = new WebSocket(`${url}/${last}`);
    const close = closeOf(socket);
    await once(socket, 'open');
    socket.send(last);
    ends.push(await close);
  }
  const refusals = [];
  for (const path of ['/teapot', '/reset', '/closed']) refusals.push(await refusalOf(new WebSocket(url + path)));
  const far = await Promise.all(closes);
  await proxy.stop();
  await stop(http);
  return { talks, ends, refusals, far, heard, events: [...new Set(events)].toSorted() };

  /** @param {string} path @param {string[]} protocols @param {object} options */
  async function talk(path, protocols = [], options = {}) {
    const socket = new WebSocket(url + path, protocols, options);
    const [read, close] = [readerOf(socket), closeOf(socket)];
    await once(socket, 'open');
    const got = [socket.protocol, socket.extensions];
    for (const data of ['größe', '', Buffer.from([0, 255]), 'x'.repeat(200_000)]) {
      socket.send(data);
      const back = await read();
      got.push(back.length > 10 ? back.length : back);
    }
    socket.ping('there?');
    got.push(`${(await once(socket, 'pong'))[0]}`);
    socket.close(4001, 'enough');
    return [...got, await close];
  }
}

export const expected = {
  talks: {
    echo: ['', 'permessage-deflate', 'größe', '', [0, 255], 200000, 'there?', '4001 enough'],
    through: ['', 'permessage-deflate', 'größe', '', [0, 255], 200000, 'there?', '4001 enough'],
    protocols: ['two', 'permessage-deflate', 'größe', '', [0, 255], 200000, 'there?', '4001 enough'],
    plain: ['', '', 'größe', '', [0, 255], 200000, 'there?', '4001 enough'],
  },
  ends: ['4100 the server says so', '1005'],
  refusals: [
    ['Unexpected server response: 418', '1006'],
    ['socket hang up', '1006'],
    ['Unexpected server response: 403', '1006'],
  ],
  far: ['4001 enough', '4001 enough', '4001 enough', '4100 the server says so', '1006'],
  heard: [
    ['/through', '', 'permessage-deflate', null],
    'ping there?',
    ['/protocols', 'two', 'permessage-deflate', null],
    'ping there?',
    ['/plain', '', '', 'yes'],
    'ping there?',
    ['/end', '', 'permessage-deflate', null],
    ['/cut', '', 'permessage-deflate', null],
  ],
  events: [
    'received 0 false',
    'received 2 true',
    'received 200000 false',
    'received 3 false',
    'received 7 false',
    'sent 0 false',
    'sent 2 true',
    'sent 200000 false',
    'sent 7 false',
  ],
};
