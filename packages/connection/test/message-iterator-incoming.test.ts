import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { createPair, createWebSocketStream, Incoming, type IncomingMode, type Message } from '../src/index.js';
import { event, nextTurn, record, recorded, clientFrame } from './streams.js';

const pair = (incoming: IncomingMode): ReturnType<typeof createPair> =>
  createPair({ incoming, streamThreshold: 100, highWaterMark: 65_536, closeTimeout: 20_000 });

async function text(message: Message | undefined): Promise<string> {
  return message instanceof Incoming ? `stream ${await message.text()}` : `whole ${String(message)}`;
}

describe.each(['for await', 'messages()'] as const)('%s', (form) => {
  test.each([
    ['stream', ['stream short', `stream ${'x'.repeat(300_000)}`, 'stream in fragments', 'stream last']],
    ['auto', ['whole short', `stream ${'x'.repeat(300_000)}`, 'stream in fragments', 'whole last']],
    ['buffer', ['whole short', `whole ${'x'.repeat(300_000)}`, 'whole in fragments', 'whole last']],
  ] as const)('incoming: %s', async (mode, expected) => {
    const { client, server } = pair(mode);
    const others = record(server, ['message', 'incoming']);
    const reading = (async () => {
      const seen: string[] = [];
      for await (const message of form === 'for await' ? server : server.messages()) seen.push(await text(message));
      return seen;
    })();
    client.send('short');
    client.send('x'.repeat(300_000));
    client.send('in ', { fin: false });
    client.send('fragments');
    client.send('last');
    client.close(1000);
    expect(await reading).toEqual(expected);
    expect(others.map(([name]) => (name === 'incoming' ? 'stream' : 'whole'))).toEqual(
      expected.map((line) => line.split(' ')[0]),
    );
    expect(server.listenerCount('incoming')).toBe(1);
  });

  test('a connection that is cut in the middle of a message', async () => {
    const { socket, stream } = recorded({ incoming: 'stream' });
    const iterator = (form === 'for await' ? socket : socket.messages())[
      Symbol.asyncIterator
    ]() as AsyncIterator<Incoming>;
    stream.push(clientFrame(1, 'begun', { fin: false }));
    const { value } = await iterator.next();
    const reading = (value as Incoming).text();
    stream.push(null);
    await expect(reading).rejects.toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
    await expect(iterator.next()).rejects.toMatchObject({ code: 'WS_ERR_CLOSED', info: { code: 1006 } });
  });
});

test('leaving the loop discards the message that is being read, and those that wait', async () => {
  const { client, server } = pair('stream');
  client.send('first', { fin: false });
  let message: Message | undefined;
  for await (message of server) {
    client.send('x'.repeat(1_000_000));
    client.send('x'.repeat(1_000_000), { fin: true });
    client.send('more');
    await nextTurn();
    break;
  }
  expect((message as Incoming).destroyed).toBe(true);
  expect(await client.closed).toMatchObject({ code: 1000, wasClean: true });
});

test('messages that are read to their end are forgotten', async () => {
  const { client, server } = pair('stream');
  const iterator = server[Symbol.asyncIterator]();
  client.send('a');
  const { value } = await iterator.next();
  expect(await text(value)).toBe('stream a');
  await iterator.return();
  expect((value as Incoming).readableEnded).toBe(true);
  expect(await client.closed).toMatchObject({ code: 1000, wasClean: true });
});

test('messages() destroyed discards what it has not given, and what others read goes on', async () => {
  const { client, server } = pair('stream');
  const messages = server.messages();
  const texts: Promise<string>[] = [];
  client.send('a'.repeat(100_000));
  client.send('b'.repeat(100_000));
  await nextTurn();
  messages.on('readable', () => undefined);
  await once(messages, 'readable');
  expect(messages.readableLength).toBe(1);
  server.on('incoming', (message) => texts.push(message.text()));
  messages.destroy();
  client.send('c'.repeat(100_000));
  client.close(1000);
  await server.closed;
  expect((await Promise.all(texts)).at(-1)).toBe('c'.repeat(100_000));
  expect(server.bytesReceived).toBeGreaterThan(300_000);
});

test('createWebSocketStream gives the bytes of a message as they come, and of the next behind them', async () => {
  const { client, server } = pair('auto');
  const duplex = createWebSocketStream(server);
  const seen: string[] = [];
  duplex.on('data', (bytes: Buffer) => seen.push(String(bytes)));
  client.send('one ', { fin: false });
  await nextTurn();
  await nextTurn();
  expect(seen.join('')).toBe('one ');
  client.send('two ', { fin: true });
  client.send('three ');
  client.send('x'.repeat(500_000));
  client.send('four');
  client.close(1000);
  await once(duplex, 'end');
  expect(seen.join('')).toBe(`one two three ${'x'.repeat(500_000)}four`);
});

test('createWebSocketStream with readableObjectMode gives streams', async () => {
  const { client, server } = pair('auto');
  const duplex = createWebSocketStream(server, { readableObjectMode: true });
  client.send('short');
  client.send('x'.repeat(500));
  client.close(1000);
  const seen: string[] = [];
  for await (const message of duplex) seen.push(await text(message as Message));
  expect(seen).toEqual(['whole short', `stream ${'x'.repeat(500)}`]);
});

test('createWebSocketStream fails where a message is cut, and stops reading while nobody reads', async () => {
  const { client, server } = pair('stream');
  const duplex = createWebSocketStream(server);
  const failed = event(duplex, 'error').catch((error: unknown) => [error]);
  for (let i = 0; i < 100; i++) {
    client.send('x'.repeat(20_000), { fin: false });
    await nextTurn();
  }
  expect(server.bytesReceived).toBeLessThan(500_000);
  let received = 0;
  duplex.on('data', ({ length }: Buffer) => {
    received += length;
    if (received === 2_000_000) client.terminate();
  });
  expect((await failed)[0]).toMatchObject({
    code: 'WS_ERR_INCOMPLETE_MESSAGE',
  });
  expect(received).toBe(2_000_000);
});

test('createWebSocketStream destroyed in the middle of a message', async () => {
  const { client, server } = pair('stream');
  const duplex = createWebSocketStream(server);
  client.send('x', { fin: false });
  await once(duplex, 'readable');
  duplex.destroy();
  expect((await client.closed).code).toBe(1006);
});
