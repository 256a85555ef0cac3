// @solana/web3.js: its connection on rpc-websockets, which asks `'socket' in webSocket`: subscriptions, one that is cut and comes back, an end when nobody subscribes any more.
import { once } from 'node:events';
import { closeOf, deferred } from './parts.mjs';

export const users = [['@solana/web3.js', 'rpc-websockets']];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const { Connection } = cjs('@solana/web3.js');
  const { WebSocketServer } = cjs('ws');
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const asked = /** @type {unknown[]} */ ([]);
  let subscriptions = 0;
  server.on('connection', (/** @type {any} */ socket) => {
    socket.on('message', (/** @type {Buffer} */ data) => {
      const { id, method, params } = JSON.parse(String(data));
      asked.push([method, params ?? null]);
      const result = method.endsWith('Unsubscribe') ? true : ++subscriptions;
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
      if (method !== 'slotSubscribe') return;
      const slot = { parent: 1, root: 0, slot: 2 };
      const told = { jsonrpc: '2.0', method: 'slotNotification', params: { result: slot, subscription: result } };
      socket.send(JSON.stringify(told));
    });
  });
  const { port } = server.address();
  const connection = new Connection(`http://127.0.0.1:${port}`, { wsEndpoint: `ws://127.0.0.1:${port}` });

  const slots = /** @type {unknown[]} */ ([]);
  let next = deferred();
  const id = connection.onSlotChange((/** @type {unknown} */ slot) => {
    slots.push(slot);
    next.resolve();
  });
  await next.promise;
  next = deferred();
  const [first] = server.clients;
  const cut = closeOf(first);
  first.terminate();
  const closes = [await cut];
  await next.promise; // comes back, and subscribes again
  const [second] = server.clients;
  const left = closeOf(second);
  await connection.removeSlotChangeListener(id);
  closes.push(await left); // by itself, after half a second
  await new Promise((resolve) => server.close(resolve));
  return { asked, slots, closes };
}

export const expected = {
  asked: [
    ['slotSubscribe', []],
    ['slotSubscribe', []],
    ['slotUnsubscribe', [2]],
  ],
  slots: [
    { parent: 1, root: 0, slot: 2 },
    { parent: 1, root: 0, slot: 2 },
  ],
  closes: ['1006', '1000'],
};
