import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, expect, test } from '@jest/globals';
import { connect, start, stopAll } from './program.mjs';

afterEach(stopAll);

const linux = process.platform === 'linux' ? test : test.skip; // who is whose child is read from /proc

test('what one says all hear, whichever process they are with; SIGTERM ends all processes', async () => {
  const { urls, kill, ended } = await start('cluster.mjs', { PROCESSES: '2', SPREAD: '0' });
  const [url = ''] = urls;
  const clients = await Promise.all(Array.from({ length: 20 }, async () => connect(url)));
  const heard = clients.map(({ client }) => once(client, 'message'));
  clients[0]?.client.send(Buffer.of(0, 255, 128));
  for (const [data, isBinary] of await Promise.all(heard))
    expect([data, isBinary]).toEqual([Buffer.of(0, 255, 128), true]);

  kill('SIGTERM');
  for (const { client } of clients)
    expect(await client.closed).toMatchObject({ initiator: 'remote', received: { code: 1012 } });
  expect(await ended).toMatchObject({ status: 0 });
});

linux('a process that dies is replaced', async () => {
  const { urls, pid, kill, ended } = await start('cluster.mjs', {
    PORT: await freePort(),
    PROCESSES: '1',
    SPREAD: '0',
  });
  const [url = ''] = urls;
  const { client } = await connect(url);
  process.kill(Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1')), 'SIGKILL');
  expect(await client.closed).toMatchObject({ code: 1006 });
  // Nobody listens before the other one is there; and who comes at the very moment in which its port opens may be left lying in Node's primary until the next one comes.
  while (!(await connect(url, { handshakeTimeout: 500 }).catch(() => undefined)));
  kill('SIGTERM');
  expect(await ended).toMatchObject({ status: 0 });
});

/**
 * The next process has to find its place again, so that it cannot be any port; and none of those that the system gives to clients: who connects
 * to such a one again and again, while nobody listens, is connected to itself one day, and its place is taken.
 */
async function freePort() {
  const firstOfClients = parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1'), 10);
  const server = createServer();
  do server.listen(randomInt(1024, firstOfClients));
  while (!(await once(server, 'listening').catch(() => undefined)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  await promisify(server.close.bind(server))();
  return String(port);
}
