import { describe, expect, jest, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { PassThrough } from 'node:stream';
import { createPair, isPeerFault, WebSocket, type ConnectionOptions } from '../src/index.js';
import { clientFrame, event, framesOf, nextTurn, record, recorded, Recorder, summary, tcpPair } from './streams.js';

describe('WS-056: states', () => {
  test('constants on class and instance', () => {
    const { socket } = recorded();
    for (const holder of [WebSocket, socket]) {
      expect([holder.CONNECTING, holder.OPEN, holder.CLOSING, holder.CLOSED]).toEqual([0, 1, 2, 3]);
    }
    socket.terminate();
  });

  test('from CONNECTING to CLOSED', async () => {
    const socket = new WebSocket(null);
    const states = [socket.readyState];
    socket.on('open', () => states.push(socket.readyState));
    socket.on('close', () => states.push(socket.readyState));
    const stream = new Recorder();
    socket.setSocket(stream, Buffer.alloc(0), { role: 'server', protocol: 'chat', requestedProtocols: ['chat', 'x'] });
    socket.close();
    states.push(socket.readyState);
    stream.push(clientFrame(Opcode.Close, ''));
    stream.push(null);
    await socket.closed;
    expect(states).toEqual([0, 1, 2, 3]);
    expect([socket.protocol, socket.requestedProtocols, socket.extensions, socket.url]).toEqual([
      'chat',
      ['chat', 'x'],
      '',
      '',
    ]);
    expect(() => socket.setSocket(new Recorder(), Buffer.alloc(0), { role: 'server' })).toThrow(
      'readyState 3 (CLOSED)',
    );
  });

  test('remoteAddress is what is given, or that of the stream', async () => {
    expect(new WebSocket(null).remoteAddress).toBeUndefined();
    expect(recorded().socket.remoteAddress).toBeUndefined();
    for (const remoteAddress of [undefined, '192.0.2.7']) {
      const [, stream] = await tcpPair();
      const socket = WebSocket.from(stream, { role: 'server', remoteAddress });
      expect(socket.remoteAddress).toBe(remoteAddress ?? '127.0.0.1');
      socket.terminate();
      await socket.closed;
      expect(socket.remoteAddress).toBe(remoteAddress ?? '127.0.0.1');
    }
  });

  test('an address is for @ws/client', () => {
    expect(() => new WebSocket('ws://localhost' as never)).toThrow(/@ws\/client/);
    expect(() => new WebSocket(undefined as never)).toThrow(TypeError);
  });

  test('one stream carries one connection', () => {
    const { stream } = recorded();
    expect(() => WebSocket.from(stream, { role: 'server' })).toThrow(TypeError);
  });

  test('a stream that is gone already', async () => {
    const stream = new Recorder();
    stream.destroy();
    await event(stream, 'close');
    const socket = WebSocket.from(stream, { role: 'client' });
    socket.on('open', () => expect('open').toBe('never'));
    expect(summary(await socket.closed)).toEqual([1006, false, 'transport']);
  });

  test('while connecting', async () => {
    const socket = new WebSocket(null);
    expect(() => socket.send('x')).toThrow('WebSocket is not open: readyState 0 (CONNECTING)');
    expect(() => socket.ping()).toThrow('readyState 0 (CONNECTING)');
    expect(() => socket.pong()).toThrow('readyState 0 (CONNECTING)');
    socket.pause();
    socket.resume();
    expect([socket.isPaused, socket.bufferedAmount, socket.duplex]).toEqual([false, 0, undefined]);
    const events = record(socket, ['open', 'error', 'close']);
    socket.terminate();
    socket.close();
    expect(socket.readyState).toBe(WebSocket.CLOSING);
    const info = await socket.closed;
    expect(summary(info)).toEqual([1006, false, 'local']);
    expect([info.error?.code, isPeerFault(info.error)]).toEqual(['WS_ERR_ABORTED', false]);
    expect(() => socket.createOutgoing()).toThrow(expect.objectContaining({ code: 'WS_ERR_CLOSED' }));
    expect(events.map(([name, value]) => [name, value instanceof Error ? value.message : value])).toEqual([
      ['error', 'WebSocket was closed before the connection was established'],
      ['close', 1006],
    ]);
  });
});

test('names that sockets of ws 8 do not have are for programs to assign: on one socket, and nothing depends on them', async () => {
  const [{ client, server }, { client: other }] = [createPair(), createPair()];
  const names = ['bytesReceived', 'bytesSent', 'closed', 'duplex', 'latency', 'limits', 'messages', 'messagesReceived'];
  names.push('messagesSent', 'offer', 'remoteAddress', 'requestedProtocols', 'stats');
  for (const name of names) Object.assign(client, { [name]: name });
  expect(names.map((name) => (client as never)[name])).toEqual(names);
  expect(Object.keys(client)).toEqual(expect.arrayContaining(names));
  expect([other.stats.messagesSent, other.requestedProtocols, typeof other.offer]).toEqual([0, [], 'function']);
  expect(() => Object.assign(client, { readyState: 3 })).toThrow(TypeError); // which they have

  const heard = event(server, 'message');
  expect(client.send('as ever')).toBe(true);
  expect(String((await heard)[0])).toBe('as ever');
  await client[Symbol.asyncDispose]();
  for await (const message of client) expect(message).toBe('never');
  other.terminate();
});

describe('instanceof', () => {
  test('holds for subclasses, and for another copy of the class', async () => {
    class Mine extends WebSocket {}
    jest.resetModules();
    const copy = (await import('../src/index.js')).WebSocket;
    expect(copy).not.toBe(WebSocket);
    const mine = new Mine(null);
    const theirs = new copy(null);
    expect([
      mine instanceof Mine,
      mine instanceof WebSocket,
      theirs instanceof WebSocket,
      theirs instanceof Mine,
    ]).toEqual([true, true, true, false]);
    for (const other of [null, undefined, 1, {}, () => 1]) expect(other instanceof WebSocket).toBe(false);
  });
});

describe('WS-070: what send takes', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const shared = new SharedArrayBuffer(2);
  new Uint8Array(shared).set([8, 9]);
  const resizable = new (ArrayBuffer as unknown as new (n: number, o: object) => ArrayBuffer)(4, { maxByteLength: 8 });
  const views = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ].map((View) => [View.name, new View(bytes.buffer), [...bytes]] as [string, unknown, number[]]);

  test.each<[string, unknown, number[] | string]>([
    ['string', 'text', 'text'],
    ['number', 12.5, '12.5'],
    ['NaN', NaN, 'NaN'],
    ['undefined', undefined, []],
    ['null', null, []],
    ['Buffer', Buffer.from('ab'), [97, 98]],
    ['a view with an offset', bytes.subarray(2, 4), [3, 4]],
    ['DataView', new DataView(bytes.buffer, 1, 2), [2, 3]],
    ['ArrayBuffer', bytes.buffer, [...bytes]],
    ['SharedArrayBuffer', shared, [8, 9]],
    ['resizable ArrayBuffer', resizable, [0, 0, 0, 0]],
    ['array of bytes', [1, 2], [1, 2]],
    ['empty array', [], []],
    ['array of buffers', [Buffer.from('a'), Uint8Array.of(98)], [97, 98]],
    ['object with valueOf', { valueOf: () => 'v' }, [118]],
    ['Blob', new Blob(['bl', 'ob']), [98, 108, 111, 98]],
    ...views,
  ])('%s', async (_name, data, expected) => {
    const { socket, stream } = recorded();
    socket.send(data as string);
    for (let turns = 0; stream.written.length === 0 && turns < 1000; turns++) await nextTurn();
    const [frame] = framesOf(stream.bytes);
    expect(frame?.opcode).toBe(typeof expected === 'string' ? Opcode.Text : Opcode.Binary);
    expect(typeof expected === 'string' ? String(frame?.payload) : [...(frame?.payload ?? [])]).toEqual(expected);
  });

  test.each<readonly [string, unknown]>([
    ['true', true],
    ['symbol', Symbol('x')],
    ['bigint', 1n],
    ['function', () => 1],
    ['plain object', {}],
    ['object with a length', { length: 1e9 }],
  ])('%s: TypeError, nothing sent', async (_name, data) => {
    const { socket, stream } = recorded();
    expect(() => socket.send(data as never)).toThrow(TypeError);
    if (typeof data === 'function') return; // a callback, for the other two
    expect(() => socket.ping(data as never)).toThrow(TypeError);
    expect(() => socket.pong(data as never)).toThrow(TypeError);
    await nextTurn();
    expect(stream.written).toEqual([]);
  });

  test('binary, fin, mask and the forms of the arguments', async () => {
    const { socket, stream } = recorded();
    const called: unknown[] = [];
    socket.send('bytes', { binary: true });
    socket.send(Buffer.from('text'), { binary: false, mask: true });
    socket.send('a', { fin: false }, (error) => called.push(error ?? null));
    socket.send('b', undefined, (error) => called.push(error ?? null));
    socket.ping((error: unknown) => called.push(error ?? null));
    socket.pong('x', (error: unknown) => called.push(error ?? null));
    socket.ping(1, true, (error) => called.push(error ?? null));
    await nextTurn();
    expect(
      framesOf(stream.bytes).map(({ opcode, fin, payload, maskingKey }) => [opcode, fin, String(payload), maskingKey]),
    ).toEqual([
      [2, true, 'bytes', undefined],
      [1, true, 'text', undefined],
      [1, false, 'a', undefined],
      [0, true, 'b', undefined],
      [9, true, '', undefined],
      [10, true, 'x', undefined],
      [9, true, '1', undefined],
    ]);
    expect(called).toEqual([null, null, null, null, null]);
  });

  test('a Blob that cannot be read is one lost message', async () => {
    const { socket, stream } = recorded();
    const blob = new Blob(['x']);
    blob.arrayBuffer = () => Promise.reject(new Error('unreadable'));
    const error = await new Promise((resolve) => socket.send(blob, resolve));
    blob.arrayBuffer = () => Promise.reject('not even an error'); // eslint-disable-line
    const other = await new Promise((resolve) => socket.send(blob, resolve));
    socket.send('next');
    await nextTurn();
    expect([error, other]).toEqual([expect.objectContaining({ message: 'unreadable' }), expect.any(Error)]);
    expect(framesOf(stream.bytes).map(({ payload }) => String(payload))).toEqual(['next']);
  });

  test('control payloads over 125 bytes', () => {
    const { socket } = recorded();
    expect(() => socket.ping('é'.repeat(63))).toThrow(RangeError);
    expect(() => socket.pong(Buffer.alloc(126))).toThrow(RangeError);
  });

  test('X-09: too late', async () => {
    const { socket } = recorded();
    socket.close();
    const errors: unknown[] = [];
    expect(socket.send('é', (error) => errors.push(error))).toBe(false);
    socket.send(new Blob(['xyz']));
    expect(errors).toEqual([]);
    await nextTurn();
    expect(String(errors[0])).toContain('WebSocket is not open: readyState 2 (CLOSING)');
    expect(isPeerFault(errors[0])).toBe(true);
    let code: string | undefined;
    socket.send('', (error) => (code = error?.code));
    await nextTurn();
    expect(code).toBe('WS_ERR_CLOSED');
    expect(socket.bufferedAmount).toBe(5);
    socket.terminate();
  });
});

describe('binaryType', () => {
  test.each([
    ['nodebuffer', Buffer.from('ab')],
    ['arraybuffer', Uint8Array.of(97, 98).buffer],
    ['fragments', [Buffer.from('ab')]],
  ] as const)('%s', async (binaryType, expected) => {
    const { client, server } = createPair();
    server.binaryType = binaryType;
    expect(server.binaryType).toBe(binaryType);
    client.send(Buffer.from('ab'));
    client.send('text');
    client.send('a', { binary: true, fin: false });
    client.send('b');
    const events = record(server, ['message']);
    while (events.length < 3) await nextTurn();
    expect(events).toEqual([
      ['message', expected, true],
      ['message', Buffer.from('text'), false],
      ['message', expected, true],
    ]);
    client.terminate();
  });

  test('blob', async () => {
    const { client, server } = createPair();
    server.binaryType = 'blob';
    client.send(Buffer.from('ab'));
    const [blob] = (await event(server, 'message')) as [Blob];
    expect(blob).toBeInstanceOf(Blob);
    expect(await blob.text()).toBe('ab');
    client.terminate();
  });

  test('a change in mid-message still gives one whole message', async () => {
    const { socket, stream } = recorded();
    socket.binaryType = 'fragments';
    const events = record(socket, ['message']);
    stream.push(clientFrame(Opcode.Binary, Buffer.alloc(5000, 1), { fin: false }));
    await nextTurn();
    socket.binaryType = 'nodebuffer';
    stream.push(clientFrame(Opcode.Continuation, 'b'));
    await nextTurn();
    expect(events[0]?.[1]).toEqual(Buffer.concat([Buffer.alloc(5000, 1), Buffer.from('b')]));
    socket.terminate();
  });

  test('an unknown one changes nothing', () => {
    const { socket } = recorded();
    socket.binaryType = 'text' as never;
    expect(socket.binaryType).toBe('nodebuffer');
    socket.terminate();
  });
});

describe('WS-080, WS-081, A-34: W3C listeners', () => {
  test('B-24 get events of their own; on… replaces its own listener alone', async () => {
    const { client, server } = createPair();
    const seen: unknown[] = [];
    client.on('message', () => seen.push('emitter'));
    client.onmessage = () => seen.push('replaced');
    const onmessage = ({ type, target, data }: { type: string; target: unknown; data: unknown }): void => {
      seen.push([type, target === client, data]);
    };
    client.onmessage = onmessage;
    client.onopen = function ({ type, target }) {
      seen.push([type, target === client, this === client]);
    };
    client.onclose = ({ type, code, reason, wasClean, info }) =>
      seen.push([type, code, reason, wasClean, info.initiator]);
    expect(client.onmessage).toBe(onmessage);
    server.send('text');
    server.send(Buffer.from('b'));
    server.close(4000, 'ü');
    await client.closed;
    expect(seen).toEqual([
      ['open', true, true],
      'emitter',
      ['message', true, 'text'],
      'emitter',
      ['message', true, Buffer.from('b')],
      ['close', 4000, 'ü', true, 'remote'],
    ]);
    client.onmessage = null;
    expect([client.onmessage, client.onerror, typeof client.onclose, typeof client.onopen]).toEqual([
      null,
      null,
      'function',
      'function',
    ]);
    expect(client.listenerCount('message')).toBe(1);
  });

  test('onerror counts as a listener, and gets error and message', async () => {
    const { socket, stream } = recorded();
    const errors: unknown[] = [];
    socket.onerror = ({ type, error, message }) =>
      errors.push([type, (error as { code?: string }).code, typeof message]);
    expect(typeof socket.onerror).toBe('function');
    stream.push(Buffer.from('ff', 'hex'));
    await nextTurn();
    expect(errors).toEqual([['error', expect.stringMatching(/^WS_ERR_/), 'string']]);
    socket.terminate();
  });

  test('events are of the classes that their names say, and their socket is not logged with them', async () => {
    const { client, server } = createPair();
    Object.assign(client, { self: client }); // JSON.stringify(client) throws
    const events = (['open', 'message', 'error', 'close'] as const).map(
      (type) => new Promise<object>((resolve) => client.addEventListener(type, resolve)),
    );
    client.emit('open');
    server.send('text');
    await events[1];
    client.emit('error', new RangeError('of the program'));
    server.close(4000, 'enough');
    const [open, message, error, close] = await Promise.all(events);
    expect([open, message, error, close].map((each) => [each!.constructor.name, Reflect.get(each!, 'target')])).toEqual(
      [
        ['Event', client],
        ['MessageEvent', client],
        ['ErrorEvent', client],
        ['CloseEvent', client],
      ],
    );
    expect(JSON.stringify([open, message])).toBe('[{"type":"open"},{"type":"message","data":"text"}]');
    expect({ ...error }).toEqual({ type: 'error', error: new RangeError('of the program'), message: 'of the program' });
    expect(JSON.parse(JSON.stringify(close))).toMatchObject({
      type: 'close',
      code: 4000,
      reason: 'enough',
      wasClean: true,
    });
  });

  test('addEventListener: once, handleEvent, the same listener once, removal, unknown types', async () => {
    const { client, server } = createPair();
    const seen: string[] = [];
    const listener = (): void => void seen.push('function');
    const object = { handleEvent: ({ data }: { data: unknown }) => void seen.push(`object ${String(data)}`) };
    client.addEventListener('message', listener);
    client.addEventListener('message', listener);
    client.addEventListener('message', object);
    client.addEventListener('message', () => seen.push('once'), { once: true });
    client.addEventListener('fancy' as 'message', listener);
    client.onmessage = listener;
    expect([client.listenerCount('message'), client.listenerCount('fancy' as never)]).toEqual([4, 0]);
    server.send('1');
    await event(client, 'message');
    client.removeEventListener('message', listener);
    client.removeEventListener('message', listener);
    client.removeEventListener('fancy' as 'message', listener);
    server.send('2');
    await event(client, 'message');
    expect(seen).toEqual(['function', 'object 1', 'once', 'function', 'object 2', 'function']);
    client.terminate();
  });
});

describe('pause and resume', () => {
  test('no event while paused; the peer feels it; all comes after, and the ping overtakes what waits', async () => {
    const [near, far] = await tcpPair();
    const client = WebSocket.from(near, { role: 'client' });
    const server = WebSocket.from(far, { role: 'server' });
    server.pause();
    server.pause();
    const events = record(server, ['message', 'ping']);
    const count = 800;
    for (let i = 0; i < count; i++) client.send(Buffer.alloc(65_536, i));
    client.ping();
    for (let i = 0; i < 50; i++) await nextTurn();
    expect([events.length, server.isPaused]).toEqual([0, true]);
    expect(client.bufferedAmount).toBeGreaterThan(10_000_000);
    server.resume();
    server.resume();
    while (events.length <= count) await nextTurn();
    const names = events.map(([name]) => name);
    expect(names.filter((name) => name === 'message')).toHaveLength(count);
    expect(names.indexOf('ping')).toBeLessThan(count);
    client.terminate();
  });

  test('within a message stops before the next', async () => {
    const { socket, stream } = recorded();
    const events = record(socket, ['message']);
    socket.once('message', () => socket.pause());
    stream.push(Buffer.concat([clientFrame(Opcode.Text, 'a'), clientFrame(Opcode.Text, 'b')]));
    await nextTurn();
    await nextTurn();
    expect(events).toHaveLength(1);
    socket.resume();
    expect(events).toHaveLength(2);
    socket.terminate();
  });

  test('the end of the stream waits for what is parsed later', async () => {
    const { socket, stream } = recorded();
    const events = record(socket, ['message', 'close']);
    socket.once('message', () => socket.pause());
    stream.push(Buffer.concat([clientFrame(Opcode.Text, 'a'), clientFrame(Opcode.Text, 'b')]));
    stream.push(null);
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(events).toHaveLength(1);
    socket.resume();
    await socket.closed;
    expect(events.map(([name]) => name)).toEqual(['message', 'message', 'close']);
  });

  test('nothing to pause once closed', async () => {
    const { socket } = recorded();
    socket.terminate();
    await socket.closed;
    socket.pause();
    expect(socket.isPaused).toBe(false);
  });
});

test('allowSynchronousEvents: false gives one event a turn', async () => {
  const { socket, stream } = recorded({ allowSynchronousEvents: false });
  const log: string[] = [];
  for (const name of ['message', 'ping', 'pong'] as const) {
    socket.on(name, () => {
      log.push(name);
      void Promise.resolve().then(() => log.push('microtask'));
    });
  }
  const wire = [
    clientFrame(Opcode.Text, 'a'),
    clientFrame(Opcode.Ping, 'b'),
    clientFrame(Opcode.Pong, 'c'),
    clientFrame(Opcode.Binary, 'd'),
  ];
  stream.push(Buffer.concat(wire));
  stream.push(null);
  await socket.closed;
  expect(log).toEqual(['message', 'microtask', 'ping', 'microtask', 'pong', 'microtask', 'message', 'microtask']);
});

test('what a message listener throws leaves the connection working', async () => {
  const { socket, stream } = recorded();
  const events = record(socket, ['message']);
  socket.once('message', () => {
    throw new Error('mine');
  });
  const chunk = Buffer.concat([clientFrame(Opcode.Text, 'a'), clientFrame(Opcode.Text, 'b')]);
  expect(() => stream.emit('data', chunk)).toThrow('mine');
  await nextTurn();
  stream.emit('data', clientFrame(Opcode.Text, 'c'));
  expect(events.map(([, data]) => String(data))).toEqual(['a', 'b', 'c']);
  socket.terminate();
});

test('what was sent is written before somebody has the stream, and may end or destroy it', async () => {
  for (const end of ['end', 'destroy'] as const) {
    const [near, far] = await tcpPair();
    const socket = WebSocket.from(near, { role: 'client' });
    const peer = WebSocket.from(far, { role: 'server' });
    const told = record(peer, ['message']);
    socket.send('last words');
    socket.duplex![end]();
    await Promise.all([socket.closed, peer.closed]);
    expect(told.map(([, data]) => String(data))).toEqual(['last words']);
  }
});

test('the attributes of browsers are enumerable', () => {
  const { socket } = recorded();
  const names = [];
  for (const name in socket) names.push(name);
  const state = ['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url'];
  const events = ['onopen', 'onmessage', 'onclose', 'onerror', 'addEventListener', 'removeEventListener'];
  expect(names).toEqual(expect.arrayContaining([...state, ...events]));
  socket.terminate();
});

test("a program may emit 'close' itself, without info", () => {
  const { socket } = recorded();
  const told: unknown[] = [];
  socket.onclose = ({ code, reason, wasClean }) => void told.push(code, reason, wasClean);
  (socket.emit as (...told: unknown[]) => boolean)('close', 4000, Buffer.from('mine'));
  expect(told).toEqual([4000, 'mine', false]);
  socket.terminate();
});

test('head comes first; another Duplex keeps its bytes', async () => {
  const stream = new PassThrough();
  const head = clientFrame(Opcode.Text, 'head');
  const next = clientFrame(Opcode.Binary, 'next');
  const copies = [Buffer.from(head), Buffer.from(next)];
  stream.write(next);
  const socket = WebSocket.from(stream, { role: 'server', head });
  const events = record(socket, ['open', 'message']);
  while (events.length < 3) await nextTurn();
  expect(events.map(([name, data]) => [name, String(data)])).toEqual([
    ['open', 'undefined'],
    ['message', 'head'],
    ['message', 'next'],
  ]);
  expect([head, next]).toEqual(copies);
  socket.terminate();
});

describe('options', () => {
  test.each<[keyof ConnectionOptions, unknown, typeof RangeError]>([
    ['maxPayload', -1, RangeError],
    ['memoryLimit', -1, RangeError],
    ['memoryLimit', {}, TypeError],
    ['maxPayload', 1.5, RangeError],
    ['maxPayload', '1', TypeError],
    ['maxPayload', true, TypeError],
    ['maxFragments', NaN, RangeError],
    ['maxBufferedChunks', null, TypeError],
    ['closeTimeout', -1, RangeError],
    ['closeTimeout', 2 ** 31, RangeError],
    ['waitForTcpClose', 0, TypeError],
    ['highWaterMark', 'x', TypeError],
    ['autoPong', 1, TypeError],
    ['allowSynchronousEvents', 'yes', TypeError],
    ['skipUTF8Validation', null, TypeError],
    ['strictLength', 0, TypeError],
    ['generateMask', 5, TypeError],
  ])('%s: %p is named', (name, value, kind) => {
    const attempt = (): WebSocket => new WebSocket(null, undefined, { [name]: value });
    expect(attempt).toThrow(kind);
    expect(attempt).toThrow(new RegExp(`^${name} is `));
  });

  test.each([0, false, Infinity] as const)('%p is no limit', async (none) => {
    const { client, server } = createPair({
      maxPayload: none,
      maxFragments: none,
      maxBufferedChunks: none,
      closeTimeout: none,
      highWaterMark: 0,
    });
    client.send('x', { fin: false });
    client.send('y');
    const [data] = await event(server, 'message');
    expect(String(data)).toBe('xy');
    client.terminate();
  });

  test('strictLength: false and skipUTF8Validation: true', async () => {
    const { socket, stream } = recorded({ strictLength: false, skipUTF8Validation: true });
    stream.push(Buffer.from('81fe0001 00000000 ff'.replaceAll(' ', ''), 'hex'));
    const [data] = await event(socket, 'message');
    expect(data).toEqual(Buffer.from('ff', 'hex'));
    socket.terminate();
  });
});
