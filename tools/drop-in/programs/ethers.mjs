// ethers' WebSocketProvider against a node: calls, a failing call, batches, subscriptions, large answers, the end from either side.
import { createServer } from 'node:http';
import { closeOf, deferred, listen, stop } from './parts.mjs';

export const users = [['ethers']];

/** @param {import('../install.mjs').Install} install */
export async function run({ esm }) {
  const { WebSocketProvider } = await esm('ethers');
  const { WebSocketServer } = await esm('ws');
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: { threshold: 100 } });
  const methods = new Set();
  const extensions = new Set();
  const unsubscribed = deferred();
  server.on('connection', (/** @type {any} */ socket) => {
    extensions.add(socket.extensions);
    const send = (/** @type {object} */ message) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ isBinary) => {
      if (isBinary) socket.close(1003);
      const { id, method, params } = JSON.parse(data.toString());
      methods.add(method);
      if (method === 'eth_chainId') send({ id, result: '0x539' });
      else if (method === 'eth_blockNumber') send({ id, result: '0x10' });
      else if (method === 'eth_getCode') send({ id, result: `0x${'ab'.repeat(200_000)}` });
      else if (method === 'eth_getBalance') send({ id, result: `0x${params[0].slice(-4)}` });
      else if (method === 'eth_subscribe') {
        send({ id, result: '0x1' });
        for (const number of ['0x11', '0x12', '0x13']) {
          send({ method: 'eth_subscription', params: { subscription: '0x1', result: { number } } });
        }
      } else if (method === 'eth_unsubscribe') {
        send({ id, result: true });
        unsubscribed.resolve();
      } else send({ id, error: { code: -32601, message: `no ${method}` } });
    });
  });
  const url = `ws://127.0.0.1:${await listen(http)}`;

  const provider = new WebSocketProvider(url);
  const { chainId } = await provider.getNetwork();
  const number = await provider.getBlockNumber();
  const addresses = Array.from({ length: 20 }, (_, at) => `0x${(at + 1).toString(16).padStart(40, '0')}`);
  const balances = await Promise.all(addresses.map((address) => provider.getBalance(address)));
  const code = await provider.getCode(addresses[0]);
  const failed = await provider
    .send('eth_nothing', [])
    .catch((/** @type {any} */ error) => [error.code, error.error?.message]);
  const blocks = /** @type {number[]} */ ([]);
  await new Promise((/** @type {(value: void) => void} */ resolve) => {
    provider.on('block', (/** @type {number} */ block) => blocks.push(block) === 3 && resolve());
  });
  await provider.off('block');
  await unsubscribed.promise;
  await provider.send('eth_chainId', []); // behind what answers that
  const constructorName = provider.websocket.constructor.name;
  const [mine] = server.clients;
  const destroyed = closeOf(mine);
  await provider.destroy();
  const end = await destroyed;

  const second = new WebSocketProvider(url, 1337);
  await second.getBlockNumber();
  const lost = new Promise(
    (resolve) =>
      (second.websocket.onclose = (/** @type {any} */ { code: closeCode, wasClean }) => resolve([closeCode, wasClean])),
  );
  for (const socket of server.clients) socket.close(1012, 'restart');
  const restarted = await lost;
  await second.destroy();

  const refused = createServer((_request, response) => response.writeHead(503).end());
  const nowhere = new WebSocketProvider(`ws://127.0.0.1:${await listen(refused)}`, 1337);
  const [error] = await new Promise(
    (resolve) => (nowhere.websocket.onerror = (/** @type {any} */ event) => resolve([event.message])),
  );
  await nowhere.destroy();
  await stop(refused);
  await new Promise((resolve) => server.close(resolve));
  await stop(http);
  return {
    chainId: String(chainId),
    number,
    balances: balances.map(Number),
    code: code.length,
    failed,
    blocks,
    constructorName,
    end,
    restarted,
    error,
    extensions: [...extensions],
    methods: [...methods].map(String).toSorted(),
  };
}

export const expected = {
  chainId: '1337',
  number: 16,
  balances: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
  code: 400002,
  failed: ['UNKNOWN_ERROR', 'no eth_nothing'],
  blocks: [17, 18, 19],
  constructorName: 'WebSocket',
  end: '1005',
  restarted: [1012, true],
  error: 'Unexpected server response: 503',
  extensions: ['permessage-deflate'],
  methods: [
    'eth_blockNumber',
    'eth_chainId',
    'eth_getBalance',
    'eth_getCode',
    'eth_nothing',
    'eth_subscribe',
    'eth_unsubscribe',
  ],
};
