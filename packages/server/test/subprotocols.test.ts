import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import type { HandleProtocols, ServerOptions } from '../src/index.js';
import { connection, exchange, first, handshake, opened, peer, portOf, shake, start } from './support.js';

const OFFER = ['one', 'two', 'three'];

/** What the client asks for, what the server is told, what is agreed: '' is a 101 without the header. */
const TABLE: [name: string, options: ServerOptions, offer: string[], agreed: string][] = [
  ['A-29 not set: the first one (X-07)', {}, OFFER, 'one'],
  ['nothing asked for', {}, [], ''],
  ['A-29 handleProtocols returns the second', { handleProtocols: () => 'two' }, OFFER, 'two'],
  ['a Promise of the third', { handleProtocols: async () => 'three' }, OFFER, 'three'],
  ['X-07 false: 101 without the header', { handleProtocols: () => false }, OFFER, ''],
  ["''", { handleProtocols: () => '' }, OFFER, ''],
  ['nothing', { handleProtocols: () => undefined }, OFFER, ''],
  ['handleProtocols wins over protocols', { protocols: ['one'], handleProtocols: () => 'two' }, OFFER, 'two'],
  ["K-07 protocols: the client's order", { protocols: ['three', 'two'] }, OFFER, 'two'],
  ["K-07 the server's order", { protocols: ['three', 'two'], protocolPreference: 'server' }, OFFER, 'three'],
  ['K-07 none in common: 101 without the header', { protocols: ['four'] }, OFFER, ''],
  ['names of Object.prototype', { protocols: ['__proto__', 'constructor'] }, ['constructor'], 'constructor'],
];

test.each(TABLE)('%s', async (_name, options, offer, agreed) => {
  const server = await start(options);
  const next = connection(server);
  const headers = { 'Sec-WebSocket-Protocol': offer.length > 0 ? offer.join(', ') : undefined };
  const answer = await shake(portOf(server), handshake(headers));
  expect([answer.status, answer.headers['sec-websocket-protocol'] ?? '']).toEqual([101, agreed]);
  const socket = await next;
  expect([socket.protocol, socket.requestedProtocols]).toEqual([agreed, offer]);
});

test('A-29 both ends know what was agreed', async () => {
  const server = await start({ handleProtocols: (protocols) => [...protocols].at(1) });
  const next = connection(server);
  const client = await opened(peer(portOf(server), '/', OFFER));
  expect([client.protocol, (await next).protocol]).toEqual(['two', 'two']);
});

test('K-07 handleProtocols gets a Set in the order of the client, and the request', async () => {
  const handleProtocols = jest.fn<HandleProtocols>(() => 'one');
  const port = portOf(await start({ handleProtocols }));
  await shake(port, handshake());
  expect(handleProtocols).not.toHaveBeenCalled();
  await shake(port, handshake({ 'Sec-WebSocket-Protocol': ['one, two', 'three'] }, 'GET /x HTTP/1.1'));
  const [protocols, request] = first(handleProtocols.mock.calls);
  expect([protocols instanceof Set, [...protocols], request.url]).toEqual([true, OFFER, '/x']);
});

const FAILING: [name: string, handleProtocols: HandleProtocols][] = [
  ['one that was not offered', () => 'four'],
  ['one with a line break', () => 'one\r\nX: y'],
  ['something that is no string', () => ({}) as never],
  [
    'a throw (B-25)',
    () => {
      throw new Error('secret');
    },
  ],
  [
    'a rejection',
    async () => {
      throw new Error('secret');
    },
  ],
];

test.each(FAILING)('K-07 handleProtocols gives %s: 500', async (_name, handleProtocols) => {
  const server = await start({ handleProtocols });
  const event = once(server, 'refused');
  const answer = await exchange(portOf(server), handshake({ 'Sec-WebSocket-Protocol': 'one' }));
  expect([answer.status, answer.body]).toEqual([500, 'Internal Server Error']);
  const [reason, , error] = await event;
  expect([reason, error instanceof Error]).toEqual(['handleProtocols', true]);
});

const REFUSING: [name: string, handleProtocols: HandleProtocols, status: number, phrase: string, body: string][] = [
  ['no more than that', () => ({ accept: false }), 400, 'Bad Request', 'Bad Request'],
  ['a Promise of it', async () => ({ accept: false, code: 403 }), 403, 'Forbidden', 'Forbidden'],
  ['how', () => ({ accept: false, code: 401, reason: 'log in' }), 401, 'log in', 'log in'],
];

test.each(REFUSING)('X-07 handleProtocols refuses: %s', async (_name, handleProtocols, status, phrase, body) => {
  const server = await start({ handleProtocols });
  const event = once(server, 'refused');
  const answer = await exchange(portOf(server), handshake({ 'Sec-WebSocket-Protocol': 'one' }));
  expect([answer.status, answer.phrase, answer.body]).toEqual([status, phrase, body]);
  expect((await event)[0]).toBe('handleProtocols');
  expect((await shake(portOf(server), handshake())).status).toBe(101); // who asks for none is not asked about
});

test('X-07 handleProtocols refuses with headers', async () => {
  const headers = { 'WWW-Authenticate': 'Bearer' };
  const server = await start({ handleProtocols: () => ({ accept: false, code: 401, headers }) });
  const answer = await exchange(portOf(server), handshake({ 'Sec-WebSocket-Protocol': 'one' }));
  expect(answer.headers['www-authenticate']).toBe('Bearer');
});

const REQUIRED: [options: ServerOptions, offer: string | undefined, status: number][] = [
  [{ protocols: ['one'] }, 'one', 101],
  [{ protocols: ['one'] }, 'two', 400],
  [{ protocols: ['one'] }, undefined, 400],
  [{ handleProtocols: () => false }, 'one', 400],
  [{}, 'anything', 101],
];

test.each(REQUIRED)('K-07 requireProtocol with %p, offered %p: %p', async (options, offer, status) => {
  const server = await start({ ...options, requireProtocol: true });
  const reasons: string[] = [];
  server.on('refused', (reason) => reasons.push(reason));
  expect((await shake(portOf(server), handshake({ 'Sec-WebSocket-Protocol': offer }))).status).toBe(status);
  expect(reasons).toEqual(status === 101 ? [] : ['requireProtocol']);
});

test('handleProtocols and verifyClient may be set later, as programs for ws do; they are checked then, and nothing else can be set', async () => {
  const server = await start({ handleProtocols: () => 'one' });
  const ask = async (): Promise<unknown[]> => {
    const { status, headers } = await shake(portOf(server), handshake({ 'Sec-WebSocket-Protocol': OFFER.join() }));
    return [status, headers['sec-websocket-protocol']];
  };
  const { options } = server;
  options.handleProtocols = () => 'two';
  expect(await ask()).toEqual([101, 'two']);
  options.verifyClient = () => false;
  expect(await ask()).toEqual([401, undefined]);
  options.verifyClient = undefined;
  Object.assign(options, { handleProtocols: null });
  expect(await ask()).toEqual([101, 'one']);
  expect(() => Object.assign(options, { handleProtocols: 'two' })).toThrow(
    'handleProtocols is "two", expected a function',
  );
  expect(() => Object.assign(options, { maxPayload: 5 })).toThrow(TypeError);
  expect({ ...options }).toMatchObject({ handleProtocols: undefined, maxPayload: 1_048_576 });
});
