import { once } from 'node:events';
import {
  ReadableStream,
  WritableStream,
  type ReadableStreamDefaultReader,
  type WritableStreamDefaultWriter,
} from 'node:stream/web';
import { describe, expect, test } from '@jest/globals';
import { WebSocketServer, type WebSocket as Socket } from '@ws/server';
import { WebSocketError, WebSocketStream, type WebSocketOpenInfo, type WebSocketStreamOptions } from '../src/index.js';
import { runModule } from './child.js';
import { atEnd, echoServer, rawServer, switching, wsServer } from './peers.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Opened extends WebSocketOpenInfo {
  readonly stream: WebSocketStream;
  readonly reader: ReadableStreamDefaultReader<string | Uint8Array>;
  readonly writer: WritableStreamDefaultWriter<string | ArrayBuffer | ArrayBufferView>;
}

async function open(url: string | URL, options?: WebSocketStreamOptions): Promise<Opened> {
  const stream = new WebSocketStream(url, options);
  const info = await stream.opened;
  return { ...info, stream, reader: info.readable.getReader(), writer: info.writable.getWriter() };
}

/** A server of ours: the address, and its end of the first connection. */
async function ourServer(): Promise<{ url: string; peer: Promise<Socket> }> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true, maxPayload: 0 });
  await once(server, 'listening');
  atEnd(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const peer = once(server, 'connection').then(([socket]) => socket as Socket);
  return { url: `ws://127.0.0.1:${port}/`, peer };
}

/** How a promise is rejected. */
const rejection = (promise: Promise<unknown>): Promise<WebSocketError> =>
  promise.then(
    () => Promise.reject(new Error('it was resolved')),
    (error: unknown) => error as WebSocketError,
  );
const shape = ({ name, closeCode, reason }: WebSocketError): unknown[] => [name, closeCode, reason];

describe.each(['ws', 'ours'])('a server of %s', (kind) => {
  test('text and binary of every size, there and back', async () => {
    const { url } = kind === 'ws' ? await echoServer() : await echoOfOurs();
    const { stream, readable, writable, reader, writer, extensions } = await open(url);
    expect([readable, writable].map(({ constructor }) => constructor)).toEqual([ReadableStream, WritableStream]);
    for (const size of [0, 1, 125, 65_535, 65_536, 1_000_000]) {
      await writer.write('x'.repeat(size));
      expect((await reader.read()).value).toBe('x'.repeat(size));
      const bytes = new Uint8Array(size).fill(size);
      await writer.write(bytes);
      bytes.fill(0); // it is ours again
      const { value } = await reader.read();
      expect(Buffer.compare(value as Uint8Array, new Uint8Array(size).fill(size))).toBe(0);
      expect((value as Uint8Array).byteLength).toBe((value as Uint8Array).buffer.byteLength);
    }
    expect(extensions).toBe(kind === 'ours' ? 'permessage-deflate' : '');
    stream.close({ closeCode: 4000, reason: 'done' });
    expect(await stream.closed).toEqual({ closeCode: 4000, reason: 'done' });
    expect(await reader.read()).toEqual({ done: true, value: undefined });
  });
});

async function echoOfOurs(): Promise<{ url: string }> {
  const { url, peer } = await ourServer();
  void peer.then((socket) => {
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
  });
  return { url };
}

test('subprotocols, headers and other options of the client; the address', async () => {
  const headers = new Promise((resolve) => {
    void wsServer({ handleProtocols: () => 'b' }, () => undefined).then(({ server, url }) => {
      server.on('connection', (_peer, request) => resolve([request.headers['x-mine'], request.url]));
      const address = new URL(url.replace('ws:', 'http:') + 'path');
      const stream = new WebSocketStream(address, { protocols: new Set(['a', 'b']), headers: { 'x-mine': 'yes' } });
      expect([stream.url, Object.prototype.toString.call(stream)]).toEqual([`${url}path`, '[object WebSocketStream]']);
      void stream.opened.then(({ protocol }) => expect(protocol).toBe('b'));
    });
  });
  expect(await headers).toEqual(['yes', '/path']);
  const { url } = await wsServer({ handleProtocols: () => 'one' });
  expect((await open(url, { protocols: 'one' })).protocol).toBe('one');
});

test('pipes: a request through the writable, the answer out of the readable', async () => {
  const { url } = await echoServer();
  const stream = new WebSocketStream(url);
  const { readable, writable } = await stream.opened;
  const seen: unknown[] = [];
  const sink = new WritableStream<unknown>({
    write(chunk) {
      seen.push(chunk);
      if (seen.length === 3) return Promise.reject(new WebSocketError('enough', { closeCode: 4004, reason: 'enough' }));
      return undefined;
    },
  });
  const source = new ReadableStream<string>({
    start(controller) {
      for (const text of ['a', 'b', 'c']) controller.enqueue(text);
    },
  });
  void source.pipeTo(writable).catch(() => undefined);
  expect(shape(await rejection(readable.pipeTo(sink)))).toEqual(['WebSocketError', 4004, 'enough']);
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(await stream.closed).toEqual({ closeCode: 4004, reason: 'enough' });
});

test('the writable that is closed lets what still comes be read', async () => {
  const { url } = await wsServer({}, (peer) => {
    peer.on('message', () => {
      for (const text of ['1', '2', '3']) peer.send(text);
    });
  });
  const { stream, reader, writer } = await open(url);
  await writer.write('go');
  const closing = writer.close();
  for (const value of ['1', '2', '3']) expect(await reader.read()).toEqual({ done: false, value });
  expect((await reader.read()).done).toBe(true);
  await closing;
  expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
});

test('the writable is closed after the connection was', async () => {
  const { url } = await wsServer({}, (peer) => peer.close(1000));
  const { stream, writer } = await open(url);
  await stream.closed;
  expect((await rejection(writer.close())).name).toBe('TypeError');
  stream.close();
});

describe('back-pressure', () => {
  test('nobody reads: the server stops, and memory is bounded; then all of it comes', async () => {
    const { url, peer } = await ourServer();
    const { stream, reader } = await open(url, { perMessageDeflate: false });
    const server = await peer;
    const part = Buffer.alloc(100_000);
    let sent = 0;
    const reading = { isDone: false };
    for (let quiet = 0; quiet < 50; quiet++) {
      if (server.bufferedAmount === 0 && sent < 1000) {
        server.send(part);
        sent++;
        quiet = 0;
      }
      await nextTurn();
    }
    expect(sent).toBeLessThan(500);
    const before = sent;
    void (async () => {
      while (!reading.isDone) {
        if (server.bufferedAmount === 0) server.send(part, () => sent++);
        await nextTurn();
      }
    })();
    for (let i = 0; i < before + 50; i++) expect((await reader.read()).value).toHaveLength(part.length);
    reading.isDone = true;
    stream.close();
    expect((await stream.closed).closeCode).toBe(1005);
  });

  test.each([
    ['text', 'x'.repeat(20_000)],
    ['small binary', new Uint8Array(10_000)],
    ['large binary', new Uint8Array(100_000)],
  ])('the server does not read: write of %s waits', async (_name, chunk) => {
    const { url, peer } = await ourServer();
    const { stream, writer } = await open(url, { perMessageDeflate: false });
    const server = await peer;
    server.pause();
    let written = 0;
    const state = { isStopped: false };
    const writing = (async () => {
      while (!state.isStopped || written < 10) {
        await writer.write(chunk);
        written++;
      }
      await writer.close();
    })();
    let before = -1;
    while (before !== written) {
      before = written;
      for (let i = 0; i < 50; i++) await nextTurn();
    }
    state.isStopped = true;
    let received = 0;
    server.on('message', () => received++);
    server.resume();
    await writing;
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
    expect(received).toBe(written);
  });

  test.each([
    ['abort() does not wait for the write that does', (opened: Opened) => opened.writer.abort(new Error('mine'))],
    ['the server goes away', (_opened: Opened, server: Socket) => Promise.resolve(server.terminate())],
  ])('%s', async (name, end) => {
    const { url, peer } = await ourServer();
    const opened = await open(url, { perMessageDeflate: false, closeTimeout: 200 });
    const server = await peer;
    server.pause();
    const writing = rejection(
      (async () => {
        for (;;) await opened.writer.write('x'.repeat(100_000));
      })(),
    );
    for (let i = 0; i < 200; i++) await nextTurn();
    await end(opened, server);
    expect((await writing).name).toBe(name.startsWith('abort') ? 'Error' : 'WebSocketError');
    expect(shape(await rejection(opened.stream.closed))).toEqual(['WebSocketError', 1006, '']);
  });
});

test('what came before a cut is read before the error, of which the cause is told', async () => {
  const port = await rawServer(({ key, socket }) => {
    socket.write(switching(key));
    socket.end(Buffer.from('8101618101628300', 'hex'));
  });
  const { stream, reader, writer } = await open(`ws://127.0.0.1:${port}`);
  const error = await rejection(stream.closed);
  expect([...shape(error), (error.cause as { code: string }).code]).toEqual([
    'WebSocketError',
    1006,
    '',
    'WS_ERR_INVALID_OPCODE',
  ]);
  expect([await reader.read(), await reader.read()].map(({ value }) => value)).toEqual(['a', 'b']);
  expect([await rejection(reader.read()), await rejection(reader.closed), await rejection(writer.closed)]).toEqual([
    error,
    error,
    error,
  ]);
});

test('several reads at once are answered in order', async () => {
  const { url } = await wsServer({}, (peer) => {
    for (const text of ['a', 'b', 'c']) peer.send(text);
    peer.close(1000);
  });
  const { reader } = await open(url);
  const results = await Promise.all([1, 2, 3, 4].map(() => reader.read()));
  expect(results.map(({ value }) => value)).toEqual(['a', 'b', 'c', undefined]);
});

test('close() drops what is not read, and does not wait for it', async () => {
  const { url } = await wsServer({}, (peer) => {
    for (let i = 0; i < 100; i++) peer.send(Buffer.alloc(10_000));
  });
  const { stream, reader } = await open(url);
  expect((await reader.read()).value).toHaveLength(10_000);
  for (let i = 0; i < 5; i++) await nextTurn();
  stream.close({ closeCode: 4000 });
  expect(await stream.closed).toEqual({ closeCode: 4000, reason: '' });
  expect((await reader.read()).done).toBe(true);
});

test.each([
  ['cancel()', (opened: Opened, reason: unknown) => opened.reader.cancel(reason)],
  ['abort()', (opened: Opened, reason: unknown) => opened.writer.abort(reason)],
])('%s closes, with code and reason of a WebSocketError', async (_name, end) => {
  for (const [reason, expected] of [
    [undefined, { closeCode: 1005, reason: '' }],
    [new WebSocketError('', { closeCode: 4005, reason: 'why' }), { closeCode: 4005, reason: 'why' }],
  ] as const) {
    const { url } = await wsServer({}, (peer) => {
      for (let i = 0; i < 10; i++) peer.send('x'.repeat(10_000));
    });
    const opened = await open(url);
    await end(opened, reason);
    expect(await opened.stream.closed).toEqual(expected);
  }
});

test.each([
  ['answers with another code', '88020fa6'],
  ['cuts the connection', ''],
])('a cancelled readable, and a peer that %s', async (_name, answer) => {
  const port = await rawServer(({ key, socket, received }) => {
    socket.write(switching(key));
    void received(6).then(() => socket.end(Buffer.from(answer, 'hex')));
  });
  const { stream, reader } = await open(`ws://127.0.0.1:${port}`);
  await reader.cancel();
  if (answer) expect(await stream.closed).toEqual({ closeCode: 4006, reason: '' });
  else expect(shape(await rejection(stream.closed))).toEqual(['WebSocketError', 1006, '']);
});

describe('connecting', () => {
  test('fails: both promises tell, and the cause has its code', async () => {
    const port = await rawServer(({ socket }) => socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'));
    const stream = new WebSocketStream(`ws://127.0.0.1:${port}`);
    const [opened, closed] = [await rejection(stream.opened), await rejection(stream.closed)];
    expect([shape(opened), shape(closed)]).toEqual([
      ['WebSocketError', null, ''],
      ['WebSocketError', 1006, ''],
    ]);
    for (const { cause } of [opened, closed]) expect(cause).toMatchObject({ code: 'WS_ERR_UNEXPECTED_STATUS' });
  });

  test.each([
    ['without a reason', undefined, { name: 'AbortError' }],
    ['with an error', new RangeError('mine'), { name: 'RangeError', message: 'mine' }],
    ['with something else', 'text', { name: 'AbortError', code: 'ABORT_ERR', cause: 'text' }],
  ])('is ended by the signal, %s', async (_name, reason, expected) => {
    const port = await rawServer(() => undefined);
    for (const isBefore of [true, false]) {
      const controller = new AbortController();
      if (isBefore) controller.abort(reason);
      const stream = new WebSocketStream(`ws://127.0.0.1:${port}`, { signal: controller.signal });
      controller.abort(reason);
      expect(await rejection(stream.opened)).toMatchObject(expected);
      expect(await rejection(stream.closed)).toBe(await rejection(stream.opened));
    }
  });

  test('a signal that is aborted later changes nothing, nor one that is aborted as something else fails', async () => {
    const { url } = await echoServer();
    const controller = new AbortController();
    const { reader, writer } = await open(url, { signal: controller.signal });
    controller.abort();
    await writer.write('on');
    expect((await reader.read()).value).toBe('on');

    const late = new AbortController();
    const stream = new WebSocketStream('ws://127.0.0.1:1', { signal: late.signal });
    stream.close();
    late.abort();
    expect(shape(await rejection(stream.opened))).toEqual(['WebSocketError', null, '']);
  });

  test('is given up by close(), and by leaving the block', async () => {
    const port = await rawServer(() => undefined);
    const stream = new WebSocketStream(`ws://127.0.0.1:${port}`);
    stream.close({ closeCode: 4000 });
    expect(shape(await rejection(stream.closed))).toEqual(['WebSocketError', 1006, '']);
    const other = new WebSocketStream(`ws://127.0.0.1:${port}`);
    await other[Symbol.asyncDispose]();
    expect(shape(await rejection(other.opened))).toEqual(['WebSocketError', null, '']);
  });

  test('what the constructor throws', async () => {
    const { url } = await echoServer();
    expect(() => new WebSocketStream('nothing')).toThrow(SyntaxError);
    expect(() => new WebSocketStream(url, { protocols: ['a', 'a'] })).toThrow(SyntaxError);
    expect(() => new WebSocketStream(url, { signal: 1 as never })).toThrow('signal is 1');
    expect(() => new WebSocketStream(url, 'a' as never)).toThrow('options is string, expected an object');
    const { stream } = await open(url, null as never);
    for (const wrong of [{ closeCode: 1001 }, { closeCode: NaN }, { closeCode: null as never }])
      expect(() => stream.close(wrong)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }));
    expect(() => stream.close({ reason: 'é'.repeat(62) })).toThrow(expect.objectContaining({ name: 'SyntaxError' }));
    expect(() => stream.close(1000 as never)).toThrow(TypeError);
    stream.close(null as never);
    expect(await stream.closed).toEqual({ closeCode: 1005, reason: '' });
  });
});

test('WebSocketError', () => {
  const error = new WebSocketError('text', { closeCode: 4000, reason: '\ud800' });
  expect(error).toBeInstanceOf(DOMException);
  expect([error.message, error.code, error.cause, String(error), ...shape(error)]).toEqual([
    'text',
    0,
    undefined,
    'WebSocketError: text',
    'WebSocketError',
    4000,
    '\ufffd',
  ]);
  expect(Object.prototype.toString.call(error)).toBe('[object WebSocketError]');
  expect(shape(new WebSocketError())).toEqual(['WebSocketError', null, '']);
  expect(shape(new WebSocketError('', { reason: 'r' }))).toEqual(['WebSocketError', 1000, 'r']);
});

test('nobody looks at a promise that rejects: the process goes on', async () => {
  const port = await rawServer(({ line, key, socket }) => {
    if (line.includes('refused')) return void socket.destroy();
    socket.write(switching(key));
    setImmediate(() => socket.destroy());
  });
  const { output, status } = await runModule(`
    import { WebSocketStream } from '@ws/client';
    const url = 'ws://127.0.0.1:${port}/';
    await new WebSocketStream(url + 'refused').opened.catch(({ name }) => console.log('opened', name));
    await new WebSocketStream(url + 'refused').closed.catch(({ name }) => console.log('closed', name));
    const cut = new WebSocketStream(url);
    const { readable, writable } = await cut.opened;
    const [reader, writer] = [readable.getReader(), writable.getWriter()];
    await cut.closed.catch(({ closeCode }) => console.log('cut', closeCode));
    new WebSocketStream(url + 'refused');
    new WebSocketStream(url, { signal: AbortSignal.abort() });
    process.on('beforeExit', () => console.log('exit'));
  `);
  expect([output, status]).toEqual(['opened WebSocketError\nclosed WebSocketError\ncut 1006\nexit\n', 0]);
});
