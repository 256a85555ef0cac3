import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { connect, echo, start, stopAll, stopLater } from './program.mjs';

afterEach(stopAll);

const HANDSHAKE = [
  'GET / HTTP/1.1',
  'Host: localhost',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** A client that reads nothing, and answers nothing. */
async function stuck(/** @type {string} */ url) {
  const socket = connectTcp(Number(new URL(url).port), 'localhost');
  stopLater(() => socket.destroy());
  socket.on('error', () => {}).write(`${HANDSHAKE.join('\r\n')}\r\n\r\n`);
  await once(socket, 'data');
  socket.pause();
}

test('SIGTERM: every client gets what was sent to it and the reason, new ones are refused, and the process ends', async () => {
  const { urls, kill, ended } = await start('deploy.mjs', { SPREAD: '500' });
  const [url = ''] = urls;
  const clients = await Promise.all(Array.from({ length: 20 }, async () => connect(url)));
  const { client: sender } = /** @type {(typeof clients)[0]} */ (clients[0]);
  for (let i = 0; i < 50; i++) sender.send(`message ${i}`);
  await echo(sender, 'all there');

  sender.pause(); // it is not over before this one has answered
  kill('SIGTERM');
  await Promise.race(clients.map(({ client }) => once(client, 'closing')));
  const [error] = await once(new WebSocket(url), 'error');
  expect(error.message).toContain('503');
  sender.resume();
  for (const { client, messages } of clients) {
    expect(await client.closed).toMatchObject({
      initiator: 'remote',
      received: { code: 1012, reason: 'a new version is on its way' },
    });
    expect(messages).toHaveLength(51);
  }
  expect(await ended).toEqual({ status: 0, lines: ['20 closed, 0 cut, 0 bytes unsent'] });
});

test('a second SIGTERM cuts who does not answer', async () => {
  const { urls, kill, ended } = await start('deploy.mjs', { SPREAD: '0' });
  const [url = ''] = urls;
  await stuck(url);
  const { client } = await connect(url);
  await echo(client, 'ready');
  kill('SIGTERM');
  await client.closed;
  kill('SIGTERM');
  expect(await ended).toEqual({ status: 0, lines: ['1 closed, 1 cut, 0 bytes unsent'] });
});
