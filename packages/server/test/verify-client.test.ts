import { expect, jest, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:https';
import { makeCertificate } from '@ws/testing';
import { WebSocketServer, type VerifyClient, type VerifyClientInfo, type VerifyClientReply } from '../src/index.js';
import {
  closed,
  connection,
  first,
  handshake,
  manage,
  opened,
  peer,
  portOf,
  RawPeer,
  refused,
  shake,
  start,
  startHttp,
} from './support.js';

/** Every way to say no, and what the client gets. */
const REFUSING: [form: string, verifyClient: VerifyClient, status: number, phrase: string, body: string][] = [
  ['false', () => false, 401, 'Unauthorized', 'Unauthorized'],
  ['undefined', () => undefined, 401, 'Unauthorized', 'Unauthorized'],
  ['a Promise of false', () => Promise.resolve(false), 401, 'Unauthorized', 'Unauthorized'],
  ['{ accept: false }', () => ({ accept: false }), 401, 'Unauthorized', 'Unauthorized'],
  ['an object', () => ({ accept: false, code: 403, reason: 'members only' }), 403, 'members only', 'members only'],
  ['a Promise of an object', async () => ({ accept: false, code: 429 }), 429, 'Too Many Requests', 'Too Many Requests'],
  ['cb(false)', (_info, cb) => cb(false), 401, 'Unauthorized', 'Unauthorized'],
  ['cb(false, 403, No)', (_info, cb) => cb(false, 403, 'No'), 403, 'No', 'No'],
  ['cb later', (_info, cb) => void setImmediate(cb, false, 403, 'No'), 403, 'No', 'No'],
  ['cb with an object', (_info, cb) => cb({ accept: false, code: 404 }), 404, 'Not Found', 'Not Found'],
  [
    'a phrase that no status line can hold',
    (_info, cb) => cb(false, 403, 'nein\r\nX: y'),
    403,
    'Forbidden',
    'nein\r\nX: y',
  ],
  ['a phrase beyond latin1', (_info, cb) => cb(false, 403, 'нет'), 403, 'Forbidden', 'нет'],
  [
    'throw (B-25)',
    () => {
      throw new Error('secret');
    },
    500,
    'Internal Server Error',
    'Internal Server Error',
  ],
  ['reject', () => Promise.reject(new Error('secret')), 500, 'Internal Server Error', 'Internal Server Error'],
  [
    'throw with a callback',
    (_info, _cb) => {
      throw new Error('secret');
    },
    500,
    'Internal Server Error',
    'Internal Server Error',
  ],
  [
    'reject with a callback',
    async (_info, _cb) => {
      throw new Error('secret');
    },
    500,
    'Internal Server Error',
    'Internal Server Error',
  ],
  ['cb(null, 403)', (_info, cb) => cb(null as never, 403), 403, 'Forbidden', 'Forbidden'],
  [
    'cb later, an object without accept',
    (_info, cb) => void setImmediate(cb, { accepted: true } as never),
    500,
    'Internal Server Error',
    'Internal Server Error',
  ],
  [
    'an object without accept',
    () => ({ accepted: true }) as never,
    500,
    'Internal Server Error',
    'Internal Server Error',
  ],
  ['an empty list', (_info, cb) => cb([] as never), 500, 'Internal Server Error', 'Internal Server Error'],
  ['a status in digits', (_info, cb) => cb(false, '404' as never), 404, 'Not Found', 'Not Found'],
  ['a status that is none', (_info, cb) => cb(false, 99), 500, 'Internal Server Error', 'Internal Server Error'],
  [
    'a header that cannot be sent',
    (_info, cb) => cb(false, 401, 'No', { 'X-A': 'a\r\nb' }),
    500,
    'Internal Server Error',
    'Internal Server Error',
  ],
];

test.each(REFUSING)('K-08 refuses by %s', async (_form, verifyClient, status, phrase, body) => {
  const server = await start({ verifyClient });
  const event = once(server, 'refused');
  const answer = await refused(peer(portOf(server)));
  expect(answer).toMatchObject({ status, phrase, body });
  const [reason, request, error] = await event;
  expect([reason, request.url, error !== undefined]).toEqual(['verifyClient', '/', status === 500]);
  expect(server.clients.size).toBe(0);
});

const ACCEPTING: [form: string, verifyClient: VerifyClient][] = [
  ['true', () => true],
  ['a truthy value', () => 'yes' as never],
  ['a Promise of true', () => Promise.resolve(true)],
  ['a thenable', () => ({ then: (fulfil: (value: boolean) => void) => fulfil(true) }) as never],
  ['{ accept: true }', () => ({ accept: true })],
  ['cb(true)', (_info, cb) => cb(true)],
  ['what match has found', ({ req }) => req.url!.match(/\//) as never],
  ['cb with what match has found', ({ req }, cb) => cb(req.url!.match(/\//) as never)],
  ['cb later', (_info, cb) => void setImmediate(cb, true)],
  [
    'cb, then a rejection',
    async (_info, cb) => {
      cb(true);
      throw new Error('too late');
    },
  ],
  [
    'cb, and twice more (B-25)',
    (_info, cb) => {
      cb(true);
      cb(false);
      setImmediate(cb, false, 403);
    },
  ],
  [
    'cb twice, later',
    (_info, cb) =>
      void setImmediate(() => {
        cb(true);
        cb(false);
      }),
  ],
];

test.each(ACCEPTING)('K-08 accepts by %s', async (_form, verifyClient) => {
  const server = await start({ verifyClient });
  const refusals = jest.fn();
  server.on('refused', refusals);
  const client = await opened(peer(portOf(server)));
  const pong = once(client, 'pong');
  client.ping();
  await pong;
  expect(refusals).not.toHaveBeenCalled();
});

test('A-28 refused twice, the client gets one answer', async () => {
  const verifyClient: VerifyClient = (_info, cb) => {
    cb(false, 403, 'No');
    cb(true);
    cb(false, 404);
  };
  const server = await start({ verifyClient });
  const raw = new RawPeer(portOf(server)).write(handshake());
  expect((await raw.closed).match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(server.clients.size).toBe(0);
});

test('headers of a refusal are sent, several values as several lines', async () => {
  const headers = {
    'WWW-Authenticate': 'Basic realm="x"',
    'Set-Cookie': ['a=1', 'b=2'],
    'X-Count': 3,
    'X-Nothing': undefined,
  };
  const server = await start({
    verifyClient: (_info: VerifyClientInfo, cb: VerifyClientReply) => cb(false, 401, 'who?', headers),
  });
  const answer = await refused(peer(portOf(server)));
  expect(answer.headers).toMatchObject({
    'www-authenticate': 'Basic realm="x"',
    'set-cookie': ['a=1', 'b=2'],
    'x-count': '3',
  });
  expect(answer.headers).not.toHaveProperty('x-nothing');
});

test('WS-009 info has origin, secure and req, on http and on https', async () => {
  const infos: VerifyClientInfo[] = [];
  const verifyClient: VerifyClient = (info) => infos.push(info) > 0;
  const plain = await start({ verifyClient, origins: 'any' });
  await opened(peer(portOf(plain), '/plain', [], { origin: 'https://a.example' }));
  const certificate = makeCertificate();
  const https = await startHttp(createServer(certificate));
  manage(new WebSocketServer({ server: https, verifyClient }));
  const { WebSocket } = await import('ws');
  const client = await opened(
    new WebSocket(`wss://localhost:${portOf(https)}/tls`, { ca: certificate.cert, perMessageDeflate: false }),
  );
  client.terminate();
  expect(infos.map(({ origin, secure, req }) => [origin, secure, req.url])).toEqual([
    ['https://a.example', false, '/plain'],
    [undefined, true, '/tls'],
  ]);
});

test('data of an accepted client is socket.data', async () => {
  const server = await start({
    verifyClient: async ({ req }) => ({ accept: true, data: { user: String(req.headers['x-user']) } }),
  });
  const next = connection(server);
  await opened(peer(portOf(server), '/', [], { headers: { 'X-User': 'ann' } }));
  expect((await next).data.user).toBe('ann');
});

test.each([true, false])(
  'A-28 the client goes while verifyClient thinks, and %p comes then: nothing happens',
  async (late) => {
    const asked = new EventEmitter();
    const server = await start({
      verifyClient: (info: VerifyClientInfo, cb: VerifyClientReply) => void asked.emit('ask', info, cb),
    });
    const events = jest.fn();
    server.on('refused', events).on('connection', events);

    const firstAsk = once(asked, 'ask');
    const raw = new RawPeer(portOf(server)).write(handshake());
    const [info, answerTooLate] = await firstAsk;
    const gone = closed(info.req.socket);
    raw.socket.resetAndDestroy();
    await gone;
    answerTooLate(late);
    expect(await raw.closed).toBe('');

    const second = once(asked, 'ask');
    const open = opened(peer(portOf(server)));
    const [, answer] = await second;
    answer(true);
    await open;
    expect(events).toHaveBeenCalledTimes(1);
    expect(server.clients.size).toBe(1);
  },
);

test('no answer within handshakeTimeout: 503 with Retry-After (K-08, B-25)', async () => {
  for (const verifyClient of [(_info: unknown, _cb: unknown) => {}, () => new Promise<boolean>(() => {})]) {
    const server = await start({ verifyClient, handshakeTimeout: 50 });
    const event = once(server, 'refused');
    const answer = await refused(peer(portOf(server)));
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': expect.stringMatching(/^\d+$/) } });
    expect((await event)[0]).toBe('handshakeTimeout');
  }
});

test.each([true, false])('%p that comes after the 503 changes nothing', async (late) => {
  const answers: VerifyClientReply[] = [];
  const verifyClient: VerifyClient = (_info, cb) => void answers.push(cb);
  const server = await start({ verifyClient, handshakeTimeout: 20 });
  const reasons: string[] = [];
  server.on('refused', (reason) => reasons.push(reason));
  const { status } = await shake(portOf(server), handshake());
  first(answers)(late);
  await new Promise(setImmediate);
  expect([status, reasons, server.clients.size]).toEqual([503, ['handshakeTimeout'], 0]);
});

test('nothing is asked of user code for a request that is malformed, foreign or on another path', async () => {
  const verifyClient = jest.fn(() => true);
  const server = await start({ verifyClient, path: '/here' });
  const port = portOf(server);
  await shake(port, handshake({}, 'GET /there HTTP/1.1'));
  await shake(port, handshake({ 'Sec-WebSocket-Key': 'x' }, 'GET /here HTTP/1.1'));
  await shake(port, handshake({ Origin: 'https://evil.example' }, 'GET /here HTTP/1.1'));
  expect(verifyClient).not.toHaveBeenCalled();
  expect((await shake(port, handshake({}, 'GET /here HTTP/1.1'))).status).toBe(101);
  expect(verifyClient).toHaveBeenCalledTimes(1);
});

test('two questions that are answered later, with and without a time limit', async () => {
  for (const handshakeTimeout of [false, 5000] as const) {
    const later = (): Promise<boolean> => new Promise((resolve) => setImmediate(resolve, true));
    const server = await start({ origins: later, verifyClient: later, handshakeTimeout });
    expect((await shake(portOf(server), handshake({ Origin: 'https://a.example' }))).status).toBe(101);
  }
});
