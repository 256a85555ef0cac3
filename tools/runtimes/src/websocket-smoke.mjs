// `WebSocket` over a Duplex: a pair in memory, and both ends of a TCP connection. For runtimes with Node's modules.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createPair, WebSocket } from '@ws/connection';

export async function websocketSmoke() {
  return { pair: await talk(createPair()), tcp: await overTcp() };
}

async function overTcp() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (listener.address());
  const tcp = connect(port, '127.0.0.1');
  const [[accepted]] = await Promise.all([once(listener, 'connection'), once(tcp, 'connect')]);
  const log = await talk({
    client: WebSocket.from(tcp, { role: 'client' }),
    server: WebSocket.from(accepted, { role: 'server' }),
  });
  listener.close();
  await once(listener, 'close');
  return log;
}

/** @param {{ client: WebSocket, server: WebSocket }} pair */
async function talk({ client, server }) {
  /** @type {unknown[]} */
  const log = [];
  server.on('message', (data, isBinary) => server.send(data, { binary: isBinary }));
  const exchange = async (/** @type {string | Uint8Array} */ data) => {
    const echo = once(client, 'message');
    client.send(data);
    const [reply, isBinary] = await echo;
    log.push(isBinary ? [reply.length, reply[0], reply.at(-1)] : String(reply));
  };
  await exchange('grüße');
  await exchange(new Uint8Array(200_000).fill(7));
  const pong = once(client, 'pong');
  client.ping('are you there');
  log.push(String((await pong)[0]));
  client.close(1000, 'done');
  for (const { code, reason, wasClean } of await Promise.all([client.closed, server.closed]))
    log.push([code, reason, wasClean]);
  return log;
}

const expectedLog = ['grüße', [200_000, 7, 7], 'are you there', [1000, 'done', true], [1000, 'done', true]];
export const expectedWebsocket = { pair: expectedLog, tcp: expectedLog };
