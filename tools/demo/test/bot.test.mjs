import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { WebSocketServer } from '@ws/server';
import { startBot } from '../bot.mjs';
import { createReplies } from '../replies.mjs';

const reply = createReplies('Pip');

test.each([
  ['hello', /Ada/],
  ['Hi there', /Ada/],
  ['MOIN!', /Ada/],
  ['ping', /^pong$/],
  ['pip', /Ada|here/],
  ['Is it raining, Pip?', /\.$/],
  ['thanks, Pip', /Ada/],
  ['/help', /\/dice/],
  ['/time', /It is \d\d:\d\d:\d\d/],
  ['/TIME', /It is/],
  ['/uptime', /0 s/],
  ['/coin', /heads|tails/],
  ['/dice', /^Ada rolls 1d6: [1-6]\.$/],
  ['/dice d20', /^Ada rolls 1d20: ([1-9]|1\d|20)\.$/],
  ['/dice 3', /^Ada rolls 3d6: [1-6] \+ [1-6] \+ [1-6] = \d+\.$/],
  ['/dice 10d1000', /^Ada rolls 10d1000: /],
  ['/dice 11d6', /try \/dice 2d20/],
  ['/dice 0d6', /try/],
  ['/dice 2d1', /try/],
  ['/dice 99d9999', /try/],
  ['/dice -1', /try/],
  ['/dice 1e9d6', /try/],
  ['/constructor', /do not know \/constructor/],
  [`/${'x'.repeat(900)}`, /^I do not know \/x{20}\. /],
  ['/', /do not know/],
])('%s', (text, answer) => {
  expect(reply(text, 'Ada')).toMatch(answer);
});

test.each(['good morning', 'pipeline?', 'I said hello to her', 'what a ping', ''])('%j is not for the bot', (text) => {
  expect(reply(text, 'Ada')).toBeUndefined();
});

test('dice show every side, and only those', () => {
  const seen = new Set(Array.from({ length: 400 }, () => reply('/dice', 'Ada')?.match(/: (\d+)\./)?.[1]));
  expect(seen).toEqual(new Set(['1', '2', '3', '4', '5', '6']));
});

test('comes back when its connection is cut, and stays away once stopped', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  const bot = startBot({ url: `ws://127.0.0.1:${address.port}/chat`, botKey: 'key', log: () => {} });
  try {
    const [first] = await once(server, 'connection');
    const [join] = await once(first, 'message');
    expect(JSON.parse(String(join))).toEqual({ type: 'join', name: 'Pip', key: 'key' });
    const again = once(server, 'connection');
    first.terminate();
    const [second] = await again;
    await once(second, 'message');
    const closed = once(second, 'close');
    bot.stop();
    const [code] = await closed;
    expect(code).toBe(1001);
  } finally {
    bot.stop();
    await new Promise((resolve) => server.close(resolve));
  }
});
