import { describe, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { createPair, WebSocket, type CloseInfo, type Extension } from '../src/index.js';
import { clientFrame, event, framesOf, nextTurn, record, recorded, Recorder, summary, tcpPair } from './streams.js';

const ALL = ['message', 'error', 'closing', 'close'];

describe('K-12, X-03: closing in two steps', () => {
  test.each([
    { args: [] as [number?, string?], code: 1005, reason: '' },
    { args: [1000] as [number?, string?], code: 1000, reason: '' },
    { args: [4999, 'reason é'] as [number?, string?], code: 4999, reason: 'reason é' },
    { args: [3000, Buffer.from('bytes')] as unknown as [number?, string?], code: 3000, reason: 'bytes' },
  ])('close($args)', async ({ args, code, reason }) => {
    const { client, server } = createPair();
    const [ours, theirs] = [record(client, ALL), record(server, ALL)];
    client.close(args[0], args[1]);
    expect(client.readyState).toBe(WebSocket.CLOSING);
    const [info, other] = await Promise.all([client.closed, server.closed]);
    expect(ours).toEqual([
      ['closing', code, reason, 'local'],
      ['close', code, Buffer.from(reason), info],
    ]);
    expect(theirs).toEqual([
      ['closing', code, reason, 'remote'],
      ['close', code, Buffer.from(reason), other],
    ]);
    expect([summary(info), summary(other)]).toEqual([
      [code, true, 'local'],
      [code, true, 'remote'],
    ]);
    expect(await client.closed).toBe(info);
    expect(client.readyState).toBe(WebSocket.CLOSED);
    client.close(1000);
    client.terminate();
    await nextTurn();
    expect(ours).toHaveLength(2);
  });

  test('over TCP: the server ends first, all that was sent before arrives', async () => {
    const [near, far] = await tcpPair();
    const client = WebSocket.from(near, { role: 'client' });
    const server = WebSocket.from(far, { role: 'server' });
    const order: string[] = [];
    near.on('end', () => order.push('client sees the end'));
    far.on('end', () => order.push('server sees the end'));
    const events = record(server, ALL);
    client.send('last words');
    client.close(1001, 'bye');
    await Promise.all([client.closed, server.closed]);
    expect(events.map(([name, value]) => [name, name === 'message' ? String(value) : value])).toEqual([
      ['message', 'last words'],
      ['closing', 1001],
      ['close', 1001],
    ]);
    expect(order).toEqual(['client sees the end', 'server sees the end']);
    expect([near.destroyed, far.destroyed]).toEqual([true, true]);
  });

  test('await using ends it too', async () => {
    const { client, server } = createPair();
    await client[Symbol.asyncDispose]();
    expect([client.readyState, (await server.closed).code]).toEqual([WebSocket.CLOSED, 1005]);
  });

  test.each([
    [1005, undefined, RangeError],
    [1006, undefined, RangeError],
    [2999, undefined, RangeError],
    ['1000', undefined, TypeError],
    [1000, 'x'.repeat(124), RangeError],
    [1000, new Float32Array(2) as never, TypeError],
  ])('close(%p, %p) throws, and the connection stays open', (code, reason, kind) => {
    const { socket } = recorded();
    expect(() => socket.close(code as number, reason)).toThrow(kind);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    socket.close(4000);
    expect(() => socket.close(code as number, reason)).not.toThrow(); // there is nothing to do any more
    socket.terminate();
  });
});

describe('ends without a closing handshake', () => {
  test('terminate', async () => {
    const { client, server } = createPair();
    const events = record(client, ALL);
    client.send('never written');
    client.terminate();
    expect(client.readyState).toBe(WebSocket.CLOSING);
    const info = await client.closed;
    expect(summary(info)).toEqual([1006, false, 'local']);
    expect(info.bytesUnsent).toBe(19);
    expect(events.map(([name]) => name)).toEqual(['close']);
    expect(summary(await server.closed)).toEqual([1006, false, 'transport']);
  });

  test('in the listener of a message: no further message', async () => {
    const { socket, stream } = recorded();
    const events = record(socket, ALL);
    socket.on('message', () => socket.terminate());
    stream.emit('data', Buffer.concat([clientFrame(Opcode.Text, 'a'), clientFrame(Opcode.Text, 'b')]));
    await socket.closed;
    expect(events.map(([name]) => name)).toEqual(['message', 'close']);
  });

  test("the peer's FIN in mid-message", async () => {
    const [near, far] = await tcpPair();
    const server = WebSocket.from(far, { role: 'server' });
    const events = record(server, ALL);
    near.end(clientFrame(Opcode.Text, 'unfinished').subarray(0, 9));
    near.resume();
    const info = await server.closed;
    expect(summary(info)).toEqual([1006, false, 'transport']);
    expect(info).toMatchObject({ sent: null, received: null, error: null, reason: '' });
    expect(info.frames).toEqual([{ direction: 'in', opcode: 1, fin: true, length: 10, at: expect.any(Number) }]);
    expect(Math.abs(info.lastActivity - Date.now())).toBeLessThan(60_000);
    expect(events.map(([name]) => name)).toEqual(['close']);
  });

  test("the peer's RST", async () => {
    const [near, far] = await tcpPair();
    const server = WebSocket.from(far, { role: 'server' });
    const events = record(server, ALL);
    await nextTurn();
    near.resetAndDestroy();
    const info = await server.closed;
    expect(summary(info)).toEqual([1006, false, 'transport']);
    expect(info.error).toMatchObject({ code: 'ECONNRESET' });
    expect(events.map(([name]) => name)).toEqual(['close']);
  });

  test('bytes that the peer never took are counted', async () => {
    const [near, far] = await tcpPair();
    const server = WebSocket.from(far, { role: 'server' });
    far.once('error', () => undefined);
    near.pause();
    for (let i = 0; i < 300; i++) server.send(Buffer.alloc(65_536));
    await nextTurn();
    server.terminate();
    expect((await server.closed).bytesUnsent).toBeGreaterThan(1_000_000);
    near.destroy();
  });

  test('no answer to our Close frame: cut at the close timeout', async () => {
    const { socket } = recorded({ closeTimeout: 1 });
    socket.close(1000);
    const info = await socket.closed;
    expect(summary(info)).toEqual([1006, false, 'timeout']);
    expect([info.sent, info.received]).toEqual([{ code: 1000, reason: '' }, null]);
  });

  test('a peer that answers and never ends TCP', async () => {
    const { socket, stream } = recorded({ closeTimeout: 1 });
    stream.push(clientFrame(Opcode.Close, Buffer.from('03e8', 'hex')));
    expect(summary(await socket.closed)).toEqual([1000, true, 'remote']);
  });
});

describe('faults of the peer', () => {
  const bad = Buffer.from('c180', 'hex');

  test('error where somebody listens, one Close frame, and the end', async () => {
    const { socket, stream } = recorded();
    const events = record(socket, ALL);
    stream.push(Buffer.concat([bad, clientFrame(Opcode.Text, 'no')]));
    await nextTurn();
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    expect(stream.writableEnded).toBe(true);
    stream.push(clientFrame(Opcode.Text, 'no'));
    stream.push(null);
    const info = await socket.closed;
    expect(framesOf(stream.bytes)).toHaveLength(1);
    expect(stream.bytes.readUInt16BE(2)).toBe(1002);
    expect(events.map(([name, value]) => [name, (value as { code?: string }).code ?? value])).toEqual([
      ['closing', 1002],
      ['error', 'WS_ERR_UNEXPECTED_RSV_1'],
      ['close', 1006],
    ]);
    expect(summary(info)).toEqual([1006, false, 'protocol']);
    expect(info).toMatchObject({ sent: { code: 1002 }, received: null, error: { code: 'WS_ERR_UNEXPECTED_RSV_1' } });
  });

  test('B-30: nobody listens: no exception, the reason is in CloseInfo', async () => {
    const { socket, stream } = recorded({ closeTimeout: 1 });
    stream.push(bad);
    const info = await socket.closed;
    expect(info.error).toMatchObject({ code: 'WS_ERR_UNEXPECTED_RSV_1', closeCode: 1002 });
  });

  test('a paused connection that fails is still seen to its end', async () => {
    const { socket, stream } = recorded();
    socket.pause();
    socket.resume();
    stream.push(bad);
    await nextTurn();
    socket.pause();
    stream.push(null);
    expect(summary(await socket.closed)).toEqual([1006, false, 'protocol']);
  });

  test('a listener of error that throws takes nobody else along', async () => {
    const { socket, stream } = recorded();
    socket.on('error', () => {
      throw new Error('mine');
    });
    expect(() => stream.emit('data', bad)).toThrow('mine');
    expect(stream.writableEnded).toBe(true);
    stream.push(null);
    expect((await socket.closed).sent).toEqual({ code: 1002, reason: expect.any(String) });
  });
});

test('a stream that does not destroy itself', async () => {
  const stream = new Recorder({ autoDestroy: false });
  const socket = WebSocket.from(stream, { role: 'server' });
  stream.push(null);
  expect(summary(await socket.closed)).toEqual([1006, false, 'transport']);
});

test('the stream is gone while an extension still has a message: the message comes, then close', async () => {
  let give: () => void = () => undefined;
  const slow: Extension = {
    name: 'x-slow',
    rsv: 4,
    encode: (payload, _fragment, done) => done(null, payload, 0),
    decode(slice, _piece, output, done) {
      give = () => {
        output(slice);
        done(null);
      };
    },
  };
  const { socket, stream } = recorded({ extensions: [slow] });
  expect(socket.extensions).toBe('x-slow');
  const events = record(socket, ALL);
  stream.push(clientFrame(Opcode.Text, 'slow', { rsv: 4 }));
  await nextTurn();
  expect(stream.isPaused()).toBe(true);
  stream.destroy();
  await event(stream, 'close');
  await nextTurn();
  expect(events).toEqual([]);
  give();
  const info: CloseInfo = await socket.closed;
  expect(events.map(([name]) => name)).toEqual(['message', 'close']);
  expect(info.code).toBe(1006);
});

test('createPair carries more than its streams hold, both ways at once', async () => {
  const { client, server } = createPair({ protocol: 'p' });
  expect([client.protocol, server.protocol]).toEqual(['p', 'p']);
  const counts = [0, 0];
  client.on('message', (data) => (counts[0]! += (data as Buffer).length));
  server.on('message', (data) => (counts[1]! += (data as Buffer).length));
  for (let i = 0; i < 50; i++) {
    client.send(Buffer.alloc(100_000));
    server.send(Buffer.alloc(50_000));
  }
  server.close();
  await Promise.all([client.closed, server.closed]);
  expect(counts).toEqual([2_500_000, 5_000_000]);
});

test('no listener is left on the stream, but one for errors that come late', async () => {
  const [near, far] = await tcpPair();
  const counts = (): number[] => ['data', 'end', 'close', 'error'].map((name) => far.listenerCount(name));
  const [data, , close, error = 0] = counts();
  const server = WebSocket.from(far, { role: 'server' });
  const taker = Object.getOwnPropertySymbols(far).find(({ description }) => description === 'taker')!;
  const taken = far as unknown as Record<symbol, unknown>;
  expect(taken[taker]).toBeDefined();
  near.destroy();
  await server.closed;
  await nextTurn();
  expect(counts()).toEqual([data, 0, close, error + 1]); // Node's own listener of the end did nothing
  expect(taken[taker]).toBeUndefined();
});
