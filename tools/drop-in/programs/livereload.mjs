// livereload: its server, which closes what is underneath by the name `_server`; browsers by hand: hello, a reload, an alert, what is no command, the end.
import { once } from 'node:events';
import { closeOf, readerOf, refusalOf } from './parts.mjs';

export const users = [['livereload']];

const HELLO = { command: 'hello', protocols: ['http://livereload.com/protocols/official-7'] };

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const livereload = cjs('livereload');
  const WebSocket = cjs('ws');
  const server = livereload.createServer({ port: 0, bind: '127.0.0.1', noListen: true });
  const errors = /** @type {string[]} */ ([]);
  server.on('error', (/** @type {any} */ { message }) => errors.push(message));
  await new Promise((/** @type {(value?: unknown) => void} */ resolve) => server.listen(resolve));
  const http = server.config.server;
  await (http.listening ? undefined : once(http, 'listening'));
  const url = `ws://127.0.0.1:${http.address().port}/livereload`;
  const open = async () => {
    const socket = new WebSocket(url);
    const read = readerOf(socket);
    await once(socket, 'open');
    socket.send(JSON.stringify(HELLO));
    return { socket, hello: JSON.parse(String(await read())), read: async () => JSON.parse(String(await read())) };
  };

  const [one, other] = [await open(), await open()];
  const { port } = server.server._server.address();
  server.refresh('/style.css');
  const reloads = [await one.read(), await other.read()];
  server.alert('größe');
  const alerts = [await one.read(), await other.read()];

  const left = closeOf(one.socket);
  const gone = once([...server.server.clients][0], 'close');
  one.socket.close(1000, 'enough');
  const close = await left;
  await gone;
  server.sendAllClients('not JSON');
  const cut = closeOf(other.socket);
  const clients = server.server.clients.size;
  server.close(); // the listening sockets alone
  other.socket.terminate();
  await cut;
  await new Promise((resolve) => (http.listening ? http.once('close', resolve) : resolve(undefined)));
  const { _server: underneath } = server.server;
  const refused = await refusalOf(new WebSocket(url));
  return {
    hello: [one.hello.command, one.hello.serverName],
    samePort: url.includes(`:${port}/`),
    reloads,
    alerts,
    close,
    clients,
    isOver: underneath === null || !underneath.listening,
    refused: refused.map((line) => line.replace(String(port), 'PORT')),
    errors,
  };
}

export const expected = {
  hello: ['hello', 'node-livereload'],
  samePort: true,
  reloads: [
    { command: 'reload', path: '/style.css', liveCSS: true, originalPath: '', overrideURL: '' },
    { command: 'reload', path: '/style.css', liveCSS: true, originalPath: '', overrideURL: '' },
  ],
  alerts: [
    { command: 'alert', message: 'größe' },
    { command: 'alert', message: 'größe' },
  ],
  close: '1000 enough',
  clients: 1,
  isOver: true,
  refused: ['connect ECONNREFUSED 127.0.0.1:PORT', '1006'],
  errors: [],
};
