import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket } from '../src/index.js';
import { opened, rawServer, wsServer } from './peers.js';
import { redirectTo } from './redirects.js';

type Told = Record<string, unknown>;

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((each) => each()));

/** What is told from now on. */
function hear(...names: string[]): [name: string, told: Told][] {
  const heard: [string, Told][] = [];
  for (const name of names) {
    const listener = (told: unknown): void => void heard.push([name, told as Told]);
    subscribe(name, listener);
    undo.push(() => unsubscribe(name, listener));
  }
  return heard;
}

/** What is told of one socket: those of other tests may still be on their way out. */
const of = (socket: WebSocket, heard: [string, Told][]): [string, Told][] =>
  heard.filter(([, told]) => told['socket'] === socket);

const ALL = ['ws:handshake', 'ws:open', 'ws:message', 'ws:backpressure', 'ws:refused', 'ws:close'];

test('a client: its handshake, that it is open, each message, its end', async () => {
  const { url } = await wsServer({}, (peer) => peer.on('message', () => peer.close(4000)));
  const heard = hear(...ALL);
  const socket = new WebSocket(url);
  expect(of(socket, heard)).toEqual([['ws:handshake', { role: 'client', socket, request: expect.anything() }]]);
  await opened(socket);
  socket.send('hello');
  const info = await socket.closed;
  expect(of(socket, heard).slice(1)).toEqual([
    ['ws:open', { role: 'client', socket, request: undefined }],
    ['ws:message', { socket, direction: 'out', data: expect.anything(), isBinary: false }],
    ['ws:close', { socket, info }],
  ]);
});

test('each request of a handshake that is redirected', async () => {
  const { url } = await wsServer();
  const port = await rawServer(({ socket }) => socket.write(redirectTo(url)));
  const heard = hear('ws:handshake', 'ws:open');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true });
  await opened(socket);
  const told = of(socket, heard);
  expect(told.map(([name]) => name)).toEqual(['ws:handshake', 'ws:handshake', 'ws:open']);
  expect(told[0]?.[1]['request']).not.toBe(told[1]?.[1]['request']);
});

test('an attempt that fails is told to its end, with the reason', async () => {
  const { url } = await wsServer({ verifyClient: () => false });
  const heard = hear(...ALL);
  const socket = new WebSocket(url);
  socket.on('error', () => {});
  const info = await socket.closed;
  expect(of(socket, heard)).toEqual([
    ['ws:handshake', { role: 'client', socket, request: expect.anything() }],
    ['ws:close', { socket, info }],
  ]);
  expect(info).toMatchObject({ code: 1006, error: { code: 'WS_ERR_UNEXPECTED_STATUS' } });
});
