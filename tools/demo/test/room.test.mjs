// The room over real connections: an independent client against our server.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { startDemo } from '../start.mjs';
import { Peer } from './peer.mjs';

/** @type {import('../demo.mjs').Demo} */
let demo;
/** @type {string[]} */
let problems;
beforeEach(async () => {
  problems = [];
  demo = await startDemo({ log: (line) => problems.push(line) });
});
afterEach(async () => {
  await demo.close();
  expect(problems).toEqual([]);
});

/** @param {Peer} peer */
const bot = (peer) => peer.next('said', ({ from }) => from.bot);

test('what one says, all hear; who comes late reads it', async () => {
  const ada = await Peer.join(demo.url, 'Ada');
  const bob = await Peer.join(demo.url, 'Bob');
  expect((await ada.next('joined', ({ who }) => !who.bot)).who.name).toBe('Bob');
  bob.send({ type: 'say', text: ' good morning\r\nall ' });
  for (const peer of [ada, bob]) {
    const said = await peer.next('said', ({ from }) => !from.bot);
    expect(said).toMatchObject({
      from: { name: 'Bob', bot: false, id: bob.welcome.you.id },
      text: 'good morning\nall',
    });
    expect(Math.abs(Date.now() - said.at)).toBeLessThan(60_000);
  }
  const eve = await Peer.join(demo.url, 'Eve');
  expect(eve.welcome.history.map((/** @type {any} */ { text }) => text)).toContain('good morning\nall');
  expect(eve.welcome.people.map((/** @type {any} */ { name }) => name)).toEqual(
    expect.arrayContaining(['Ada', 'Bob', 'Eve']),
  );
  await bob.close();
  expect((await ada.next('left')).who.name).toBe('Bob');
});

test('a name is free, tidy and unique; it can be changed', async () => {
  const first = await Peer.join(demo.url, '  A\u202eda \n L. ');
  expect(first.welcome.you.name).toBe('A da L.');
  const second = await Peer.join(demo.url, 'a DA l.');
  expect(second.welcome.you.name).toBe('a DA l. 2');
  for (const name of [undefined, 7, '', ' \u200b', 'x'.repeat(25), { toString: 'x' }]) {
    const peer = await Peer.join(demo.url, name);
    expect(peer.welcome.you.name).toMatch(/^[A-Z][a-z]+ [A-Z][a-z]+( \d+)?$/);
  }
  first.send({ type: 'rename', name: 'Grace' });
  expect(await second.next('renamed')).toMatchObject({
    was: 'A da L.',
    who: { name: 'Grace', id: first.welcome.you.id },
  });
  first.send({ type: 'rename', name: 'GRACE' });
  expect((await second.next('renamed')).who.name).toBe('GRACE');
  first.send({ type: 'rename', name: '\u0000' });
  expect((await first.next('refused')).code).toBe('bad-name');
});

test('nobody else can be the bot', async () => {
  const peer = await Peer.connect(demo.url);
  peer.send({ type: 'join', name: 'Pip', key: 'guess', bot: true });
  const { you } = await peer.next('welcome');
  expect(you.bot).toBe(false);
});

test.each([
  ['not JSON', '{"type":"say"', 'malformed'],
  ['an empty message', '', 'malformed'],
  ['null', 'null', 'malformed'],
  ['a number', '1e400', 'malformed'],
  ['an array', '[{"type":"say"}]', 'malformed'],
  ['deep nesting', '['.repeat(4000), 'malformed'],
  ['binary', Buffer.from('{"type":"say","text":"x"}'), 'malformed'],
  ['no type', '{}', 'unknown-type'],
  ['an unknown type', '{"type":"toString"}', 'unknown-type'],
  ['a prototype', '{"__proto__":{"type":"say","text":"x"}}', 'unknown-type'],
  ['a second join', '{"type":"join"}', 'joined-already'],
  ['no text', '{"type":"say"}', 'bad-text'],
  ['text of another type', '{"type":"say","text":{"length":1}}', 'bad-text'],
  ['blank text', '{"type":"say","text":" \\n\\u202e "}', 'bad-text'],
  ['too long a text', JSON.stringify({ type: 'say', text: 'x'.repeat(1001) }), 'bad-text'],
])('%s is refused, and the connection goes on', async (_name, message, code) => {
  const peer = await Peer.join(demo.url, 'Mallory');
  peer.socket.send(message);
  expect((await peer.next('refused')).code).toBe(code);
  peer.send({ type: 'say', text: 'still here' });
  expect((await peer.next('said', ({ text }) => text === 'still here')).from.name).toBe('Mallory');
});

test('who has not joined may not speak and hears nothing', async () => {
  const peer = await Peer.connect(demo.url);
  peer.send({ type: 'say', text: 'x' });
  expect((await peer.next('refused')).code).toBe('not-joined');
  const ada = await Peer.join(demo.url, 'Ada');
  ada.send({ type: 'say', text: 'secret' });
  await ada.next('said', ({ text }) => text === 'secret');
  peer.send({ type: 'nothing' });
  await peer.next('refused');
  peer.send({ type: 'join' });
  const { people } = await peer.next('welcome');
  expect(people.length).toBeGreaterThanOrEqual(2);
  await peer.close();
  await expect(peer.next('said', ({ text }) => text === 'secret')).rejects.toThrow('closed (1000');
});

test('the largest text travels, whatever its characters', async () => {
  const peer = await Peer.join(demo.url, 'Ada');
  const text = '\u{1f600}'.repeat(500);
  const escaped = [...text].map((c) =>
    [...Array(c.length).keys()].map((i) => `\\u${c.charCodeAt(i).toString(16)}`).join(''),
  );
  peer.socket.send(`{"type":"say","text":"${escaped.join('')}"}`);
  expect(await peer.next('said', ({ from }) => !from.bot)).toMatchObject({ text });
});

test('a message over the limit: 1009', async () => {
  const peer = await Peer.join(demo.url, 'Mallory');
  peer.send({ type: 'say', text: 'x'.repeat(8 * 1024) });
  expect((await peer.closed).code).toBe(1009);
});

test('too many at once are dropped with one note; far too many end the connection', async () => {
  const peer = await Peer.join(demo.url, 'Mallory');
  for (let i = 0; i < 300; i++) peer.send({ type: 'say', text: `flood ${i}` });
  expect((await peer.next('refused')).code).toBe('too-fast');
  expect((await peer.closed).code).toBe(1008);
  const witness = await Peer.join(demo.url, 'Ada');
  const flood = witness.welcome.history.filter((/** @type {any} */ { text }) => text.startsWith('flood'));
  expect(flood.length).toBeGreaterThan(5);
  expect(flood.length).toBeLessThan(30);
});

test('the history keeps the newest sixty', async () => {
  for (let i = 0; i < 8; i++) {
    const peer = await Peer.join(demo.url, `Talker ${i}`);
    for (let k = 0; k < 10; k++) peer.send({ type: 'say', text: `${i}.${k}` });
    await peer.next('said', ({ text }) => text === `${i}.9`);
    await peer.close();
  }
  const { welcome } = await Peer.join(demo.url, 'Late');
  expect(welcome.history).toHaveLength(60);
  expect(welcome.history.some((/** @type {any} */ { text }) => text === '0.0')).toBe(false);
  expect(welcome.history.some((/** @type {any} */ { text }) => text === '7.9')).toBe(true);
});

test('a full room turns people away with 1013, until somebody leaves', async () => {
  const peers = await Promise.all(Array.from({ length: 101 }, () => Peer.connect(demo.url)));
  expect(await Promise.race(peers.map(({ closed }) => closed))).toMatchObject({ code: 1013 });
  const open = peers.filter(({ socket }) => socket.readyState === socket.OPEN);
  await Promise.all(open.slice(0, 5).map((peer) => peer.close()));
  const { welcome } = await Peer.join(demo.url, 'Ada');
  expect(welcome.you.name).toBe('Ada');
});

describe('the bot', () => {
  test('welcomes a newcomer', async () => {
    const ada = await Peer.join(demo.url, 'Ada');
    if (!ada.welcome.people.some((/** @type {any} */ person) => person.bot))
      await ada.next('joined', ({ who }) => who.bot);
    const bob = await Peer.join(demo.url, 'Bob');
    const { text } = await bob.next('said', (said) => said.from.bot && said.text.includes('Bob'));
    expect(text).toMatch(/^Welcome, Bob!/);
  });

  test('answers everybody in the room', async () => {
    const ada = await Peer.join(demo.url, 'Ada');
    const bob = await Peer.join(demo.url, 'Bob');
    if (!ada.welcome.people.some((/** @type {any} */ person) => person.bot))
      await ada.next('joined', ({ who }) => who.bot);
    ada.send({ type: 'say', text: '/dice 2d6' });
    for (const peer of [ada, bob]) {
      const { text } = await peer.next('said', (said) => said.from.bot && said.text.includes('rolls'));
      expect(text).toMatch(/^Ada rolls 2d6: [1-6] \+ [1-6] = \d+\.$/);
    }
    ada.send({ type: 'say', text: 'hello' });
    await expect(bot(bob)).resolves.toBeDefined();
  });
});
