import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { once } from 'node:events';
import { createServer, IncomingMessage, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { FirstRequests } from '../src/first-request.js';
import { readRequestHead } from '../src/request-head.js';
import { startAs } from './modes.js';
import { handshake, RawPeer } from './support.js';

// The oracle is Node's http server by itself: with and without FirstRequests in front of it the same bytes do the same.

const SIZE = 1000;
const COUNT = 20;
const LIMITS = { size: SIZE, count: COUNT };
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** All that can be seen of a request, but for its socket. */
function seen(request: IncomingMessage): object {
  const { method, url, httpVersion, httpVersionMajor, httpVersionMinor, rawHeaders, headers, headersDistinct } =
    request;
  const { rawTrailers, trailers, complete, statusCode, statusMessage, readable, destroyed } = request;
  const { readableEnded, readableLength } = request;
  const said = { method, url, httpVersion, httpVersionMajor, httpVersionMinor, rawHeaders, headers, headersDistinct };
  const upgrade = (request as { upgrade?: unknown }).upgrade;
  const state = { complete, readable, destroyed, readableEnded, readableLength, upgrade };
  return { ...said, ...state, rawTrailers, trailers, statusCode, statusMessage };
}

class Wire extends Duplex {
  written = '';
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: unknown, done: () => void): void {
    this.written += chunk.toString('latin1');
    done();
  }
}

/** What comes of a connection with these chunks, in order; `direct`: on Node's server alone. */
async function observe(chunks: readonly Buffer[], direct: boolean): Promise<unknown[]> {
  const events: unknown[] = [];
  const server = createServer({ maxHeaderSize: SIZE }, (request, response) => {
    events.push('request', seen(request));
    request.on('data', (data) => events.push('body', data.toString('latin1')));
    response.sendDate = false;
    response.end('no');
  });
  server.maxHeadersCount = COUNT + 1;
  server.on('upgrade', (request, socket, head) => {
    events.push('upgrade', seen(request), head.toString('latin1'), socket.readableFlowing, request.socket === socket);
    events.push(socket.listenerCount('data'), socket.listenerCount('error'), socket.listenerCount('end'));
    socket.on('data', (data: Buffer) => events.push('behind', data.toString('latin1')));
    socket.on('end', () => events.push('end'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    events.push('clientError', error.code);
    socket.end('wrong');
  });
  const wire = new Wire();
  wire.on('close', () => events.push('close'));
  if (direct) server.emit('connection', wire);
  else new FirstRequests(server, LIMITS).expect(wire as Duplex as Socket);
  for (const chunk of chunks) {
    if (chunk.length > 0 && wire.readable) wire.push(chunk);
    await turn();
  }
  if (wire.readable) wire.push(null);
  await turn();
  await turn();
  const all = [...events, wire.written, wire.writableEnded];
  wire.destroy();
  return all;
}

async function behavesAlike(chunks: readonly Buffer[]): Promise<unknown[]> {
  const [ours, theirs] = [await observe(chunks, false), await observe(chunks, true)];
  expect(ours).toEqual(theirs);
  return ours;
}

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const GOOD = handshake({ Cookie: ['a=1', 'b=2'], 'X-Two': ['1', '2'], Origin: 'http://server.example', Empty: '' });

test('a plain request is read here, and gives what Node makes of it', async () => {
  expect(readRequestHead(latin1(GOOD), LIMITS)).toBeDefined();
  const events = await behavesAlike([latin1(GOOD), latin1('frames')]);
  expect(events[0]).toBe('upgrade');
  expect(events).toContain('behind');
});

test('a request in two pieces, cut anywhere', async () => {
  for (let cut = 1; cut < GOOD.length; cut++) {
    const chunks = [latin1(GOOD.slice(0, cut)), latin1(GOOD.slice(cut))];
    expect(readRequestHead(chunks[0]!, LIMITS)).toBeUndefined();
    expect((await behavesAlike(chunks))[0]).toBe('upgrade');
  }
});

const ODD: [name: string, text: string][] = [
  ['bytes behind the head', `${GOOD}\x81\x80mask`],
  ['a second request behind it', GOOD + GOOD],
  ['a body', handshake({ 'Content-Length': '5' }) + 'hello'],
  ['Content-Length: 0', handshake({ 'Content-Length': '0' })],
  ['two lengths', handshake({ 'Content-Length': ['0', '5'] }) + 'hello'],
  ['chunked', handshake({ 'Transfer-Encoding': 'chunked' }) + '0\r\n\r\n'],
  ['chunked, with a length', handshake({ 'Transfer-Encoding': 'chunked', 'Content-Length': '5' }) + '0\r\n\r\n'],
  ['a blank before the colon', GOOD.replace('Upgrade:', 'Upgrade :')],
  ['a folded line', GOOD.replace('Upgrade: ', 'Upgrade:\r\n ')],
  ['a tab', GOOD.replace('Upgrade: ', 'Upgrade:\t')],
  ['bare LF', GOOD.replaceAll('\r\n', '\n')],
  ['one bare LF', GOOD.replace('\r\n', '\n')],
  ['a bare CR', GOOD.replace('websocket', 'web\rsocket')],
  ['a NUL', GOOD.replace('websocket', 'websocket\0')],
  ['a DEL', GOOD.replace('a=1', 'a=\x7f')],
  ['latin1', GOOD.replace('a=1', 'a=\xe9')],
  ['an empty line before it', `\r\n${GOOD}`],
  ['a fragment', GOOD.replace('GET /', 'GET /#x')],
  ['an odd target', GOOD.replace('GET /', 'GET /?"<>\\^`{|}%zz?')],
  ['a target with a blank', GOOD.replace('GET /', 'GET /a b')],
  ['an absolute target', GOOD.replace('GET /', 'GET http://server.example/')],
  ['another method', GOOD.replace('GET', 'POST')],
  ['CONNECT', GOOD.replace('GET /', 'CONNECT server.example:80')],
  ['HTTP/1.0', GOOD.replace('HTTP/1.1', 'HTTP/1.0')],
  ['HTTP/2.0', GOOD.replace('HTTP/1.1', 'HTTP/2.0')],
  ['http/1.1', GOOD.replace('HTTP/1.1', 'http/1.1')],
  ['two Hosts', handshake({ Host: ['a', 'b'] })],
  ['no Host', handshake({ Host: undefined })],
  ['two Upgrades', handshake({ Upgrade: ['websocket', 'h2c'] })],
  ['another Upgrade', handshake({ Upgrade: 'h2c' })],
  ['no Upgrade', handshake({ Upgrade: undefined })],
  ['two Connections', handshake({ Connection: ['close', 'Upgrade'] })],
  ['Connection: close', handshake({ Connection: 'close' })],
  ['Connection: keep-alive, Upgrade', handshake({ Connection: 'keep-alive, Upgrade' })],
  ['Connection: UPGRADE', handshake({ Connection: 'UPGRADE', Upgrade: 'WebSocket' })],
  ['Connection: close, Upgrade', handshake({ Connection: 'close, Upgrade' })],
  ['Expect', handshake({ Expect: '100-continue' })],
  ['a header without a name', GOOD.replace('Empty:', ':')],
  ['a header without a colon', GOOD.replace('Empty:', 'Empty')],
  ['no blank behind the colon', GOOD.replaceAll(': ', ':')],
  [
    'many blanks',
    GOOD.replaceAll(': ', ':   ').replaceAll('\r\n', '  \r\n').replace('1.1  ', '1.1').slice(0, -4) + '\r\n',
  ],
  ['names of Object.prototype', handshake({ constructor: 'x', hasOwnProperty: 'y' })],
  ['__proto__', GOOD.replace('Empty', '__proto__')],
  ['a large head', handshake({ 'X-Large': 'x'.repeat(SIZE) })],
  ['just below the limit', handshake({ 'X-Large': 'x'.repeat(SIZE - handshake({ 'X-Large': '' }).length - 1) })],
  ['at the limit', handshake({ 'X-Large': 'x'.repeat(SIZE - handshake({ 'X-Large': '' }).length) })],
  ['as many headers as may be', handshake({ 'X-Many': Array<string>(COUNT - 5).fill('x') })],
  ['one more', handshake({ 'X-Many': Array<string>(COUNT - 4).fill('x') })],
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00'],
  ['nothing but the end of a head', '\r\n\r\n'],
  ['an unfinished head', GOOD.slice(0, -2)],
  ['nothing', ''],
];

test.each(ODD)('%s', async (_name, text) => {
  expect(await behavesAlike([latin1(text)])).not.toHaveLength(0);
});

test('any bytes, in any pieces, do what they do on Node alone', async () => {
  let read = 0;
  const line = fc.constantFrom(...GOOD.split('\r\n'), ...ODD.flatMap(([, text]) => text.split('\r\n')).slice(0, 400));
  const end = fc.constantFrom('\r\n', '\r\n', '\r\n', '\r\n', '\n', '\r', ' \r\n');
  const lines = fc
    .array(fc.tuple(line, end), { minLength: 1, maxLength: 12 })
    .map((all) => `${all.flat().join('')}\r\n`);
  const edit = fc.record({
    at: fc.nat(GOOD.length),
    drop: fc.constantFrom(0, 0, 1, 2, 30),
    put: fc.oneof(
      fc.constantFrom('', ' ', '\t', '\r\n', '\n', '\0', ':', ',', 'GET / HTTP/1.1\r\n', '\r\n\r\n'),
      fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)),
    ),
  });
  const edited = fc
    .array(edit, { maxLength: 2 })
    .map((edits) => edits.reduce((text, { at, drop, put }) => text.slice(0, at) + put + text.slice(at + drop), GOOD));
  const cuts = fc.array(fc.nat(GOOD.length), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(
      fc.oneof({ arbitrary: edited, weight: 3 }, lines),
      fc.oneof(fc.constant([]), cuts),
      async (text, at) => {
        const edges = [0, ...at.toSorted((a, b) => a - b), Infinity];
        const chunks = edges.slice(1).map((to, n) => latin1(text.slice(edges[n], to)));
        if (readRequestHead(chunks[0]!, LIMITS)) read++;
        await behavesAlike(chunks);
      },
    ),
    { numRuns: 1500 },
  );
  expect(read).toBeGreaterThan(100); // or it was Node against Node
}, 60_000);

test('where Node has another class of requests, its server reads all of them', async () => {
  const server: Server = createServer();
  const wire = new Wire();
  const connected = once(server, 'connection');
  new FirstRequests(server, LIMITS, false).expect(wire as Duplex as Socket);
  expect(await connected).toEqual([wire]);
  wire.destroy();
});

test('a connection that fails before it has said anything is a client error', async () => {
  const server: Server = createServer();
  const wire = new Wire();
  const failed = once(server, 'clientError');
  new FirstRequests(server, LIMITS).expect(wire as Duplex as Socket);
  const error = new Error('gone');
  wire.destroy(error);
  expect(await failed).toEqual([error, wire]);
});

test('over TCP, on a port of our own and on a server of others: the same request', async () => {
  const requests: IncomingMessage[] = [];
  for (const mode of ['port', 'server'] as const) {
    const { server, port } = await startAs(mode);
    const connected = once(server, 'connection');
    new RawPeer(port).write(GOOD.replace('GET /', 'GET /chat?room=1'));
    const [, request] = (await connected) as [unknown, IncomingMessage];
    expect(request).toBeInstanceOf(IncomingMessage);
    expect(request.constructor).toBe(IncomingMessage);
    expect(request.socket.remoteAddress).toBe('127.0.0.1');
    requests.push(request);
  }
  const [own, other] = requests as [IncomingMessage, IncomingMessage];
  expect(seen(own)).toEqual(seen(other));
  expect(Object.keys(own).toSorted()).toEqual(
    Object.keys(other)
      .filter((key) => key !== 'parser')
      .toSorted(),
  );
  for (const request of requests) {
    for await (const _ of request) throw new Error('a request with a body');
    expect(request.readableEnded).toBe(true);
  }
});
