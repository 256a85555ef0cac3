import { once } from 'node:events';
import { describe, expect, test } from '@jest/globals';
import { handshake, next } from '@ws/testing/peer';
import { Connection, createServer, type InStream, setMaxBufferLength } from '../../src/nodejs-websocket/index.js';
import { dial, listening, pair, rawClient, rawPair, rawServed, record, serve, urlOf } from './ends.js';

// Where old libraries disagree: what nodejs-websocket said holds in its adapter.

test('X-01 NW-063 NW-064 a text is a string, a binary message a stream, and no listener gets the form of another library', async () => {
  const { raw, remote } = await rawPair();
  const log: unknown[][] = [];
  remote.on('text', (...args: unknown[]) => log.push(['text', ...args]));
  remote.on('binary', (...args: unknown[]) => log.push(['binary', args.length, typeof (args[0] as InStream).addData]));
  (remote as NodeJS.EventEmitter).on('message', (...args: unknown[]) => log.push(['message', ...args]));
  raw.send(1, 'text').send(2, 'binary').send(9, 'behind');
  await raw.frames(1);
  expect(log).toEqual([
    ['text', 'text'],
    ['binary', 1, 'function'],
  ]);
});

test('X-02 NW-065 a pong is a string, and pings are no events', async () => {
  const { raw, remote } = await rawPair();
  const log = record(remote, ['ping', 'pong']);
  raw.send(9, 'ping').send(10, 'pong');
  await once(remote, 'pong');
  expect(log).toEqual([['pong', 'pong']]);
});

describe('X-03 NW-048 NW-061 close is told once, as closing begins', () => {
  test('by us', async () => {
    const { client } = await pair();
    const log = record(client, ['close']);
    client.close(4000, 'bye');
    expect(log).toEqual([['close', 4000, 'bye']]);
    client.close(4001);
    await client.webSocket!.closed;
    expect(log).toHaveLength(1);
  });
  test('by the peer: at its Close frame, before TCP ends', async () => {
    const { client, raw } = await rawServed();
    raw.send(8, Buffer.of(3, 232), { masked: false });
    expect(await once(client, 'close')).toEqual([1000, '']);
    expect([client.socket.destroyed, client.socket.readableEnded]).toEqual([false, false]);
  });
});

test('X-04 NW-029 NW-060 a new connection is connection of the server, connect of both ends', async () => {
  const server = createServer();
  const log = record(server, ['connection', 'open']);
  await listening(server);
  const client = dial(urlOf(server));
  record(client, ['connect', 'open'], log);
  await once(client, 'connect');
  expect(log.map(([name]) => name)).toEqual(['connection', 'connect']);
});

test('X-06 NW-012 NW-013 its limits are those of its documents', async () => {
  const { client, remote } = await pair();
  for (const { webSocket } of [client, remote]) {
    expect([webSocket!.limits.maxPayload, webSocket!.extensions]).toEqual([2_097_152, '']); // no compression either
    expect(webSocket!.limits.idleTimeout).toBe(false);
  }
  expect(client.beginBinary()!.minSize).toBe(524_288);
});

test('X-07 NW-004 NW-005 no subprotocol unless one is chosen; an empty choice is a 101', async () => {
  for (const options of [{}, { validProtocols: [] }, { validProtocols: ['b'] }, { selectProtocol: () => '' }]) {
    const raw = rawClient(await serve(options), handshake({ 'Sec-WebSocket-Protocol': 'a' }));
    const { line, headers } = await raw.head();
    expect([line, headers['sec-websocket-protocol']]).toEqual(['HTTP/1.1 101 Switching Protocols', undefined]);
  }
});

test('X-08 NW-072 asked for, and not given: an error in its words', async () => {
  const client = dial(urlOf(await serve()), { protocols: ['a'] });
  const log = record(client, ['error', 'close']);
  await next(client, 'close');
  const message = 'Invalid handshake: no protocol was negotiated';
  expect(log).toEqual([
    ['error', expect.objectContaining({ message, code: 'WS_ERR_MISSING_SUBPROTOCOL' })],
    ['close', 1006, ''],
  ]);
});

test('X-09 NW-043 sending where it is not open: an error event, and no exception where somebody listens', async () => {
  const { client } = await pair();
  const connecting = dial(urlOf(await serve()));
  client.close();
  for (const each of [client, connecting]) {
    const log = record(each, ['error']);
    for (const act of [
      () => each.sendText('x'),
      () => each.sendBinary(Buffer.of(1)),
      () => each.sendPing(),
      () => each.beginBinary(),
    ]) {
      expect(act()).toBeUndefined();
    }
    expect(log.map(([, error]) => (error as Error).message)).toEqual(
      Array(4).fill("You can't write to a non-open connection"),
    );
  }
  await once(connecting, 'connect');
});

test('X-10 NW-043 NW-044 sending in the midst of a binary message: an error, and nothing of it is sent', async () => {
  const { client, raw } = await rawServed();
  const log = record(client, ['error']);
  const out = client.beginBinary()!;
  out.write('ab');
  client.sendText('text');
  client.sendBinary(Buffer.from('binary'));
  out.end('c');
  await once(out, 'finish');
  client.sendText('behind');
  const frames = await raw.frames(2);
  expect(frames.map(({ payload }) => payload.toString())).toEqual(['abc', 'behind']);
  expect(log).toHaveLength(2);
});

test('X-13 NW-053 NW-055 the request is known by properties', async () => {
  const server = await serve();
  const arrival = once(server, 'connection') as Promise<unknown[]>;
  dial(urlOf(server, '/a?b'), { extraHeaders: { 'X-Name': 'value' } });
  const args = await arrival;
  expect(args).toEqual([expect.any(Connection)]);
  expect(args[0]).toMatchObject({ path: '/a?b', headers: { 'x-name': 'value' } });
});

test('X-14 NW-024 connections are an array', async () => {
  const { server, remote } = await pair();
  expect(server.connections).toEqual([remote]);
  expect(Array.isArray(server.connections)).toBe(true);
});

test('X-15 NW-046 send takes a string or a Buffer, and throws a TypeError for all else', async () => {
  const { client } = await pair();
  for (const data of [1, null, new Uint8Array(1), ['a'], { a: 1 }])
    expect(() => client.send(data as never)).toThrow(TypeError);
});

test('X-17 NW-076 an offence is a close, and no error', async () => {
  setMaxBufferLength(10);
  try {
    for (const [bytes, code] of [
      ['838000000000', 1002],
      ['828b00000000', 1009],
      ['8181' + '00000000' + 'ff', 1007],
    ] as const) {
      const { raw, remote } = await rawPair();
      const log = record(remote, ['error', 'close']);
      raw.write(Buffer.from(bytes, 'hex'));
      await raw.over();
      await remote.webSocket!.closed;
      expect(log).toEqual([['close', code, '']]);
    }
  } finally {
    setMaxBufferLength(2_097_152);
  }
});

test('X-20 NW-021 listen(port, host, callback)', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => {
    expect(server.listen(0, '127.0.0.1', resolve)).toBe(server);
  });
  const closed = once(server, 'close');
  server.close();
  await closed;
});

test('X-23 NW-061 a Close frame without a code is 1005', async () => {
  const { raw, remote } = await rawPair();
  raw.send(8);
  expect(await once(remote, 'close')).toEqual([1005, '']);
});

test('X-24 NW-048 close() without a code sends none', async () => {
  const { raw, remote } = await rawPair();
  remote.close();
  expect(await raw.frames(1)).toMatchObject([{ opcode: 8, payload: Buffer.alloc(0) }]);
});

test('X-27 NW-064 a message that is cut is not reproduced as a whole one: its stream is destroyed', async () => {
  const { raw, remote } = await rawPair();
  raw.send(2, 'part', { fin: false });
  const [message] = (await once(remote, 'binary')) as [InStream];
  message.resume();
  let hasEnded = false;
  message.on('end', () => {
    hasEnded = true;
  });
  raw.cut();
  expect((await next(message, 'error'))[0]).toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
  expect(hasEnded).toBe(false);
});
