import { expect } from '@jest/globals';
import { createServer } from 'node:net';
import { advisory } from './advisory.js';
import { accepting, hostile, listen, sharedClient } from './victims.js';
import { frame, TEXT, type Head } from './wire.js';

/** A message right behind the answer: nobody may see it. */
const SMUGGLED = frame(TEXT, 'smuggled', { masked: false });

const WRONG: [name: string, reply: (request: Head) => string][] = [
  ['no accept value', (head) => accepting(head, { 'Sec-WebSocket-Accept': undefined })],
  ['an empty accept value', (head) => accepting(head, { 'Sec-WebSocket-Accept': '' })],
  [
    'the accept value of another key',
    (head) => accepting(head, { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }),
  ],
  [
    'the key itself for an accept value',
    (head) => accepting(head, { 'Sec-WebSocket-Accept': head.headers.get('sec-websocket-key') }),
  ],
  [
    'the accept value in capitals',
    (head) =>
      accepting(head).replace(/(accept: )(.*)/i, (_, name: string, value: string) => name + value.toUpperCase()),
  ],
  ['the accept value and more', (head) => accepting(head).replace(/(accept: .*)/i, '$1, a')],
  ['the accept value twice', (head) => accepting(head).replace(/(sec-websocket-accept: .*\r\n)/i, '$1$1')],
  ['no Upgrade', (head) => accepting(head, { Upgrade: undefined })],
  ['an empty Upgrade', (head) => accepting(head, { Upgrade: '' })],
  ['another upgrade', (head) => accepting(head, { Upgrade: 'h2c' })],
  ['a token that only begins so', (head) => accepting(head, { Upgrade: 'websocket2' })],
  ['the token as a part of another', (head) => accepting(head, { Upgrade: 'x-websocket' })],
  ['no Connection', (head) => accepting(head, { Connection: undefined })],
  ['another Connection', (head) => accepting(head, { Connection: 'keep-alive' })],
  ['an extension that nobody offered', (head) => accepting(head, { 'Sec-WebSocket-Extensions': 'foo' })],
  ['a subprotocol that nobody asked for', (head) => accepting(head, { 'Sec-WebSocket-Protocol': 'chat' })],
  ['HTTP/1.0', (head) => accepting(head, { Upgrade: undefined }).replace('HTTP/1.1', 'HTTP/1.0')],
  ['200 with all the headers', (head) => accepting(head).replace('101 Switching Protocols', '200 OK')],
  ['426 with all the headers', (head) => accepting(head).replace('101 Switching Protocols', '426 Upgrade Required')],
  [
    '102 and nothing behind it but the 101 of another',
    (head) => `HTTP/1.1 102 Processing\r\n\r\n${accepting(head, { 'Sec-WebSocket-Accept': 'x' })}`,
  ],
];

advisory('unsolicited-101', (check) => {
  const client = sharedClient();

  for (const [name, reply] of WRONG) {
    check(`${name}: the connection fails, and what is behind it is no message`, async () => {
      const url = await hostile(({ wire, request }) => {
        wire.write(Buffer.concat([Buffer.from(reply(request), 'latin1'), SMUGGLED])).socket.end();
      });
      const ending = await client().outcome({ url });
      expect(ending).toMatchObject({ opened: false, code: 1006, messages: [], events: ['error', 'close'] });
    });
  }

  check('a 101 that is there before the request', async () => {
    const port = await listen(
      createServer((socket) => {
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
        );
        socket.write(SMUGGLED);
      }),
    );
    const ending = await client().outcome({ url: `ws://127.0.0.1:${port}/` });
    expect(ending).toMatchObject({ opened: false, messages: [] });
  });

  check('two answers: the second is frames, and no good ones', async () => {
    const url = await hostile(({ wire, request }) => {
      wire.write(accepting(request) + accepting(request)).socket.end();
    });
    expect(await client().outcome({ url })).toMatchObject({ opened: true, sent: 1002, messages: [] });
  });

  check('the answer to the first request, again after a redirect', async () => {
    let first = '';
    const url = await hostile(({ wire, request }) => {
      if (first === '') {
        first = accepting(request);
        wire.write('HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n');
      } else {
        wire.write(first);
      }
    });
    const ending = await client().outcome({ url, options: { followRedirects: true } });
    expect(ending).toMatchObject({ opened: false, error: 'WS_ERR_INVALID_ACCEPT' });
    expect(ending.redirects).toHaveLength(1);
  });

  check('informational answers without end: `handshakeTimeout` ends them', async () => {
    const url = await hostile(({ wire }) => {
      const flood = setInterval(() => wire.write('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'.repeat(10)), 5);
      wire.socket.on('close', () => clearInterval(flood));
    });
    const ending = await client().outcome({ url, options: { handshakeTimeout: 300 } });
    expect(ending).toMatchObject({ opened: false, error: 'WS_ERR_HANDSHAKE_TIMEOUT' });
  });

  check('an error page without end: it is not read', async () => {
    for (const head of [
      'HTTP/1.1 200 OK\r\n\r\n',
      'HTTP/1.1 500 Oh\r\nContent-Length: 9000000000\r\n\r\n',
      'HTTP/1.1 302 Found\r\n\r\n',
    ]) {
      let sent = 0;
      const url = await hostile(async ({ wire }) => {
        wire.write(head);
        for (; sent < 1 << 30 && !wire.socket.destroyed; sent += 65_536) await wire.push(Buffer.alloc(65_536));
      });
      const ending = await client().outcome({ url, options: { followRedirects: true } });
      expect(ending).toMatchObject({ opened: false, error: 'WS_ERR_UNEXPECTED_STATUS' });
      expect(sent).toBeLessThan(1 << 27);
    }
  });

  check('redirects without end', async () => {
    const url = await hostile(({ wire }) => {
      wire.write('HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n').socket.end();
    });
    const ending = await client().outcome({ url, options: { followRedirects: true, maxRedirects: 5 } });
    expect(ending).toMatchObject({ opened: false, error: 'WS_ERR_TOO_MANY_REDIRECTS' });
    expect(ending.redirects).toHaveLength(5);
  });

  check('redirects to what is no WebSocket', async () => {
    let location = '';
    const url = await hostile(({ wire }) => {
      wire.write(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`).socket.end();
    });
    for (location of [
      'file:///etc/passwd',
      'javascript:alert(1)',
      'ftp://127.0.0.1/',
      'ws://',
      '//',
      'ws://[',
      'ws://127.0.0.1:99999/',
      'ws+unix:',
      'http://a b/',
      'ws://127.0.0.1/#a',
    ]) {
      const ending = await client().outcome({ url, options: { followRedirects: true } });
      expect([location, ending.opened, ending.events]).toEqual([location, false, ['error', 'close']]);
    }
  });

  check('400 headers in the answer, and a required one behind them', async () => {
    const many = Array.from({ length: 400 }, (_, i) => `X${i}: a\r\n`).join('');
    const url = await hostile(({ wire, request }) => {
      wire.write(accepting(request).replace('\r\n', `\r\n${many}`)).socket.end();
    });
    expect(await client().outcome({ url })).toMatchObject({ opened: true });
    const url2 = await hostile(({ wire, request }) => {
      const head = accepting(request, { 'Sec-WebSocket-Accept': undefined });
      wire.write(head.replace('\r\n', `\r\n${many}`)).socket.end();
    });
    expect(await client().outcome({ url: url2 })).toMatchObject({ opened: false, error: 'WS_ERR_INVALID_ACCEPT' });
  });
});
