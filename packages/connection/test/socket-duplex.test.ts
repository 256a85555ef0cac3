import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { PassThrough, Readable, Writable, type Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from '@jest/globals';
import { createPair, createWebSocketStream, WebSocket } from '../src/index.js';
import { clientFrame, framesOf, nextTurn, record, recorded, Recorder, tcpPair } from './streams.js';

/** Names of the events of a stream, with the code or text of errors. */
function watch(duplex: Duplex): string[] {
  const events: string[] = [];
  for (const name of ['end', 'finish', 'close']) duplex.on(name, () => events.push(name));
  duplex.on('error', (error: Error & { code?: string }) => events.push(error.code ?? error.message));
  return events;
}

const closed = (duplex: Duplex): Promise<unknown> =>
  new Promise((resolve) => (duplex.closed ? resolve(undefined) : duplex.on('close', resolve)));
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await nextTurn();
};

async function connected(): Promise<{ client: WebSocket; server: WebSocket }> {
  const [near, far] = await tcpPair();
  return { client: WebSocket.from(near, { role: 'client' }), server: WebSocket.from(far, { role: 'server' }) };
}

test('pipes both ways: 20 MB there and back over TCP', async () => {
  const { client, server } = await connected();
  const [near, far] = [createWebSocketStream(client), createWebSocketStream(server)];
  const bytes = randomBytes(20_000_000);
  const parts = Array.from({ length: 400 }, (_, i) => bytes.subarray(i * 50_000, (i + 1) * 50_000));
  far.pipe(far);
  const hash = createHash('sha256');
  let received = 0;
  const sink = new Writable({
    write(chunk: Buffer, _encoding, callback) {
      hash.update(chunk);
      received += chunk.length;
      if (received === bytes.length) near.end();
      callback();
    },
  });
  await Promise.all([
    pipeline(Readable.from(parts), near, { end: false }),
    pipeline(near, sink),
    closed(near),
    closed(far),
  ]);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(await client.closed).toMatchObject({ code: 1005, wasClean: true, bytesUnsent: 0 });
});

describe('writing', () => {
  test.each([
    ['by default', {}, ['binary é', 'binary b', 'binary hi', 'binary ']],
    ['with decodeStrings: false', { decodeStrings: false }, ['text é', 'binary b', 'text 6869', 'text ']],
  ])('%s', async (_name, options, expected) => {
    const { client, server } = createPair();
    const duplex = createWebSocketStream(client, options);
    const messages = record(server, ['message']);
    duplex.write('é');
    duplex.write(Buffer.from('b'));
    duplex.write('6869', 'hex');
    duplex.write('');
    duplex.end();
    await server.closed;
    expect(messages.map(([, data, isBinary]) => `${isBinary ? 'binary' : 'text'} ${String(data)}`)).toEqual(expected);
  });

  test('callbacks come when the data is with the transport, and what waits leaves together', async () => {
    const { socket, stream } = recorded();
    const duplex = createWebSocketStream(socket, { highWaterMark: 8 });
    stream.stalled = [];
    const sent: string[] = [];
    const rooms = ['aaaa', 'bbbb', 'cccc'].map((text) => duplex.write(text, () => sent.push(text)));
    await turns(3);
    expect([rooms, sent, stream.writes]).toEqual([[true, false, false], [], 1]);
    const release = stream.stalled;
    stream.stalled = undefined;
    for (const callback of release) callback();
    await once(duplex, 'drain');
    expect([sent, stream.writes]).toEqual([['aaaa', 'bbbb', 'cccc'], 2]);
    expect(framesOf(stream.bytes).map(({ payload }) => String(payload))).toEqual(['aaaa', 'bbbb', 'cccc']);
  });

  test('a peer that does not read stops the writer', async () => {
    const { client, server } = await connected();
    const duplex = createWebSocketStream(client);
    server.pause();
    let written = 0;
    const source = new Readable({
      read() {
        written += 65_536;
        this.push(Buffer.alloc(65_536));
      },
    });
    source.pipe(duplex);
    let before = -1;
    while (before !== written) {
      before = written;
      await turns(50);
    }
    expect(duplex.writableLength).toBeLessThanOrEqual(65_536 * 2);
    expect(client.bufferedAmount).toBeLessThanOrEqual(65_536 * 2);
    server.resume();
    await once(duplex, 'drain');
    await once(duplex, 'drain');
    source.destroy();
    duplex.destroy();
    await Promise.all([closed(duplex), server.closed]);
  });

  test('waits for the connection', async () => {
    const socket = new WebSocket(null);
    const duplex = createWebSocketStream(socket);
    const events = watch(duplex);
    duplex.resume().write('a');
    duplex.end('b');
    await turns(2);
    const stream = new Recorder();
    socket.setSocket(stream, Buffer.alloc(0), { role: 'server' });
    await once(duplex, 'finish');
    expect(framesOf(stream.bytes).map(({ opcode }) => opcode)).toEqual([2, 2, 8]);
    stream.push(clientFrame(8, ''));
    stream.push(null);
    await closed(duplex);
    expect(events).toEqual(['finish', 'end', 'close']);
  });

  test('after the end of the connection: an error, as send gives it', async () => {
    const { client, server } = createPair();
    const duplex = createWebSocketStream(client);
    const events = watch(duplex);
    duplex.resume();
    server.close();
    await once(duplex, 'end');
    const error = await new Promise((resolve) => duplex.write('late', resolve));
    expect((error as Error).message).toBe('WebSocket is not open: readyState 3 (CLOSED)');
    await closed(duplex);
    expect(events).toEqual(['end', 'WS_ERR_CLOSED', 'close']);
  });

  test('several messages that are too late: one error, every callback', async () => {
    const { client } = createPair();
    const duplex = createWebSocketStream(client);
    const events = watch(duplex);
    client.close();
    duplex.cork();
    const failed = [1, 2, 3].map((i) => new Promise((resolve) => duplex.write(String(i), resolve)));
    duplex.uncork();
    const text = 'WebSocket is not open: readyState 2 (CLOSING)';
    expect((await Promise.all(failed)).map((error) => (error as Error).message)).toEqual([text, text, text]);
    await closed(duplex);
    expect(events).toEqual(['WS_ERR_CLOSED', 'close']);
  });
});

describe('reading', () => {
  test.each([
    ['by default', {}, ['Buffer text', 'Buffer bin', 'Buffer ab', 'Buffer fr', 'Buffer end']],
    ['with encoding', { encoding: 'utf8' }, ['string text', 'string bin', 'string ab', 'string fr', 'string end']],
    [
      'with readableObjectMode',
      { readableObjectMode: true },
      ['string text', 'Buffer bin', 'string ', 'ArrayBuffer [object ArrayBuffer]', 'Array fr', 'string end'],
    ],
  ] as const)('%s', async (_name, options, expected) => {
    const { client, server } = createPair();
    const duplex = createWebSocketStream(server, options);
    const seen: string[] = [];
    duplex.on('data', (chunk: object | string) =>
      seen.push(`${typeof chunk === 'string' ? 'string' : chunk.constructor.name} ${String(chunk)}`),
    );
    for (const message of ['text', Buffer.from('bin'), '']) client.send(message);
    await turns(2);
    server.binaryType = 'arraybuffer';
    client.send(Buffer.from('ab'));
    await turns(2);
    server.binaryType = 'fragments';
    client.send(Buffer.from('fr'));
    client.send('end');
    client.close(1000);
    await once(duplex, 'end');
    expect(seen).toEqual(expected);
  });

  test('characters that are cut into several messages', async () => {
    const { client, server } = createPair();
    const duplex = createWebSocketStream(server, { encoding: 'utf8' });
    const seen: string[] = [];
    duplex.on('data', (text: string) => seen.push(text));
    client.send('text');
    for (const byte of Buffer.from('é€')) client.send(Buffer.from([byte]));
    client.close(1000);
    await once(duplex, 'end');
    expect(seen).toEqual(['text', 'é', '€']);
  });

  test('unread data stops reading from the socket', async () => {
    const { client, server } = createPair({ highWaterMark: 20_000 });
    const duplex = createWebSocketStream(server);
    let arrived = 0;
    server.on('message', () => arrived++);
    for (let i = 0; i < 100; i++) client.send(Buffer.alloc(1000));
    await turns(5);
    expect(arrived).toBeLessThan(20);
    let received = 0;
    for await (const chunk of duplex) {
      received += (chunk as Buffer).length;
      if (received === 100_000) break;
    }
    expect(arrived).toBe(100);
    await server.closed;
  });

  test('a connection that was closed before: what came is lost, the end is there', async () => {
    const { client, server } = createPair();
    client.close();
    await server.closed;
    const duplex = createWebSocketStream(server);
    const events = watch(duplex);
    duplex.resume();
    await once(duplex, 'end');
    duplex.end();
    await closed(duplex);
    expect(events).toEqual(['end', 'finish', 'close']);
  });
});

describe('the end', () => {
  test('end() closes the socket; the stream is closed when the peer has closed too', async () => {
    const { client, server } = createPair();
    const duplex = createWebSocketStream(client);
    const events = watch(duplex);
    duplex.resume().end('last');
    expect(await server.closed).toMatchObject({ code: 1005, wasClean: true });
    await closed(duplex);
    expect(events).toEqual(['finish', 'end', 'close']);
    expect(['message', 'incoming', 'error', 'close', 'open'].map((name) => client.listenerCount(name))).toEqual([
      0, 0, 0, 0, 0,
    ]);
  });

  test.each([
    ['true', {}, ['end']],
    ['false', { allowHalfOpen: false }, ['end', 'finish', 'close']],
  ])('the peer closes, allowHalfOpen: %s', async (_value, options, expected) => {
    const { client, server } = createPair();
    const duplex = createWebSocketStream(client, options);
    const events = watch(duplex);
    duplex.resume();
    server.close(4000);
    await once(duplex, 'end');
    await turns(3);
    expect(events).toEqual(expected);
  });

  test.each([
    ['destroy()', (duplex: Duplex) => duplex.destroy(), ['close']],
    ['destroy(error)', (duplex: Duplex) => duplex.destroy(new Error('mine')), ['mine', 'close']],
  ])('%s terminates the socket', async (_name, destroy, expected) => {
    const { client, server } = createPair();
    const duplex = createWebSocketStream(client);
    const events = watch(duplex);
    destroy(duplex);
    await closed(duplex);
    expect(client.readyState).toBe(WebSocket.CLOSED);
    expect((await server.closed).code).toBe(1006);
    expect(events).toEqual(expected);
  });

  test('an AbortSignal', async () => {
    const { client } = createPair();
    const abort = new AbortController();
    const events = watch(createWebSocketStream(client, { signal: abort.signal }));
    abort.abort();
    await client.closed;
    await nextTurn();
    expect(events).toEqual(['ABORT_ERR', 'close']);
  });

  test('an error of the socket destroys the stream, when the socket is closed; the peer is told', async () => {
    const { socket, stream } = recorded();
    const duplex = createWebSocketStream(socket);
    const events = watch(duplex);
    stream.push(Buffer.from('8300', 'hex'));
    await once(socket, 'error');
    stream.push(null);
    await closed(duplex);
    expect(events).toEqual(['WS_ERR_INVALID_OPCODE', 'close']);
    expect(framesOf(stream.bytes).map(({ opcode }) => opcode)).toEqual([8]);
  });

  const GIVEN_UP = 'WS_ERR_ABORTED';
  test.each([
    ['destroy()', (duplex: Duplex) => duplex.destroy(), GIVEN_UP],
    ['destroy(error)', (duplex: Duplex) => duplex.destroy(new Error('mine')), 'mine'],
    ['close() of the socket', (_duplex: Duplex, socket: WebSocket) => socket.close(), GIVEN_UP],
  ])('while connecting: %s', async (_name, giveUp, expected) => {
    const socket = new WebSocket(null);
    const duplex = createWebSocketStream(socket);
    const events = watch(duplex);
    const written = new Promise((resolve) => duplex.write('waits', resolve));
    giveUp(duplex, socket);
    await closed(duplex);
    expect(await written).toMatchObject({ code: 'WS_ERR_CLOSED' });
    expect(events).toEqual([expected, 'close']);
    expect([socket.listenerCount('open'), socket.listenerCount('error')]).toEqual([0, 0]);
  });
});

test('what the caller cannot change, and what is no socket', () => {
  const { client } = createPair();
  const methods = { read: () => undefined, write: () => undefined, final: () => undefined, destroy: () => undefined };
  const duplex = createWebSocketStream(client, { objectMode: true, writableObjectMode: true, ...methods });
  expect([duplex.readableObjectMode, duplex.writableObjectMode]).toEqual([false, false]);
  duplex.destroy();
  expect(client.readyState).not.toBe(WebSocket.OPEN);
  for (const wrong of [null, undefined, 'x', {}, new PassThrough()]) {
    expect(() => createWebSocketStream(wrong as never)).toThrow(TypeError);
  }
});
