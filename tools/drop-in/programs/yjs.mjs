// y-websocket, provider and server: documents that converge, awareness, a connection that breaks, a document for each path.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { listen, stop } from './parts.mjs';

/** Its server is handed sockets, its provider the class. */
export const users = [[]];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const Y = cjs('yjs');
  const { WebsocketProvider } = cjs('y-websocket');
  const { docs, setupWSConnection } = cjs('y-websocket/bin/utils');
  const { WebSocketServer, WebSocket } = cjs('ws');
  const http = createServer();
  const server = new WebSocketServer({ noServer: true });
  server.on('connection', setupWSConnection);
  http.on('upgrade', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (/** @type {any} */ conn) => server.emit('connection', conn, request));
  });
  const url = `ws://127.0.0.1:${await listen(http)}`;
  const providers = /** @type {any[]} */ ([]);
  const open = (/** @type {string} */ room) => {
    const doc = new Y.Doc();
    const provider = new WebsocketProvider(url, room, doc, { WebSocketPolyfill: WebSocket, disableBc: true });
    providers.push(provider);
    return { doc, provider, text: doc.getText('text') };
  };

  const bobSees = (/** @type {string} */ name) =>
    [...bob.provider.awareness.getStates().values()].some(({ user }) => user?.name === name);

  const [ann, bob, other] = [open('shared'), open('shared'), open('other')];
  ann.text.insert(0, 'written before there was a connection. ');
  bob.doc.getMap('map').set('bytes', new Uint8Array([0, 1, 255]));
  await Promise.all([ann, bob, other].map(({ provider }) => provider.synced || once(provider, 'sync')));
  ann.text.insert(0, 'größe '.repeat(20_000));
  bob.text.insert(0, 'bob: ');
  ann.provider.awareness.setLocalStateField('user', { name: 'ann' });
  await until(bob.doc, () => bob.text.length === ann.text.length && bob.text.length > 120_000);
  await until(ann.doc, () => ann.doc.getMap('map').has('bytes'));
  await until(bob.provider.awareness, () => bobSees('ann'));
  const converged = ann.text.toString() === bob.text.toString();

  // Every connection breaks; both write while they are apart.
  const apart = [ann, bob].map(({ provider }) => once(provider, 'connection-close'));
  for (const socket of server.clients) socket.terminate();
  const closes = (await Promise.all(apart)).map(([{ code, wasClean }]) => [code, wasClean]);
  ann.text.insert(0, 'while apart, ann; ');
  bob.text.insert(0, 'while apart, bob; ');
  await until(ann.doc, () => ann.text.toString().includes('apart, bob'));
  await until(bob.doc, () => bob.text.toString().includes('apart, ann'));
  const convergedAgain = ann.text.toString() === bob.text.toString();
  const serverHas = docs.get('shared').getText('text').toString() === ann.text.toString();

  ann.provider.awareness.setLocalStateField('user', { name: 'ann again' });
  await until(bob.provider.awareness, () => bobSees('ann again'));
  const left = once(bob.provider.awareness, 'change');
  ann.provider.destroy();
  const [{ removed }] = await left;
  const sawHerLeave = removed.includes(ann.doc.clientID);
  for (const provider of providers) provider.destroy();
  if (server.clients.size > 0) await Promise.all([...server.clients].map((socket) => once(socket, 'close')));
  await stop(http);
  for (const doc of [...docs.values(), ann.doc, bob.doc, other.doc]) doc.destroy();
  return {
    converged,
    length: bob.text.length,
    bytes: [...ann.doc.getMap('map').get('bytes')],
    closes,
    convergedAgain,
    serverHas,
    otherRoom: other.text.toString(),
    rooms: [...docs.keys()].map(String).toSorted(),
    sawHerLeave,
  };
}

/** @param {any} emitter @param {() => boolean} holds */
async function until(emitter, holds) {
  while (!holds()) await once(emitter, 'update');
}

export const expected = {
  converged: true,
  length: 120_080,
  bytes: [0, 1, 255],
  closes: [
    [1006, false],
    [1006, false],
  ],
  convergedAgain: true,
  serverHas: true,
  otherRoom: '',
  rooms: ['other', 'shared'],
  sawHerLeave: true,
};
