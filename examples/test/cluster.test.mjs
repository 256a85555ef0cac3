import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { freePort } from '@ws/testing';
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
    PORT: String(await freePort()), // the next process has to find its place again: it cannot be any port
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
