import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, expect, test } from '@jest/globals';
import { createPair, PreparedMessage, type CloseInfo, type Incoming, type WebSocket } from '../src/index.js';

interface Told {
  readonly socket: WebSocket;
  readonly [field: string]: unknown;
}

const undo: (() => void)[] = [];
afterEach(() => undo.splice(0).forEach((each) => each()));

/** What is told on a channel from now on, of one of the ends. */
function hear(name: string, of: WebSocket): Omit<Told, 'socket'>[] {
  const heard: Omit<Told, 'socket'>[] = [];
  const listener = (told: unknown): void => {
    const { socket, ...rest } = told as Told;
    if (socket === of) heard.push(rest);
  };
  subscribe(name, listener);
  undo.push(() => unsubscribe(name, listener));
  return heard;
}

test('ws:open and ws:close tell of every connection', async () => {
  const heard: [string, unknown][] = [];
  for (const name of ['ws:open', 'ws:close']) {
    const listener = (told: unknown): void => void heard.push([name, told]);
    subscribe(name, listener);
    undo.push(() => unsubscribe(name, listener));
  }
  const { client, server } = createPair();
  client.close(4000, 'bye');
  const infos = await Promise.all([client.closed, server.closed]);
  const opened = heard.filter(([name]) => name === 'ws:open').map(([, told]) => told);
  expect(opened).toHaveLength(2);
  expect(opened).toEqual(
    expect.arrayContaining([
      { socket: client, role: 'client', request: undefined },
      { socket: server, role: 'server', request: undefined },
    ]),
  );
  const closed = heard.filter(([name]) => name === 'ws:close').map(([, told]) => told as { info: CloseInfo });
  expect(closed.map(({ info }) => info)).toEqual(expect.arrayContaining(infos));
  expect(closed).toHaveLength(2);
});

test('ws:message tells of messages in both directions, and gives them', async () => {
  const { client, server } = createPair();
  const sent = hear('ws:message', client);
  const received = hear('ws:message', server);
  client.send('text');
  client.send(Buffer.from([1, 2]));
  client.send(new PreparedMessage('prepared'));
  client.close(1000);
  await server.closed;
  expect(sent).toEqual([
    { direction: 'out', data: 'text', isBinary: false },
    { direction: 'out', data: Buffer.from([1, 2]), isBinary: true },
    { direction: 'out', data: expect.anything(), isBinary: false },
  ]);
  expect(received.map(({ data }) => Buffer.from(data as Uint8Array).toString('latin1'))).toEqual([
    'text',
    '\x01\x02',
    'prepared',
  ]);
  expect(received.map(({ direction, isBinary }) => [direction, isBinary])).toEqual([
    ['in', false],
    ['in', true],
    ['in', false],
  ]);
});

test('ws:message gives a message that is taken as it comes as the stream that it is', async () => {
  const { client, server } = createPair({ incoming: 'stream' });
  const received = hear('ws:message', server);
  let message: Incoming | undefined;
  server.on('incoming', (incoming) => {
    message = incoming;
    incoming.resume();
  });
  client.send('text');
  client.close(1000);
  await server.closed;
  expect(received).toEqual([{ direction: 'in', data: message, isBinary: false }]);
});

test('ws:backpressure tells when there is some, and when it is over', async () => {
  const { client, server } = createPair({ slowConsumer: { highWaterMark: 100_000, limit: 10_000_000 } });
  const heard = hear('ws:backpressure', client);
  server.pause();
  for (let count = 0; count < 20; count++) client.send(Buffer.alloc(60_000));
  server.resume();
  client.close(1000);
  await client.closed;
  const states = heard.map(({ state }) => String(state));
  expect(states.slice(0, 2).sort()).toEqual(['full', 'slow']);
  expect(states.slice(2).sort()).toEqual(['drained', 'recovered']);
  expect(heard[0]?.['bufferedAmount']).toBeGreaterThan(60_000);
});
