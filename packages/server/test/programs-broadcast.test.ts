// The programs of the README that broadcast, each as it stands there.
import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';
import { packageFolder, readme } from './programs.js';
import { inbox, opened, peer, stalled } from './support.js';

const [toOthers, file, relay] = readmePrograms(readme, '## Broadcast');
const [prices] = readmePrograms(readme, '## Slow recipients');

afterEach(stopPrograms);

/** The program, and clients of it. */
async function run(code: string | undefined, count: number, files: Record<string, string> = {}) {
  const program = new Program(packageFolder, code ?? '', { files });
  const port = await program.port;
  const clients = [];
  for (let i = 0; i < count; i++) {
    const client = peer(port);
    const box = inbox(client);
    await opened(client);
    clients.push({ client, ...box });
  }
  return { program, port, clients };
}

test('A-10 A-18: to all but the one that it came from', async () => {
  const { program, clients } = await run(toOthers?.code, 3);
  clients[0]!.client.send('a sentence');
  clients[1]!.client.send(Buffer.of(1));
  expect(new Set(await clients[2]!.until(2))).toEqual(new Set(['a sentence', Buffer.of(1)]));
  expect(await clients[0]!.until(1)).toEqual([Buffer.of(1)]);
  expect(await clients[1]!.until(1)).toEqual(['a sentence']);
  await program.until('2 sent, 0 queued, 0 dropped\n2 sent, 0 queued, 0 dropped\n');
});

test('A-08: a file as one message, to those who are there', async () => {
  const news = 'ß€😀'.repeat(100_000);
  const { clients } = await run(file?.code, 2, { 'news.txt': news });
  clients[0]!.client.send('go on');
  for (const { until } of clients) expect((await until(1))[0] === news).toBe(true);
});

test('A-16 A-24: every message to everybody; one that is cut is ended and told, and the others go on', async () => {
  const { program, clients } = await run(relay?.code, 3);
  const long = 'x'.repeat(1_000_000);
  clients[0]!.client.send(long);
  clients[1]!.client.send(Buffer.from(long));
  for (const { until } of clients)
    expect((await until(2)).map((message) => typeof message).sort()).toEqual(['object', 'string']);
  clients[2]!.client.send('begun', { fin: false });
  clients[2]!.client.ping();
  await once(clients[2]!.client, 'pong');
  clients[2]!.client.terminate();
  await program.until('WS_ERR_INCOMPLETE_MESSAGE');
  clients[0]!.client.send('after');
  for (const { until } of clients.slice(0, 2)) expect((await until(4)).slice(2)).toEqual(['begun', 'after']);
});

test('the newest price for who is slow, every price for who is not', async () => {
  const { program, port, clients } = await run(prices?.code, 1);
  const slow = await stalled(port);
  await program.until('slow,');
  slow.socket.resume();
  await program.until('recovered after');
  const got = (await clients[0]!.until(20)).slice(0, 20).map((message) => Number(/\d+/.exec(String(message))?.[0]));
  expect(got).toEqual(got.map((_, i) => got[0]! + i));
});
