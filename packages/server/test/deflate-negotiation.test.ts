import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { WebSocket as UndiciSocket } from 'undici';
import { WebSocketServer, type PerMessageDeflateOptions } from '../src/index.js';
import { closeLater, connection, exchange, handshake, manage, opened, peer, portOf, shake, start } from './support.js';

type Option = boolean | PerMessageDeflateOptions;

const NO_TAKEOVER = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
const TAKEOVER = { serverNoContextTakeover: false, clientNoContextTakeover: false };

/** What is offered, an array being several header lines; undefined for no answer. Each rule has its vectors in @ws/deflate. */
const ANSWERS: [option: Option, offered: string | string[], answer: string | undefined][] = [
  [true, 'permessage-deflate', NO_TAKEOVER],
  [true, 'permessage-deflate; client_max_window_bits', NO_TAKEOVER],
  [{}, 'permessage-deflate; client_max_window_bits', NO_TAKEOVER],
  [true, 'permessage-deflate; client_max_window_bits=10', `${NO_TAKEOVER}; client_max_window_bits=10`],
  [true, 'permessage-deflate; client_max_window_bits="10"', `${NO_TAKEOVER}; client_max_window_bits=10`],
  [true, 'permessage-deflate; server_max_window_bits="1\\1"', `${NO_TAKEOVER}; server_max_window_bits=11`],
  [true, 'permessage-deflate; server_max_window_bits=8', `${NO_TAKEOVER}; server_max_window_bits=8`],
  [TAKEOVER, 'permessage-deflate; client_max_window_bits', 'permessage-deflate'],
  [
    { ...TAKEOVER, clientMaxWindowBits: 9 },
    'permessage-deflate; client_max_window_bits',
    'permessage-deflate; client_max_window_bits=9',
  ],
  [{ ...TAKEOVER, serverMaxWindowBits: 9 }, 'permessage-deflate', 'permessage-deflate; server_max_window_bits=9'],
  // Declined: the connection goes without.
  [false, 'permessage-deflate; client_max_window_bits', undefined],
  [true, 'x-webkit-deflate-frame', undefined],
  [true, 'permessage-deflate; unknown', undefined],
  [true, 'permessage-deflate; client_max_window_bits; client_max_window_bits', undefined],
  [true, 'permessage-deflate; client_max_window_bits=16', undefined],
  [true, 'permessage-deflate; client_max_window_bits="08"', undefined],
  [true, 'permessage-deflate; server_max_window_bits', undefined],
  [true, 'permessage-deflate; server_no_context_takeover=1', undefined],
  [{ serverNoContextTakeover: false }, 'permessage-deflate; server_no_context_takeover', undefined],
  [
    { clientNoContextTakeover: false },
    'permessage-deflate; client_no_context_takeover',
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
  ],
  [{ serverMaxWindowBits: 10 }, 'permessage-deflate; server_max_window_bits=9', undefined],
  [{ serverMaxWindowBits: false }, 'permessage-deflate; server_max_window_bits=9', undefined],
  [{ clientMaxWindowBits: 10 }, 'permessage-deflate', undefined],
  // The next one has its turn, on the same line or on another.
  [
    true,
    'permessage-deflate; unknown, permessage-deflate; server_max_window_bits=9',
    `${NO_TAKEOVER}; server_max_window_bits=9`,
  ],
  [true, ['permessage-deflate; unknown', 'other', 'permessage-deflate'], NO_TAKEOVER],
  [
    { serverNoContextTakeover: false },
    'permessage-deflate; server_no_context_takeover, , permessage-deflate',
    'permessage-deflate; client_no_context_takeover',
  ],
  [
    { clientMaxWindowBits: 10 },
    'permessage-deflate, permessage-deflate; client_max_window_bits',
    `${NO_TAKEOVER}; client_max_window_bits=10`,
  ],
  // One answer, to the first that will do.
  [
    true,
    'permessage-deflate; server_max_window_bits=10, permessage-deflate',
    `${NO_TAKEOVER}; server_max_window_bits=10`,
  ],
  [true, 'other; a=b, permessage-deflate, x', NO_TAKEOVER],
];

test.each(ANSWERS)(
  'WS-015 perMessageDeflate: %j, offered %j, answers %j',
  async (perMessageDeflate, offered, answer) => {
    const server = await start({ perMessageDeflate });
    const next = connection(server);
    const { status, headers } = await shake(portOf(server), handshake({ 'Sec-WebSocket-Extensions': offered }));
    expect([status, headers['sec-websocket-extensions']]).toEqual([101, answer]);
    expect((await next).extensions).toBe(answer === undefined ? '' : 'permessage-deflate');
  },
);

test('nothing is answered that was not offered', async () => {
  const server = await start({ perMessageDeflate: true });
  expect(await shake(portOf(server), handshake())).toMatchObject({
    status: 101,
    headers: expect.not.objectContaining({ 'sec-websocket-extensions': expect.anything() }),
  });
});

const FAULTS = [
  '',
  ',',
  ';',
  'permessage-deflate;',
  'permessage-deflate; =8',
  'permessage-deflate; client_max_window_bits=',
  'permessage-deflate; client_max_window_bits=""',
  'permessage-deflate; client_max_window_bits="10',
  'permessage-deflate; client_max_window_bits="1 0"',
  'permessage-deflate client_max_window_bits',
  'permessage-deflate, "x"',
];

test.each(FAULTS.flatMap((value) => [true, false].map((option) => [value, option] as const)))(
  'WS-018 the header "%s" breaks the grammar: 400, with perMessageDeflate: %p',
  async (value, perMessageDeflate) => {
    const server = await start({ perMessageDeflate });
    const event = once(server, 'refused');
    const answer = await exchange(portOf(server), handshake({ 'Sec-WebSocket-Extensions': value }));
    expect(answer).toMatchObject({ status: 400 });
    const [reason, , error] = await event;
    expect([reason, error.code]).toEqual(['handshake', 'WS_ERR_INVALID_EXTENSIONS']);
  },
);

test('the same options object may be changed afterwards, and serve another server', async () => {
  const perMessageDeflate: { serverMaxWindowBits: number; threshold: number } = {
    serverMaxWindowBits: 10,
    threshold: 0,
  };
  const first = await start({ perMessageDeflate });
  perMessageDeflate.serverMaxWindowBits = 12;
  const second = await start({ perMessageDeflate });
  for (const [server, bits] of [
    [first, 10],
    [second, 12],
  ] as const) {
    const { headers } = await shake(portOf(server), handshake({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
    expect(headers['sec-websocket-extensions']).toBe(`${NO_TAKEOVER}; server_max_window_bits=${bits}`);
  }
});

test('completeUpgrade is told what was agreed, and headers listeners see it', async () => {
  const seen: unknown[] = [];
  class Telling extends WebSocketServer {
    protected override completeUpgrade(...args: Parameters<WebSocketServer['completeUpgrade']>): void {
      seen.push(args[0].extensions);
      super.completeUpgrade(...args);
    }
  }
  const server = manage(new Telling({ port: 0, host: '127.0.0.1', perMessageDeflate: { clientMaxWindowBits: 9 } }));
  server.on('headers', (lines) => {
    seen.push(lines.find((line) => line.startsWith('Sec-WebSocket-Extensions')));
    lines.push('X-Added: yes');
  });
  await once(server, 'listening');
  const client = await opened(peer(portOf(server), '/', [], { perMessageDeflate: true }));
  expect(client.extensions).toBe('permessage-deflate');
  expect(seen).toEqual([
    [
      {
        name: 'permessage-deflate',
        parameters: [
          ['server_no_context_takeover', true],
          ['client_no_context_takeover', true],
          ['client_max_window_bits', '9'],
        ],
      },
    ],
    `Sec-WebSocket-Extensions: ${NO_TAKEOVER}; client_max_window_bits=9`,
  ]);
});

test('a client that offers it is welcome without', async () => {
  const server = await start();
  const next = connection(server);
  const client = await opened(peer(portOf(server), '/', [], { perMessageDeflate: true }));
  const [socket, message] = [await next, once(client, 'message')];
  socket.send('x'.repeat(5000));
  expect([client.extensions, socket.extensions, String((await message)[0]).length]).toEqual(['', '', 5000]);
});

test.each([true, TAKEOVER, { serverMaxWindowBits: 9, clientMaxWindowBits: 9 }] as Option[])(
  'undici agrees to %j',
  async (perMessageDeflate) => {
    const server = await start({ perMessageDeflate });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data as Buffer, { binary: false })));
    const client = new UndiciSocket(`ws://127.0.0.1:${portOf(server)}`);
    closeLater(() => client.close());
    await new Promise((resolve) => client.addEventListener('open', resolve, { once: true }));
    expect(client.extensions).toContain('permessage-deflate');
    for (const text of ['x'.repeat(5000), '', 'abc'.repeat(20_000), 'x'.repeat(5000)]) {
      const echo = new Promise((resolve) => client.addEventListener('message', resolve, { once: true }));
      client.send(text);
      expect(((await echo) as { data: unknown }).data === text).toBe(true);
    }
  },
);
