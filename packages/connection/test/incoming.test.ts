import { expect, test } from '@jest/globals';
import { createPair, type Incoming } from '../src/index.js';
import { event } from './streams.js';

const pair = (options: Parameters<typeof createPair>[0] = {}): ReturnType<typeof createPair> =>
  createPair({ incoming: 'stream', ...options });

test('a message is there before its payload, and is read like any stream', async () => {
  const { client, server } = pair();
  client.send('hel', { fin: false });
  const [message] = (await event(server, 'incoming')) as [Incoming];
  expect([message.isBinary, message.compressed, message.length]).toEqual([false, false, undefined]);
  expect(message.header).toMatchObject({ fin: false, opcode: 1, payloadLength: 3 });
  client.send('lo');
  expect(await message.text()).toBe('hello');
  client.terminate();
  await server.closed;
});
