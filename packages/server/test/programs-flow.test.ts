// The programs of the README about many messages and many clients, each as it stands there; the rows (A-…) say what must be seen.
import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Program, readmePrograms } from '@ws/testing';
import { WebSocket as PeerSocket } from 'ws';
import { inbox, packageFolder, readme, run } from './programs.js';
import { opened, peer } from './support.js';

test('A-19 an upload of 5 MiB in writes of 64 KiB is on disk, all of it', async () => {
  const program = run('Uploads');
  const client = await opened(peer(await program.port));
  const bytes = randomBytes(5 * 1024 * 1024);
  for (let at = 0; at < bytes.length; at += 65_536)
    client.send(bytes.subarray(at, at + 65_536), { fin: at + 65_536 === bytes.length });
  await program.until('\n');
  expect(program.lines).toEqual(['5242880']);
  expect(readFileSync(join(program.folder, 'upload-0')).equals(bytes)).toBe(true);
  client.send('half', { fin: false });
  client.terminate();
  await program.until('WS_ERR_INCOMPLETE_MESSAGE');
  expect(program.isRunning).toBe(true);
});

/** Tries until nobody listens any more. */
async function whenRefused(port: number): Promise<void> {
  const client = peer(port);
  client.on('open', () => client.terminate());
  const isRefused = await new Promise((resolve) => {
    client.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'ECONNREFUSED'));
    client.on('close', () => resolve(false));
  });
  if (!isRefused) await whenRefused(port);
}

test('A-23 who stops takes nobody in any more, and ends with the last who was in', async () => {
  const program = run('A stop');
  const port = await program.port;
  const client = await opened(peer(port));
  program.kill('SIGTERM');
  await whenRefused(port);
  client.send('still in');
  expect(String((await once(client, 'message'))[0])).toBe('still in');
  expect(program.output).toBe('');
  client.close();
  expect(await program.ended).toBe(0);
  expect(program.output).toBe('all are gone\n');
});

test('A-23 a deploy: each client is told to go, and the process ends when they have', async () => {
  const program = run('A deploy');
  const client = peer(await program.port);
  const greeted = once(client, 'message');
  await opened(client);
  await greeted;
  const left = once(client, 'close');
  program.kill('SIGTERM');
  const [code, reason] = await left;
  expect([code, String(reason)]).toEqual([1001, 'a new version is coming']);
  expect(await program.ended).toBe(0);
  expect(program.output).toBe('1 closed, 0 cut\n');
}, 20_000);

test('A-36 a client that sends 50 MiB to a disk that takes nothing waits; then all of it arrives', async () => {
  const program = run('Whole messages', { prepare: (folder) => execFileSync('mkfifo', [join(folder, 'log')]) });
  const client = await opened(peer(await program.port));
  const part = Buffer.alloc(256 * 1024, 'x');
  const before = await program.kept();
  for (let n = 0; n < 200; n++) client.send(part);
  // What the system takes is a few MiB at most; when that stands still, the reader has stopped.
  for (let left = -1; left !== client.bufferedAmount; await program.kept()) left = client.bufferedAmount;
  expect(client.bufferedAmount).toBeGreaterThan(30 * 1024 * 1024);
  expect((await program.kept()) - before).toBeLessThan(2 * 1024 * 1024);
  let length = 0;
  for await (const chunk of createReadStream(join(program.folder, 'log'))) {
    length += chunk.length;
    if (length === 200 * part.length) break;
  }
  expect(client.bufferedAmount).toBe(0);
});

test('A-18 a loop over the clients reaches every open one once, though one leaves in the middle of it', async () => {
  const [example] = readmePrograms(readme, '# @ws/server');
  const program = new Program(
    packageFolder,
    `${example?.code} server.once('connection', (socket) => { socket.send = () => socket.terminate(); });`,
  );
  const port = await program.port;
  const options = { origin: 'https://app.example.com' };
  const sockets: PeerSocket[] = [];
  const clients: ReturnType<typeof inbox>[] = [];
  for (let n = 0; n < 4; n++) {
    const client = peer(port, '/chat', [], options);
    clients.push(inbox(client));
    sockets.push(await opened(client));
  }
  const [first, ...others] = clients;
  for (const { until } of others) await until(1);
  const sender = sockets[3];
  sender?.send('to all');
  for (const { until } of others) expect(await until(2)).toEqual(['welcome, 127.0.0.1', 'to all']);
  expect(first?.got).toEqual(['welcome, 127.0.0.1']);
  if (sockets[0]?.readyState !== PeerSocket.CLOSED) await once(sockets[0]!, 'close');
  sender?.send('again');
  for (const { until } of others) expect(await until(3)).toEqual(['welcome, 127.0.0.1', 'to all', 'again']);
  expect([program.isRunning, program.output]).toEqual([true, '']);
});
