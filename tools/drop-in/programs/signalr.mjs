// @microsoft/signalr: the client, with its WebSocket transport; the hub by hand: headers, cookies, calls, a push, an end from either side, coming back, refusal.
import { createServer } from 'node:http';
import { closeOf, listen, stop } from './parts.mjs';

export const users = [['@microsoft/signalr']];

/** Ends each message. */
const END = '\x1e';

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const { HttpTransportType, HubConnectionBuilder, LogLevel } = cjs('@microsoft/signalr');
  const { WebSocketServer } = cjs('ws');
  const heard = /** @type {unknown[]} */ ([]);
  const closes = /** @type {Promise<string>[]} */ ([]);
  const http = createServer((_request, response) => {
    response.setHeader('Set-Cookie', 'seat=12; Path=/');
    const availableTransports = [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }];
    response.end(
      JSON.stringify({ connectionId: 'id', connectionToken: 't', negotiateVersion: 1, availableTransports }),
    );
  });
  const server = new WebSocketServer({
    server: http,
    verifyClient: (/** @type {any} */ { req }, /** @type {any} */ done) =>
      done(!req.url.startsWith('/closed'), 403, 'closed', { 'X-Why': 'night' }),
  });
  server.on('connection', (/** @type {any} */ socket, /** @type {any} */ { url, headers }) => {
    heard.push([url.split('&')[0], headers.authorization, headers.cookie, headers['x-client'], socket.extensions]);
    closes.push(closeOf(socket));
    const send = (/** @type {object[]} */ ...messages) =>
      socket.send(messages.map((message) => JSON.stringify(message) + END).join(''));
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ isBinary) => {
      for (const text of String(data).split(END).slice(0, -1)) {
        const { protocol, target, invocationId, arguments: given, type } = JSON.parse(text);
        if (protocol !== undefined) send({});
        else if (type === 1) answer(target, invocationId, given, isBinary);
      }
    });
    /** @param {string} target @param {string} invocationId @param {unknown[]} given @param {boolean} isBinary */
    function answer(target, invocationId, given, isBinary) {
      heard.push([target, isBinary]);
      if (target === 'cut') socket.terminate();
      else if (target === 'restart') socket.close(1012, 'restart');
      else if (target === 'fail') send({ type: 3, invocationId, error: 'it failed' });
      else send({ type: 3, invocationId, result: given }, { type: 1, target: 'push', arguments: ['größe'] });
    }
  });
  const url = `http://127.0.0.1:${await listen(http)}`;
  const build = (/** @type {string} */ path, /** @type {object} */ options = {}) =>
    new HubConnectionBuilder()
      .withUrl(url + path, {
        transport: HttpTransportType.WebSockets,
        accessTokenFactory: () => 'token',
        headers: { 'X-Client': 'me' },
        ...options,
      })
      .withAutomaticReconnect([1, 1, 1, 1])
      .configureLogging(LogLevel.None)
      .build();

  const hub = build('/hub');
  const events = /** @type {unknown[]} */ ([]);
  hub.on('push', (/** @type {string} */ text) => events.push(text));
  hub.onreconnecting((/** @type {any} */ error) => events.push(['reconnecting', error.message.split(':')[0]]));
  await hub.start();
  const echo = await hub.invoke('echo', { size: 'größe' }, [1, null]);
  const long = (await hub.invoke('echo', 'x'.repeat(200_000)))[0].length;
  const failure = await hub.invoke('fail').catch((/** @type {Error} */ { message }) => message);
  for (const end of ['cut', 'restart']) {
    const back = new Promise((resolve) => hub.onreconnected(resolve));
    await hub.send(end);
    await back;
  }
  const again = await hub.invoke('echo', 'again');
  await hub.stop();
  const refusals = [];
  for (const closed of [build('/closed', { skipNegotiation: true }), build('/closed')])
    refusals.push(await closed.start().catch((/** @type {Error} */ { name }) => name));
  const ends = await Promise.all(closes);
  await stop(http);
  return { echo, long, failure, again, refusals, ends, events, heard, state: hub.state };
}

export const expected = {
  echo: [{ size: 'größe' }, [1, null]],
  long: 200000,
  failure: 'it failed',
  again: ['again'],
  refusals: ['Error', 'Error'],
  ends: ['1006', '1012 restart', '1005'],
  events: [
    'größe',
    'größe',
    ['reconnecting', 'WebSocket closed with status code'],
    ['reconnecting', 'WebSocket closed with status code'],
    'größe',
  ],
  heard: [
    ['/hub?id=t', 'Bearer token', 'seat=12; Path=/', 'me', ''],
    ['echo', false],
    ['echo', false],
    ['fail', false],
    ['cut', false],
    ['/hub?id=t', 'Bearer token', 'seat=12; Path=/', 'me', ''],
    ['restart', false],
    ['/hub?id=t', 'Bearer token', 'seat=12; Path=/', 'me', ''],
    ['echo', false],
  ],
  state: 'Disconnected',
};
