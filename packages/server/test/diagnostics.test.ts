import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';
import { opened, peer, portOf, refused, start } from './support.js';

type Told = Record<string, unknown>;

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((each) => each()));

/** What is told from now on, channel by channel. */
function hear(...names: string[]): [name: string, told: Told][] {
  const heard: [string, Told][] = [];
  for (const name of names) {
    const listener = (told: unknown): void => void heard.push([name, told as Told]);
    subscribe(name, listener);
    undo.push(() => unsubscribe(name, listener));
  }
  return heard;
}

test('a connection: its handshake, that it is open, and that it is closed', async () => {
  const heard = hear('ws:handshake', 'ws:open', 'ws:refused', 'ws:close');
  const server = await start();
  const connected = once(server, 'connection');
  const client = peer(portOf(server));
  client.on('open', () => client.close(1000));
  const [socket, request] = await connected;
  const info = await socket.closed;
  expect(heard).toEqual([
    ['ws:handshake', { role: 'server', server, request }],
    ['ws:open', { role: 'server', socket, request }],
    ['ws:close', { socket, info }],
  ]);
});

test('a refusal is told with its reason, and where it came from', async () => {
  const heard = hear('ws:handshake', 'ws:open', 'ws:refused');
  const server = await start({ verifyClient: () => false });
  const turnedAway = once(server, 'refused');
  peer(portOf(server));
  const [reason, request] = await turnedAway;
  expect(reason).toBe('verifyClient');
  expect(heard).toEqual([
    ['ws:handshake', { role: 'server', server, request }],
    ['ws:refused', { server, reason, error: undefined, request, remoteAddress: '127.0.0.1' }],
  ]);
});

test('behind a proxy, the address is that of the client', async () => {
  const heard = hear('ws:refused');
  const server = await start({ trustProxy: 1, verifyClient: () => false });
  const turnedAway = once(server, 'refused');
  peer(portOf(server), '/', [], { headers: { 'X-Forwarded-For': '203.0.113.7' } });
  await turnedAway;
  expect(heard).toMatchObject([['ws:refused', { reason: 'verifyClient', remoteAddress: '203.0.113.7' }]]);
});

test('also of who has not asked for anything yet', async () => {
  const heard = hear('ws:refused');
  const server = await start({ handshakeTimeout: 20 });
  const events: unknown[] = [];
  server.on('refused', (reason) => events.push(reason));
  await once(connect(portOf(server), '127.0.0.1').resume(), 'close');
  expect(heard).toEqual([
    [
      'ws:refused',
      {
        server,
        reason: 'handshakeTimeout',
        error: undefined,
        request: undefined,
        remoteAddress: expect.stringContaining('127'),
      },
    ],
  ]);
  expect(events).toEqual([]);
});

test('the program of the contract', async () => {
  const contract = new URL('../../../docs/diagnostics.md', import.meta.url);
  const [block] = readmePrograms(contract, '# What can be heard on `node:diagnostics_channel`');
  const program = new Program(new URL('..', import.meta.url), block?.code ?? '');
  try {
    const port = await program.port;
    const client = await opened(peer(port));
    await refused(peer(port));
    await program.until('refused maxConnections');
    client.close(1000);
    expect(await program.until('closed remote 1000')).toMatch(/^refused maxConnections .*127\.0\.0\.1$/m);
  } finally {
    await stopPrograms();
  }
});
