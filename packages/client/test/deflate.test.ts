import { expect, test } from '@jest/globals';
import { hex } from '@ws/testing';
import { WebSocket, type PerMessageDeflateOptions } from '../src/index.js';
import { ending, first, next, opened, rawServer, switching, type RawRequest } from './peers.js';
import { redirectTo } from './redirects.js';
import { connectTo, requestOf, withOptions } from './requests.js';

/** RFC 7692 §7.2.3.1: "Hello" in one compressed frame, as a server sends it. */
const HELLO = hex`c1 07 f248cdc9c90700`;
/** §7.2.3.2: the same again, as a reference to it. */
const HELLO_AGAIN = hex`c1 05 f200110000`;

const answerWith =
  (extensions: string | undefined, ...frames: Uint8Array[]) =>
  ({ key, socket }: RawRequest): void => {
    socket.write(switching(key, { 'Sec-WebSocket-Extensions': extensions }));
    for (const frame of frames) socket.write(frame);
  };

const OFFERS: [boolean | PerMessageDeflateOptions | undefined, string][] = [
  [undefined, 'permessage-deflate; client_max_window_bits'],
  [true, 'permessage-deflate; client_max_window_bits'],
  [{}, 'permessage-deflate; client_max_window_bits'],
  [{ threshold: 0, zlibDeflateOptions: { level: 9 } }, 'permessage-deflate; client_max_window_bits'],
  [{ clientMaxWindowBits: 9 }, 'permessage-deflate; client_max_window_bits=9'],
  [{ clientMaxWindowBits: false }, 'permessage-deflate'],
  [{ serverNoContextTakeover: true, clientMaxWindowBits: false }, 'permessage-deflate; server_no_context_takeover'],
  [
    { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10, clientMaxWindowBits: 11 },
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=11',
  ],
];

test.each(OFFERS)('WS-048 perMessageDeflate: %j is offered in these bytes', async (perMessageDeflate, value) => {
  const { text } = await withOptions({ perMessageDeflate });
  const lines = text.split('\r\n').filter((line) => line.toLowerCase().startsWith('sec-websocket-extensions'));
  expect(lines).toEqual([`Sec-WebSocket-Extensions: ${value}`]);
});

test('WS-048 perMessageDeflate: false offers nothing, and takes no answer', async () => {
  expect((await withOptions({ perMessageDeflate: false })).headers.has('sec-websocket-extensions')).toBe(false);
  const websocket = await connectTo(answerWith('permessage-deflate'), { perMessageDeflate: false });
  expect((await ending(websocket)).error?.code).toBe('WS_ERR_UNEXPECTED_EXTENSION');
});

test('version 8 offers it too', async () => {
  const { headers } = await withOptions({ protocolVersion: 8 });
  expect(headers.get('sec-websocket-extensions')).toEqual(['permessage-deflate; client_max_window_bits']);
});

const DEMANDS = {
  serverNoContextTakeover: true,
  serverMaxWindowBits: 10,
  clientMaxWindowBits: 11,
  clientNoContextTakeover: false,
};
const FITTING = 'permessage-deflate; server_no_context_takeover; server_max_window_bits=10';

const DEFLATE = 'WS_ERR_INVALID_DEFLATE_PARAMETERS';
const REFUSED: { answer: string; code: string; perMessageDeflate?: PerMessageDeflateOptions }[] = [
  { answer: 'permessage-deflate; client_max_window_bits', code: DEFLATE },
  { answer: 'permessage-deflate; client_max_window_bits=16', code: DEFLATE },
  { answer: 'permessage-deflate; client_max_window_bits=7', code: DEFLATE },
  { answer: 'permessage-deflate; server_max_window_bits=08', code: DEFLATE },
  { answer: 'permessage-deflate; server_max_window_bits', code: DEFLATE },
  { answer: 'permessage-deflate; server_no_context_takeover=true', code: DEFLATE },
  { answer: 'permessage-deflate; server_no_context_takeover; server_no_context_takeover', code: DEFLATE },
  { answer: 'permessage-deflate; unknown', code: DEFLATE },
  { answer: 'permessage-deflate', code: DEFLATE, perMessageDeflate: { serverNoContextTakeover: true } },
  { answer: 'permessage-deflate', code: DEFLATE, perMessageDeflate: { serverMaxWindowBits: 15 } },
  {
    answer: 'permessage-deflate; server_max_window_bits=11',
    code: DEFLATE,
    perMessageDeflate: { serverMaxWindowBits: 10 },
  },
  {
    answer: 'permessage-deflate; client_max_window_bits=15',
    code: DEFLATE,
    perMessageDeflate: { clientMaxWindowBits: false },
  },
  {
    answer: 'permessage-deflate; client_max_window_bits=12',
    code: DEFLATE,
    perMessageDeflate: { clientMaxWindowBits: 11 },
  },
  {
    answer: 'permessage-deflate; client_no_context_takeover',
    code: DEFLATE,
    perMessageDeflate: { clientNoContextTakeover: false },
  },
  { answer: `${FITTING}; client_max_window_bits=12`, code: DEFLATE, perMessageDeflate: DEMANDS },
  { answer: 'permessage-deflate, permessage-deflate', code: 'WS_ERR_INVALID_EXTENSIONS' },
  { answer: 'permessage-deflate; =', code: 'WS_ERR_INVALID_EXTENSIONS' },
  { answer: '', code: 'WS_ERR_INVALID_EXTENSIONS' },
  { answer: 'Permessage-Deflate', code: 'WS_ERR_UNEXPECTED_EXTENSION' },
  { answer: 'permessage-deflate, x', code: 'WS_ERR_UNEXPECTED_EXTENSION' },
];

test.each(REFUSED)('the answer "$answer" to $perMessageDeflate: $code, close 1006', async (row) => {
  let cut: Promise<unknown> | undefined;
  const websocket = await connectTo(
    (request) => {
      cut = next(request.socket, 'close');
      answerWith(row.answer, HELLO)(request);
    },
    { perMessageDeflate: row.perMessageDeflate },
  );
  expect((await ending(websocket)).events).toEqual(['upgrade', `error ${row.code}`, 'close 1006']);
  expect([websocket.readyState, websocket.extensions]).toEqual([WebSocket.CLOSED, '']);
  await cut;
});

const ACCEPTED: { answer: string; perMessageDeflate?: PerMessageDeflateOptions }[] = [
  { answer: 'permessage-deflate' },
  { answer: 'permessage-deflate; client_max_window_bits=8; server_max_window_bits=8' },
  { answer: 'permessage-deflate;client_max_window_bits="15" ; client_no_context_takeover' },
  { answer: `${FITTING}; client_max_window_bits=11`, perMessageDeflate: { ...DEMANDS } },
  { answer: FITTING, perMessageDeflate: { serverNoContextTakeover: true, serverMaxWindowBits: 11 } },
];

test.each(ACCEPTED)('the answer "$answer" to $perMessageDeflate opens it', async ({ answer, perMessageDeflate }) => {
  const websocket = await connectTo(answerWith(answer, HELLO), { perMessageDeflate });
  const message = next(websocket, 'message');
  await opened(websocket);
  expect(websocket.extensions).toBe('permessage-deflate');
  expect((await message).map(String)).toEqual(['Hello', 'false']);
});

test('what the server may refer to follows the answer', async () => {
  const websocket = await connectTo(answerWith('permessage-deflate', HELLO, HELLO_AGAIN));
  const messages: string[] = [];
  websocket.on('message', (data) => messages.push(String(data)));
  await opened(websocket);
  while (messages.length < 2) await next(websocket, 'message');
  expect(messages).toEqual(['Hello', 'Hello']);

  const without = await connectTo(answerWith('permessage-deflate; server_no_context_takeover', HELLO, HELLO_AGAIN));
  expect((await ending(without)).events).toEqual([
    'upgrade',
    'open',
    'message',
    'error WS_ERR_INVALID_DEFLATE_DATA',
    'close 1006',
  ]);
});

test('not agreed, a compressed frame is a fault', async () => {
  const websocket = await connectTo(answerWith(undefined, HELLO));
  expect((await ending(websocket)).events).toEqual(['upgrade', 'open', 'error WS_ERR_UNEXPECTED_RSV_1', 'close 1006']);
  expect(websocket.extensions).toBe('');
});

test('not agreed, nothing is compressed', async () => {
  let websocket: WebSocket | undefined;
  const { received, text } = await requestOf((port) => (websocket = new WebSocket(`ws://127.0.0.1:${port}/`)));
  websocket?.send('x'.repeat(2000));
  const bytes = await received(2008);
  expect([text.includes('permessage-deflate'), bytes[0]]).toEqual([true, 0x81]);
});

test('it is offered again after a redirect, and what counts is the answer to that', async () => {
  const seen: string[] = [];
  const target = await rawServer((request) => {
    seen.push(first(request.headers.get('sec-websocket-extensions') ?? []));
    answerWith('permessage-deflate; client_max_window_bits=9', HELLO)(request);
  });
  const websocket = await connectTo(
    ({ headers, socket }) => {
      seen.push(first(headers.get('sec-websocket-extensions') ?? []));
      socket.write(redirectTo(`ws://127.0.0.1:${target}/`).replace('\r\n', '\r\nSec-WebSocket-Extensions: foo\r\n'));
    },
    { followRedirects: true, perMessageDeflate: { clientMaxWindowBits: 10 } },
  );
  const message = next(websocket, 'message');
  await opened(websocket);
  const offered = 'permessage-deflate; client_max_window_bits=10';
  expect([seen, websocket.extensions, String((await message)[0])]).toEqual([
    [offered, offered],
    'permessage-deflate',
    'Hello',
  ]);
});
