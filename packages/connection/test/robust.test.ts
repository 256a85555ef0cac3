import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { Socket } from 'node:net';
import { encodeFrame, Opcode } from '@ws/frame';
import { collectGarbage } from '@ws/testing';
import { createPair, WebSocket, type Extension, type Failure } from '../src/index.js';
import { clientFrame, event, framesOf, nextTurn, record, recorded, Recorder, summary, tcpPair } from './streams.js';

const failure = (code: string, closeCode: number): Failure => Object.assign(new Error(code), { code, closeCode });

/** An extension on RSV1 whose every answer the test gives. */
function manual(): Extension & { answer: (error?: Failure) => void } {
  const extension: Extension & { answer: (error?: Failure) => void } = {
    name: 'x-manual',
    rsv: 4,
    answer: () => undefined,
    encode: (payload, _fragment, done) => done(null, payload, 0),
    decode(slice, _piece, output, done) {
      extension.answer = (error) => {
        if (!error) output(slice);
        done(error ?? null);
      };
    },
  };
  return extension;
}

const settle = async (turns = 10): Promise<void> => {
  for (let i = 0; i < turns; i++) await nextTurn();
};

describe('messages, Close frame and FIN in one go, while events are held', () => {
  const words = ['a', 'b', 'c', 'd'];
  const burst = Buffer.concat([
    ...words.map((text) => Buffer.from(encodeFrame({ opcode: Opcode.Text }, Buffer.from(text)))),
    Buffer.from('880203e8', 'hex'),
  ]);

  test('by pause after each message: all come, then close', async () => {
    const [near, far] = await tcpPair();
    near.allowHalfOpen = false; // as client sockets are
    const socket = WebSocket.from(near, { role: 'client' });
    const events = record(socket, ['message', 'close']);
    socket.on('message', () => {
      socket.pause();
      setImmediate(() => setImmediate(() => socket.resume()));
    });
    far.resume();
    far.end(burst);
    await socket.closed;
    expect(events.map(([name, value]) => (name === 'message' ? String(value) : value))).toEqual([...words, 1000]);
  });

  test('by allowSynchronousEvents: false', async () => {
    const [near, far] = await tcpPair();
    near.allowHalfOpen = false;
    const socket = WebSocket.from(near, { role: 'client', allowSynchronousEvents: false });
    const events = record(socket, ['message', 'close']);
    far.resume();
    far.end(burst);
    await socket.closed;
    expect(events.map(([name, value]) => (name === 'message' ? String(value) : value))).toEqual([...words, 1000]);
  });
});

describe('an extension that answers late', () => {
  test.each(['terminate', 'an error', 'the stream breaks'])('%s meanwhile: close comes', async (what) => {
    const extension = manual();
    const { socket, stream } = recorded({ extensions: [extension], closeTimeout: 1 });
    const events = record(socket, ['message', 'error', 'close']);
    stream.push(clientFrame(Opcode.Text, 'x', { rsv: 4 }));
    await nextTurn();
    if (what === 'terminate') socket.terminate();
    else if (what === 'an error') extension.answer(failure('WS_ERR_X', 1007));
    else stream.destroy();
    if (what === 'the stream breaks') {
      await settle();
      socket.pause(); // nobody will resume it
      extension.answer();
    }
    const info = await socket.closed;
    extension.answer();
    expect(events.map(([name]) => name)).toEqual(
      { terminate: ['close'], 'an error': ['error', 'close'], 'the stream breaks': ['message', 'close'] }[what],
    );
    expect(info.wasClean).toBe(false);
  });

  test('an encoder that throws, or fails, ends its own connection in time', async () => {
    for (const encode of [
      (): void => {
        throw failure('WS_ERR_X', 1011);
      },
      ((_payload, _fragment, done) =>
        setImmediate(() => done(failure('WS_ERR_X', 1011), Buffer.alloc(0), 0))) as Extension['encode'],
    ]) {
      const { socket, stream } = recorded({ extensions: [{ ...manual(), encode }], closeTimeout: 1 });
      const errors: unknown[] = [];
      socket.send('x', (error) => errors.push(error));
      const info = await socket.closed;
      expect([info.error, info.sent?.code, errors.length]).toEqual([
        expect.objectContaining({ code: 'WS_ERR_X' }),
        1011,
        1,
      ]);
      expect(framesOf(stream.bytes).map(({ opcode }) => opcode)).toEqual([Opcode.Close]);
    }
  });

  test('a second answer counts for nothing', async () => {
    const twice: Extension = {
      ...manual(),
      rsv: 0,
      encode(payload, _fragment, done) {
        done(null, payload, 0);
        done(null, payload, 0);
      },
      decode(slice, _piece, output, done) {
        output(slice);
        done(null);
        done(failure('WS_ERR_X', 1011));
      },
    };
    const { socket, stream } = recorded({ extensions: [twice] });
    const events = record(socket, ['message', 'error']);
    socket.send('x');
    stream.push(clientFrame(Opcode.Text, 'y'));
    await settle();
    expect([framesOf(stream.bytes).length, events.map(([name]) => name)]).toEqual([1, ['message']]);
    socket.terminate();
  });

  test('a decoder that throws fails the connection', async () => {
    const broken: Extension = {
      ...manual(),
      decode() {
        throw failure('WS_ERR_X', 1011);
      },
    };
    const { socket, stream } = recorded({ extensions: [broken], closeTimeout: 1 });
    stream.push(clientFrame(Opcode.Text, 'x', { rsv: 4 }));
    expect((await socket.closed).error).toMatchObject({ code: 'WS_ERR_X' });
  });

  test('what one extension makes of a message is limited before the next sees it', async () => {
    let seen = 0;
    const spy: Extension = {
      ...manual(),
      rsv: 0,
      decode: (slice, _piece, _output, done) => ((seen = slice.length), done(null)),
    };
    const bomb: Extension = {
      ...manual(),
      decode(_slice, _piece, output, done) {
        for (let i = 0; i < 100; i++) output(Buffer.alloc(1000));
        done(null);
      },
    };
    const { socket, stream } = recorded({ extensions: [spy, bomb], maxPayload: 1500, closeTimeout: 1 });
    stream.push(clientFrame(Opcode.Binary, 'x', { rsv: 4 }));
    expect((await socket.closed).error).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
    expect(seen).toBe(0);
  });
});

test('a listener that throws in resume() stops nothing else', async () => {
  const { socket, stream } = recorded();
  const events = record(socket, ['message']);
  socket.once('message', () => {
    throw new Error('mine');
  });
  socket.pause();
  stream.emit('data', Buffer.concat(['a', 'b'].map((text) => clientFrame(Opcode.Text, text))));
  expect(() => socket.resume()).toThrow('mine');
  stream.push(clientFrame(Opcode.Text, 'c'));
  await settle();
  expect(events.map(([, data]) => String(data))).toEqual(['a', 'b', 'c']);
  socket.terminate();
});

describe('back-pressure is felt to its end', () => {
  test('a ping held back by what was written without a report is answered', async () => {
    const { socket, stream } = recorded();
    stream.stalled = [];
    expect(socket.send(Buffer.alloc(65_500))).toBe(true);
    await nextTurn();
    let drains = 0;
    socket.on('drain', () => drains++);
    for (let i = 0; i < 20; i++) stream.emit('data', clientFrame(Opcode.Ping, `${i}`));
    for (let i = 0; i < 100 && stream.stalled; i++) {
      const [done] = stream.stalled.splice(0, 1);
      done?.();
      await nextTurn();
    }
    const pongs = framesOf(stream.bytes).filter(({ opcode }) => opcode === Opcode.Pong);
    expect(String(pongs.at(-1)?.payload)).toBe('19');
    expect(pongs.length).toBeLessThan(20);
    expect(drains).toBe(0); // no send returned false
    socket.terminate();
  });

  test('drain comes also when what was over the mark is not sent after all', async () => {
    const { socket } = recorded({ highWaterMark: 10 });
    const blob = new Blob(['x'.repeat(100)]);
    blob.arrayBuffer = () => Promise.reject(new Error('unreadable'));
    const drained = event(socket, 'drain');
    expect(socket.send(blob)).toBe(false);
    await drained;
    socket.terminate();
  });
});

describe('memory', () => {
  test('a socket whose class keeps its chunks gets some that nobody writes to again', async () => {
    const kept: Buffer[] = [];
    class Keeping extends Socket {
      override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
        kept.push(chunk);
        callback();
      }
    }
    const socket = WebSocket.from(new Keeping(), { role: 'server' });
    for (const text of ['first', 'SECOND']) {
      socket.send(text);
      await nextTurn();
    }
    expect(framesOf(Buffer.concat(kept)).map(({ payload }) => String(payload))).toEqual(['first', 'SECOND']);
    socket.terminate();
  });

  test('a reader that is behind holds what was sent to it, not the slabs it was built in', async () => {
    const slow = recorded();
    slow.stream.stalled = [];
    const busy = recorded();
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1000; i++) {
      slow.socket.send('tiny');
      busy.socket.send(Buffer.alloc(16_000));
      await nextTurn();
    }
    busy.stream.written.length = 0;
    expect(slow.socket.bufferedAmount).toBeLessThan(10_000);
    collectGarbage();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_000_000);
    for (const { socket } of [slow, busy]) socket.terminate();
  });

  test('many writes in flight with callbacks take linear time', async () => {
    const { socket, stream } = recorded();
    stream.stalled = [];
    let called = 0;
    const count = 150_000;
    for (let i = 0; i < count; i++) {
      socket.send('x', () => called++);
      if (i % 100 === 0) await Promise.resolve();
    }
    await nextTurn();
    while (stream.stalled.length > 0) stream.stalled.splice(0).forEach((done) => done());
    stream.stalled = undefined;
    await settle();
    expect(called).toBe(count);
    socket.terminate();
  });
});

describe('what is told of the end is what was', () => {
  test('close() after terminate() and after the peer’s FIN: no closing handshake that never was', async () => {
    for (const end of ['terminate', 'FIN']) {
      const { socket, stream } = recorded();
      const events = record(socket, ['closing']);
      if (end === 'terminate') {
        socket.terminate();
      } else {
        stream.push(null);
        await event(stream, 'end');
      }
      socket.close(1000, 'late');
      socket.close(1006); // as a relay does whose other side was cut
      const info = await socket.closed;
      expect([info.sent, events.length, framesOf(stream.bytes).length]).toEqual([null, 0, 0]);
    }
  });

  test('a Close frame that never left makes no clean end', async () => {
    const { socket, stream } = recorded({ closeTimeout: 1 });
    stream.stalled = [];
    socket.send('first');
    await nextTurn();
    stream.push(clientFrame(Opcode.Close, Buffer.from('03e8', 'hex')));
    const info = await socket.closed;
    expect([info.code, info.wasClean, info.bytesUnsent > 0]).toEqual([1000, false, true]);
  });

  test('the peer’s FIN starts the clock: a half-open peer that does not read is cut', async () => {
    const { socket, stream } = recorded({ closeTimeout: 1 });
    stream.stalled = [];
    socket.send(Buffer.alloc(100_000));
    stream.push(null);
    const info = await socket.closed;
    expect(summary(info)).toEqual([1006, false, 'transport']);
    expect(info.bytesUnsent).toBeGreaterThan(99_999);
  });

  test('a stream that had ended before', async () => {
    const stream = new Recorder({ allowHalfOpen: true });
    stream.push(null);
    stream.resume();
    await event(stream, 'end');
    expect(summary(await WebSocket.from(stream, { role: 'server' }).closed)).toEqual([1006, false, 'transport']);
  });

  test('a stream that breaks and does not destroy itself', async () => {
    const stream = new Recorder({ autoDestroy: false });
    const socket = WebSocket.from(stream, { role: 'server' });
    stream.emit('error', new Error('broken'));
    expect((await socket.closed).error).toMatchObject({ message: 'broken' });
  });

  test('a closing listener that throws does not swallow the error event', async () => {
    const { socket, stream } = recorded({ closeTimeout: 1 });
    const events = record(socket, ['error']);
    socket.on('closing', () => {
      throw new Error('mine');
    });
    expect(() => stream.emit('data', Buffer.from('ff', 'hex'))).toThrow('mine');
    await socket.closed;
    expect(events).toHaveLength(1);
  });
});

describe('as in ws 8', () => {
  test('what was sent before terminate() still goes to the stream', async () => {
    const [near, far] = await tcpPair();
    const server = WebSocket.from(far, { role: 'server' });
    const events = record(server, ['message']);
    const client = WebSocket.from(near, { role: 'client' });
    client.send('bye');
    client.terminate();
    await server.closed;
    expect(events.map(([, data]) => String(data))).toEqual(['bye']);
  });

  test.each([
    {
      from: 'the program itself',
      sends: `WebSocket.from(stream, { role: 'client' }).send('report'); process.exit(0);`,
    },
    {
      from: 'a listener',
      sends: `WebSocket.from(stream, { role: 'client' }).on('message', function () { this.send('report'); process.exit(0); });`,
    },
    {
      from: 'a listener that has another connection go on',
      sends: `
        const { client: other } = createPair();
        other.pause();
        WebSocket.from(stream, { role: 'client' }).on('message', function () { this.send('report'); other.resume(); process.exit(0); });`,
    },
  ])('what was sent before process.exit() goes out too, from $from', ({ sends }) => {
    const program = `
      import { createServer, connect } from 'node:net';
      import { once } from 'node:events';
      import { createPair, WebSocket } from '@ws/connection';
      if (process.argv[1] === 'child') {
        const stream = connect(Number(process.argv[2]), '127.0.0.1');
        await once(stream, 'connect');
        ${sends}
      }`;
    const parent = `
      ${program}
      import { spawn } from 'node:child_process';
      const listener = createServer((stream) => {
        const socket = WebSocket.from(stream, { role: 'server' });
        socket.on('message', (data) => console.log('got ' + data)).on('close', () => listener.close()).send('go');
      }).listen(0, '127.0.0.1', () => {
        spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(program)}, 'child', String(listener.address().port)], { stdio: 'inherit' });
      });`;
    const cwd = new URL('..', import.meta.url);
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', parent], { cwd, encoding: 'utf8' })).toBe(
      'got report\n',
    );
  });

  test('close takes null for nothing, and drops a reason without a code', async () => {
    for (const args of [[undefined, 'x'], [null, 'x'], [null]] as [null, string?][]) {
      const { client, server } = createPair();
      client.close(...args);
      expect([(await server.closed).code, (await client.closed).reason]).toEqual([1005, '']);
    }
    const { client, server } = createPair();
    client.close(1000, null);
    expect((await server.closed).code).toBe(1000);
  });

  test('addEventListener ignores what is no listener', () => {
    const { socket } = recorded();
    socket.addEventListener('message', null as never);
    socket.addEventListener('message', {} as never);
    expect(socket.listenerCount('message')).toBe(0);
    socket.terminate();
  });
});

describe('createPair', () => {
  test('what is received is the receiver’s own', async () => {
    const { client, server } = createPair();
    const sent = Buffer.alloc(20_000, 1);
    server.binaryType = 'fragments';
    server.send(sent); // unmasked: nothing on the way copies it
    const [data] = (await event(client, 'message')) as [Buffer];
    sent.fill(2);
    expect(data[0]).toBe(1);
    client.terminate();
  });
});

describe('wrong arguments throw at the call', () => {
  test('a callback that is none', () => {
    const { socket } = recorded();
    expect(() => socket.send('x', undefined, 5 as never)).toThrow(new TypeError('callback is 5, expected a function'));
    expect(() => socket.ping('x', false, 'y' as never)).toThrow(TypeError);
    socket.terminate();
  });

  test.each([
    ['no options', undefined],
    ['no role', {}],
    ['another role', { role: 'both' }],
  ])('from: %s', (_what, options) => {
    expect(() => WebSocket.from(new Recorder(), options as never)).toThrow(
      /^role is .*, expected 'server' or 'client'$/,
    );
  });

  test('from: no stream', () => {
    for (const duplex of [undefined, {}, new TransformStream()]) {
      expect(() => WebSocket.from(duplex as never, { role: 'server' })).toThrow('duplex is not a Duplex stream');
    }
  });

  test('options that are null are none', () => {
    expect(new WebSocket(null, undefined, null as never).readyState).toBe(0);
  });
});
