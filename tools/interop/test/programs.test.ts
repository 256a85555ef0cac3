import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { endAll, Program, type ImportLines } from './program.js';

afterEach(endAll);

// Programs written for ws 8 run with their import line changed, and print the same.
const SERVER: ImportLines = {
  "import { WebSocketServer } from 'ws';": "import { WebSocketServer } from '@ws/server';",
};
const BOTH: ImportLines = {
  "import { WebSocket, WebSocketServer } from 'ws';": "import { WebSocket, WebSocketServer } from '@ws/server';",
};
const CLIENT: ImportLines = { "import WebSocket from 'ws';": "import { WebSocket } from '@ws/client';" };

/** Runs `scenario` on the program as it was written, and on ours; gives what both printed. */
async function compare(
  name: string,
  imports: ImportLines,
  scenario: (program: Program) => Promise<string[]>,
): Promise<string[]> {
  const theirs = await scenario(Program.start(name, {}));
  const ours = await scenario(Program.start(name, imports));
  expect(ours).toEqual(theirs);
  return ours;
}

/** A client of `ws`, with its messages as they come. */
async function connect(
  url: string,
  protocols: string[] = [],
): Promise<{ socket: WebSocket; next(): Promise<string>; upgrade: IncomingMessage }> {
  const socket = new WebSocket(url, protocols);
  const messages: string[] = [];
  let arrived: () => void = () => undefined;
  socket.on('message', (data, isBinary) => {
    messages.push(`${isBinary ? 'binary' : 'text'} ${data.toString()}`);
    arrived();
  });
  const [[upgrade]] = (await Promise.all([once(socket, 'upgrade'), once(socket, 'open')])) as [
    [IncomingMessage],
    unknown,
  ];
  return {
    socket,
    upgrade,
    async next() {
      while (messages.length === 0) await new Promise<void>((resolve) => (arrived = resolve));
      return messages.shift()!;
    },
  };
}

test('an echo server', async () => {
  const lines = await compare('echo-server.mjs', SERVER, async (program) => {
    const { socket, next } = await connect(`ws://127.0.0.1:${await program.port()}/path?query`);
    socket.send('héllo');
    expect(await next()).toBe('text héllo');
    socket.send(Buffer.alloc(300_000, 'b'));
    expect(await next()).toBe(`binary ${'b'.repeat(300_000)}`);
    socket.send('frag', { fin: false });
    socket.ping('between');
    socket.send('ments');
    expect(await next()).toBe('text fragments');
    socket.close(4000, 'bye');
    return program.end();
  });
  expect(lines).toEqual([
    'connection /path?query',
    'message héllo',
    'sent ',
    'message 300000',
    'sent ',
    'ping between',
    'message fragments',
    'sent ',
    'close 4000 bye',
    'closed',
  ]);
});

test('a broadcast server, with W3C listeners', async () => {
  const lines = await compare('broadcast-server.mjs', BOTH, async (program) => {
    const url = `ws://127.0.0.1:${await program.port()}`;
    const all = [await connect(url), await connect(url), await connect(url)] as const;
    all[0].socket.send('to the others');
    expect([await all[1].next(), await all[2].next()]).toEqual(['text to the others', 'text to the others']);
    all[1].socket.send('and back');
    expect([await all[0].next(), await all[2].next()]).toEqual(['text and back', 'text and back']);
    for (const { socket } of all) {
      socket.close(1000, 'x');
      await once(socket, 'close');
    }
    return program.end();
  });
  expect(lines).toEqual([
    'message to the others true',
    'message and back true',
    'close 1000 x true 2',
    'close 1000 x true 1',
    'close 1000 x true 0',
    'closed',
  ]);
});

test('noServer with two paths beside express', async () => {
  const lines = await compare('two-paths.mjs', SERVER, async (program) => {
    const port = await program.port();
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('hello from express');
    const upper = await connect(`ws://127.0.0.1:${port}/upper?x=1`, ['one', 'two']);
    expect([upper.socket.protocol, upper.upgrade.headers['x-path']]).toEqual(['two', '/upper?x=1']);
    upper.socket.send('shout');
    expect(await upper.next()).toBe('text SHOUT');
    const count = await connect(`ws://127.0.0.1:${port}/count`);
    count.socket.send('12345');
    expect(await count.next()).toBe('text somebody 5');
    count.socket.send('x'.repeat(11));
    const [code] = (await once(count.socket, 'close')) as [number];
    expect(code).toBe(1009);
    const nowhere = new WebSocket(`ws://127.0.0.1:${port}/nowhere`);
    const [error] = (await once(nowhere, 'error')) as [Error];
    expect(error.message).toContain('socket hang up');
    await program.line('close ');
    program.child.send('stop');
    return program.end();
  });
  expect(lines).toEqual(['error WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'close 1006']);
});

/** Redirects twice, notes what arrives, then echoes. */
const http = createServer((request, response) => {
  response.writeHead(request.url === '/gone' ? 410 : 302, request.url === '/gone' ? {} : { location: '/gone' }).end();
});
const wss = new WebSocketServer({ noServer: true });
const seen: unknown[][] = [];
let address = '';

beforeAll(async () => {
  http.on('upgrade', (request, socket, head) => {
    const { authorization, 'x-mine': mine } = request.headers;
    seen.push([request.url, authorization, mine]);
    const location = {
      '/start': '/middle?x',
      '/middle?x': `ws://127.0.0.1:${(http.address() as AddressInfo).port}/end`,
    }[request.url ?? ''];
    if (request.url === '/gone') socket.end('HTTP/1.1 410 Gone\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    else if (location)
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
    else
      wss.handleUpgrade(request, socket, head, (ws) =>
        ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })),
      );
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  address = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(() => {
  http.close();
});

test('compression with all its options', async () => {
  const lines = await compare('compression.mjs', { ...CLIENT, ...SERVER }, (program) => program.end());
  expect(lines).toEqual([
    'headers Sec-WebSocket-Extensions client_max_window_bits=12 client_no_context_takeover permessage-deflate server_max_window_bits=10 server_no_context_takeover',
    'server permessage-deflate',
    'client permessage-deflate',
    'text 5 plain true',
    'text 1023 plain true',
    'text 1024 compressed true',
    'text 42781 compressed true',
    'text 42782 plain true',
    'binary 100000 compressed true',
    'text 0 plain true',
    'text 1000000 compressed true',
    'closed 1000',
  ]);
});

test('a client that follows redirects', async () => {
  const runs = [];
  for (const imports of [{}, CLIENT]) {
    seen.length = 0;
    const lines = await Program.start('client.mjs', imports, [`${address}/start`]).end();
    runs.push({ lines, seen: [...seen] });
  }
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[1]?.lines).toEqual([
    'redirect /middle',
    'redirect /end',
    'upgrade 101',
    'open b /end 1 ""',
    'message 000000000000003f0000803f0000c03f00000040',
    'message something',
    'pong p',
    'close 3000 enough 3',
  ]);
});

test('a client that is refused', async () => {
  const runs = [];
  for (const imports of [{}, CLIENT]) runs.push(await Program.start('client.mjs', imports, [`${address}/gone`]).end());
  expect(runs[1]).toEqual(runs[0]);
  expect(runs[1]).toEqual([
    'unexpected 410',
    'error WebSocket was closed before the connection was established',
    'close 1006  3',
  ]);
});
