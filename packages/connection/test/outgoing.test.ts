import { describe, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createPair, MessageError, type Outgoing, type OutgoingOptions, type WebSocket } from '../src/index.js';
import { clientFrame, event, framesOf, nextTurn, record, recorded, summary, type Recorder } from './streams.js';

/** Frames as text: opcode, `.` where more follows, payload. */
const wire = (stream: Recorder): string[] =>
  framesOf(stream.bytes).map(({ opcode, fin, payload }) => `${opcode}${fin ? '' : '.'} ${payload.toString('latin1')}`);

const codeOf = (error: unknown): unknown => (error as { code: unknown }).code;
const failure = async (stream: Outgoing): Promise<unknown> =>
  codeOf(await finished(stream).catch((error: unknown) => error));

describe('frames', () => {
  const CASES: readonly [name: string, options: OutgoingOptions, write: (out: Outgoing) => void, frames: string[]][] = [
    [
      'a write is a fragment, the end is the last',
      {},
      (out) => (out.write('a'), out.write('b'), out.end('c')),
      ['1. a', '0. b', '0 c'],
    ],
    ['an end alone is one frame', {}, (out) => out.end('x'), ['1 x']],
    ['nothing is an empty text', {}, (out) => out.end(), ['1 ']],
    ['nothing, of binary', { binary: true }, (out) => out.end(), ['2 ']],
    ['an end without data is an empty frame', {}, (out) => (out.write('a'), out.end()), ['1. a', '0 ']],
    ['an end with an empty chunk', {}, (out) => (out.write('a'), out.end('')), ['1. a', '0 ']],
    ['the first chunk tells the type', {}, (out) => (out.write(Buffer.from('a')), out.end('b')), ['2. a', '0 b']],
    [
      'text from bytes',
      { binary: false },
      (out) => (out.write(Buffer.from([0xc3])), out.end(Buffer.from([0xa9]))),
      ['1. \xc3', '0 \xa9'],
    ],
    [
      'strings of an encoding are bytes',
      {},
      (out) => (out.write('6162', 'hex'), out.end('Yw==', 'base64')),
      ['2. ab', '0 c'],
    ],
    [
      'a character in two strings',
      {},
      (out) => (out.write('a\ud83d'), out.end('\ude00b')),
      ['1. a', '0 \xf0\x9f\x98\x80b'],
    ],
    ['half a character at the end', {}, (out) => (out.write('a\ud83d'), out.end()), ['1. a', '0 \xef\xbf\xbd']],
    [
      'half a character before bytes',
      {},
      (out) => (out.write('\ud83d'), out.end(Buffer.from('b'))),
      ['1. ', '0 \xef\xbf\xbdb'],
    ],
    ['any view', { binary: true }, (out) => out.end(new Uint8Array([0x61, 0x62])), ['2 ab']],
    [
      'collected up to fragmentSize',
      { fragmentSize: 4 },
      (out) => ['ab', 'c', 'def', 'ghijkl', 'm'].forEach((s) => out.write(s)) ?? out.end('n'),
      ['1. abcdef', '0. ghijkl', '0 mn'],
    ],
    ['less than fragmentSize is one frame', { fragmentSize: 100 }, (out) => (out.write('ab'), out.end('c')), ['1 abc']],
    [
      'fragmentSize, and an end without data',
      { fragmentSize: 2 },
      (out) => (out.write('ab'), out.end()),
      ['1. ab', '0 '],
    ],
    [
      'what is collected is in one fragment with the next chunk',
      {},
      (out) => (
        out.collect('a'),
        out.collect('62', 'hex'),
        out.write('c'),
        out.write('d'),
        out.collect('e'),
        out.end()
      ),
      ['1. abc', '0. d', '0 e'],
    ],
    [
      'no more than maxDeclaredFrame is collected',
      { binary: true },
      (out) => (['1234', '5678', '9', 'a', 'b'].forEach((s) => out.collect(s)), out.end('c')),
      ['2. 123456789', '0 abc'],
    ],
    [
      'with a length, nothing has to be collected',
      { length: 3 },
      (out) => (out.collect('a'), out.collect('b'), out.end('c')),
      ['1 abc'],
    ],
    ['a length is one frame', { length: 3 }, (out) => (out.write('a'), out.write('b'), out.end('c')), ['1 abc']],
    ['a length of nothing', { length: 0 }, (out) => out.end(), ['1 ']],
    [
      'a length above maxDeclaredFrame is fragments',
      { length: 9 },
      (out) => (out.write('12345'), out.end('6789')),
      ['1. 12345', '0 6789'],
    ],
    [
      'a length that is to be compressed is fragments',
      { length: 2, compress: true },
      (out) => (out.write('1'), out.end('2')),
      ['1. 1', '0 2'],
    ],
  ];

  test.each(CASES)('%s', async (_name, options, write, frames) => {
    const { socket, stream } = recorded({ maxDeclaredFrame: 8 });
    const out = socket.createOutgoing(options);
    write(out);
    await finished(out);
    expect(wire(stream)).toEqual(frames);
    expect([socket.messagesSent, socket.bufferedAmount, socket.readyState]).toEqual([1, 0, 1]);
  });

  test('what is collected keeps its order behind what waits, counts as buffered, and lets pings pass', async () => {
    const { socket, stream } = recorded();
    const first = socket.createOutgoing();
    const second = socket.createOutgoing();
    const bytes = Buffer.from('b');
    first.write('1');
    second.write('a');
    second.collect(bytes);
    expect(() => second.collect(5)).toThrow('must be of type string');
    const done = new Promise((resolve) => second.collect('c', resolve));
    second.write('d');
    second.collect('e');
    first.end();
    await done;
    expect([second.bufferedAmount, socket.bufferedAmount]).toEqual([1, 1]);
    socket.ping('p');
    second.end('f');
    await finished(second);
    expect(wire(stream)).toEqual(['1. 1', '0 ', '1. a', '0. bcd', '9 p', '0 ef']);
  });

  test('what was collected is let go of with the stream', () => {
    const { socket } = recorded();
    const out = socket.createOutgoing();
    out.collect('abc');
    expect([out.bufferedAmount, socket.bufferedAmount]).toEqual([3, 3]);
    out.destroy();
    expect([out.bufferedAmount, socket.bufferedAmount]).toEqual([0, 0]);
  });

  test('of a client are masked, each with a key of its own, and parts of one frame as one', async () => {
    const { socket, stream } = recorded({ role: 'client' });
    const parts = [Buffer.from('abc'), Buffer.alloc(20_000, 1), Buffer.from('defgh'), Buffer.alloc(3, 2)];
    const whole = Buffer.concat(parts);
    const one = socket.createOutgoing({ length: whole.length });
    for (const part of parts) one.write(part);
    one.end();
    await finished(one);
    const many = socket.createOutgoing();
    for (const part of parts) many.write(part);
    many.end();
    await finished(many);
    const [first, ...rest] = framesOf(stream.bytes);
    expect(first?.payload.equals(whole)).toBe(true);
    expect(Buffer.concat(rest.map(({ payload }) => payload)).equals(whole)).toBe(true);
    expect(new Set(rest.map(({ maskingKey }) => maskingKey)).size).toBe(rest.length);
    expect([parts[0]!.toString(), parts[1]!.every((byte) => byte === 1)]).toEqual(['abc', true]); // the caller's
  });

  test('of fragmentSize for what is sent whole, the callback behind the last of them', async () => {
    const { socket, stream } = recorded({ fragmentSize: 4 });
    const order: unknown[] = [];
    socket.send('0123456789', () => order.push('long', framesOf(stream.bytes).length));
    socket.send('1234', () => order.push('short'));
    socket.send('€€');
    socket.send(Buffer.from('xyz12'), { fin: false });
    socket.send('end');
    await nextTurn();
    expect(wire(stream)).toEqual([
      '1. 0123',
      '0. 4567',
      '0 89',
      '1 1234',
      '1. \xe2\x82\xac\xe2',
      '0 \x82\xac',
      '2. xyz1',
      '0. 2',
      '0 end',
    ]);
    expect(order).toEqual(['long', 9, 'short']);
  });
});

describe('order', () => {
  test('what is sent behind the first write comes behind the end, pings between the fragments', async () => {
    const { socket, stream } = recorded();
    const order: string[] = [];
    const unused = socket.createOutgoing();
    const out = socket.createOutgoing();
    socket.send('before');
    out.write('a');
    socket.send('behind', () => order.push('behind'));
    const second = socket.createOutgoing();
    second.end('second', () => order.push('second'));
    socket.ping('p');
    out.write('b');
    expect(socket.bufferedAmount).toBeGreaterThanOrEqual('behindsecond'.length);
    out.end('c');
    socket.send('last', () => order.push('last'));
    await finished(second);
    expect(wire(stream)).toEqual(['1 before', '1. a', '9 p', '0. b', '0 c', '1 behind', '1 second', '1 last']);
    await nextTurn();
    expect(order).toEqual(['behind', 'last', 'second']); // that of a stream comes a few ticks behind its bytes
    unused.destroy();
    await nextTurn();
    expect(socket.readyState).toBe(1);
  });

  test('a message in fragments by send goes first to its end', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing();
    socket.send('a', { fin: false });
    out.write('x');
    expect(socket.createOutgoing().destroy().destroyed).toBe(true);
    socket.send('b', { fin: false });
    socket.send('c');
    out.end('y');
    await finished(out);
    expect(wire(stream)).toEqual(['1. a', '0. b', '0 c', '1. x', '0 y']);
  });

  test.each([
    ['at once', false],
    ['when all has left', true],
  ])('a declared frame is whole with its last byte; its end, %s, adds nothing', async (_name, isLate) => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing({ length: 3 });
    out.write('a');
    out.write('');
    out.write('bc');
    if (isLate) await nextTurn();
    out.write('');
    out.end();
    socket.send('next');
    await finished(out);
    await nextTurn();
    expect(wire(stream)).toEqual(['1 abc', '1 next']);
  });

  test('a source of the declared length, piped', async () => {
    const { socket, stream } = recorded();
    await socket.sendStream(Readable.from(['ab', 'c'], { highWaterMark: 1 }), { length: 3 });
    expect(wire(stream)).toEqual(['1 abc']);
  });

  test('nothing goes behind the Close frame: who begins there is told', async () => {
    const { socket, stream } = recorded();
    const late = [{ length: 3 }, {}].map((options) => socket.createOutgoing(options));
    socket.close(1000);
    for (const out of late) out.end('abc');
    expect(await Promise.all(late.map(failure))).toEqual(['WS_ERR_CLOSED', 'WS_ERR_CLOSED']);
    expect(wire(stream)).toEqual(['8 \x03\xe8']);
    socket.terminate();
  });

  test('of several sources that are piped, the one that stays is still followed', async () => {
    const { socket } = recorded();
    const out = socket.createOutgoing();
    const [first, second] = [new PassThrough(), new PassThrough()];
    for (const source of [first, second]) source.pipe(out, { end: false });
    first.unpipe(out);
    second.destroy();
    expect(await failure(out)).toBe('ERR_STREAM_PREMATURE_CLOSE');
    expect(out.listenerCount('unpipe')).toBe(0);
    socket.terminate();
  });

  test('an end with what is no chunk ends nothing', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing();
    expect(() => out.end(5 as unknown as string)).toThrow('chunk');
    out.write('a');
    out.end('b');
    await finished(out);
    expect(wire(stream)).toEqual(['1. a', '0 b']);
  });

  test.each([{}, { length: 40_001 }])('bufferedAmount counts each byte once: %p', async (options) => {
    const { socket, stream } = recorded();
    stream.stalled = [];
    const out = socket.createOutgoing(options);
    for (const size of [40_000, 1]) out.write(Buffer.alloc(size));
    expect(socket.bufferedAmount).toBeGreaterThan(40_000);
    await nextTurn();
    expect(socket.bufferedAmount).toBeGreaterThan(40_000);
    expect(socket.bufferedAmount).toBeLessThan(40_100);
    socket.terminate();
    expect((await socket.closed).bytesUnsent).toBeLessThan(40_100);
  });

  test('inside a declared frame nothing goes; then the newest answer, our pings, and the Close frame', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing({ length: 3 });
    out.write('a');
    stream.push(Buffer.concat([clientFrame(Opcode.Ping, '1'), clientFrame(Opcode.Ping, '2')]));
    await nextTurn();
    const order: string[] = [];
    socket.ping('mine', () => order.push('ping'));
    socket.close(1000);
    await nextTurn();
    expect(stream.bytes.toString('latin1')).toBe('\x81\x03a');
    out.end('bc');
    await finished(out);
    stream.push(clientFrame(Opcode.Close, Buffer.from([3, 232])));
    stream.push(null);
    await socket.closed;
    expect(wire(stream)).toEqual(['1 abc', '9 mine', '8 \x03\xe8']);
    expect(order).toEqual(['ping']);
  });

  test('answers a ping that came inside a declared frame behind it, the newest alone', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing({ length: 2 });
    out.write('a');
    stream.push(Buffer.concat([clientFrame(Opcode.Ping, '1'), clientFrame(Opcode.Ping, '2')]));
    await nextTurn();
    out.end('b');
    await finished(out);
    await nextTurn();
    expect(wire(stream)).toEqual(['1 ab', '10 2']);
  });

  test.each(['local', 'remote'] as const)('a %s close waits for what is being written', async (initiator) => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing();
    out.write('a');
    if (initiator === 'local') socket.close(1001, 'bye');
    else stream.push(clientFrame(Opcode.Close, Buffer.from([3, 233, ...Buffer.from('bye')])));
    await nextTurn();
    expect([socket.readyState, wire(stream)]).toEqual([2, ['1. a']]);
    expect(socket.createOutgoing().destroyed).toBe(true);
    out.end('b');
    if (initiator === 'local') {
      await finished(out);
      stream.push(clientFrame(Opcode.Close, Buffer.from([3, 233])));
    }
    stream.push(null);
    expect(summary(await socket.closed)).toEqual([1001, true, initiator]);
    expect(wire(stream)).toEqual(['1. a', '0 b', '8 \x03\xe9bye']);
  });

  test('a peer that refuses what is being written is answered at once, and the writer is told', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing();
    out.write('a');
    const told: unknown[] = [];
    socket.send('behind', (error) => told.push(codeOf(error)));
    stream.push(clientFrame(Opcode.Close, Buffer.from([3, 241, ...Buffer.from('too big')])));
    stream.push(null);
    expect(summary(await socket.closed).slice(0, 1)).toEqual([1009]);
    expect(wire(stream)).toEqual(['1. a', '8 \x03\xf1too big']);
    expect([codeOf(out.errored), out.errored?.message]).toEqual([
      'WS_ERR_CLOSED',
      expect.stringContaining('the peer closed with 1009 too big'),
    ]);
    expect(told).toEqual(['WS_ERR_CLOSED']);
  });

  test('a declared frame is filled all the same', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing({ length: 2 });
    out.write('a');
    stream.push(clientFrame(Opcode.Close, Buffer.from([3, 240])));
    stream.push(null);
    await nextTurn();
    out.end('b');
    await socket.closed;
    expect(wire(stream)).toEqual(['1 ab', '8 \x03\xf0']);
  });

  test('a close does not wait for ever', async () => {
    const { socket } = recorded({ closeTimeout: 5 });
    const out = socket.createOutgoing();
    out.write('a');
    socket.close(1000);
    const { initiator, sent } = await socket.closed;
    expect([initiator, sent, out.destroyed, codeOf(out.errored)]).toEqual(['timeout', null, true, 'WS_ERR_CLOSED']);
  });
});

describe('given up', () => {
  test('before its turn or its first write: nothing happens', async () => {
    const { socket, stream } = recorded();
    const first = socket.createOutgoing();
    first.write('a');
    const second = socket.createOutgoing();
    const written = new Promise((resolve) => second.write('never', resolve));
    second.destroy();
    expect(codeOf(await written)).toBe('WS_ERR_ABORTED_MESSAGE');
    first.end();
    socket.send('b');
    await nextTurn();
    expect([wire(stream), socket.readyState]).toEqual([['1. a', '0 ', '1 b'], 1]);
  });

  test('collected, and nothing of it sent', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing({ fragmentSize: 100 });
    out.write('collected');
    expect(socket.bufferedAmount).toBe(9);
    out.destroy();
    socket.send('b');
    await nextTurn();
    expect([wire(stream), socket.readyState]).toEqual([['1 b'], 1]);
  });

  test('between fragments: 1011 closes the connection, what waits is told', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing();
    out.write('a');
    const told: unknown[] = [];
    socket.send('behind', (error) => told.push(codeOf(error)));
    const second = socket.createOutgoing();
    second.write('x');
    out.destroy();
    expect(socket.readyState).toBe(2);
    stream.push(clientFrame(Opcode.Close, Buffer.from([3, 243])));
    stream.push(null);
    expect(summary(await socket.closed)).toEqual([1011, false, 'local']); // bytes were left
    expect(wire(stream)).toEqual(['1. a', '8 \x03\xf3']);
    expect([told, codeOf(second.errored)]).toEqual([['WS_ERR_CLOSED'], 'WS_ERR_CLOSED']);
  });

  test('between fragments, while the peer is closing: the answer is 1011', async () => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing();
    out.write('a');
    stream.push(clientFrame(Opcode.Close, Buffer.from([3, 232])));
    await nextTurn();
    out.destroy();
    stream.push(null);
    await socket.closed;
    expect(wire(stream)).toEqual(['1. a', '8 \x03\xf3']);
  });

  test.each([
    ['too much', '1234'],
    ['too little', '1'],
  ])('inside a declared frame, with %s: TCP is cut, nothing follows', async (_name, more) => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing({ length: 3 });
    out.write('0');
    await nextTurn();
    out.end(more);
    expect(await failure(out)).toBe('WS_ERR_DECLARED_LENGTH');
    const info = await socket.closed;
    expect([info.code, info.sent, stream.destroyed]).toEqual([1006, null, true]);
    expect(stream.bytes.toString('latin1')).toBe('\x81\x030'); // also of what would have fitted
  });

  test.each([
    ['between fragments', {}],
    ['inside a declared frame', { length: 60_000 }],
  ])('a write that fails %s: the transport has ended it, and no Close frame was sent', async (_name, options) => {
    const { socket, stream } = recorded();
    const closing = record(socket, ['closing']);
    stream.stalled = [];
    const out = socket.createOutgoing(options);
    out.write(Buffer.alloc(50_000));
    await nextTurn();
    const error = Object.assign(new Error('write ECONNRESET'), { code: 'ECONNRESET' });
    for (const written of stream.stalled as ((error: Error) => void)[]) written(error);
    const info = await socket.closed;
    expect(info).toMatchObject({ code: 1006, initiator: 'transport', sent: null, received: null, error });
    expect(out.errored).toMatchObject({ code: 'WS_ERR_CLOSED', cause: error });
    expect(closing).toEqual([]);
  });

  test('a declared length that fragments do not have', async () => {
    const { socket, stream } = recorded({ maxDeclaredFrame: 2 });
    const out = socket.createOutgoing({ length: 3 });
    out.write('ab');
    out.write('cd');
    expect(await failure(out)).toBe('WS_ERR_DECLARED_LENGTH');
    await nextTurn();
    expect(wire(stream)).toEqual(['1. ab', '8 \x03\xf3']);
    socket.terminate();
  });

  test.each([
    ['a bad byte', [Buffer.from([0x61, 0xff])]],
    ['a cut character', [Buffer.from([0xc3])]],
    ['a string inside a character', [Buffer.from([0xc3]), 'a']],
  ])('text that is not UTF-8, %s: nothing of the chunk is sent', async (_name, chunks) => {
    const { socket, stream } = recorded();
    const out = socket.createOutgoing({ binary: false });
    out.write('ok');
    for (const chunk of chunks) out.write(chunk);
    out.end();
    expect(await failure(out)).toBe('WS_ERR_INVALID_UTF8');
    await nextTurn();
    expect(wire(stream).at(-1)).toBe('8 \x03\xf3');
    expect(stream.bytes.includes(0xff)).toBe(false);
    socket.terminate();
  });

  test('by a signal', async () => {
    const { socket, stream } = recorded();
    const abort = new AbortController();
    const out = socket.createOutgoing({ signal: abort.signal });
    out.write('a');
    abort.abort();
    expect(await failure(out)).toBe('ABORT_ERR');
    await nextTurn();
    expect(wire(stream)).toEqual(['1. a', '8 \x03\xf3']);
    expect(socket.createOutgoing({ signal: AbortSignal.abort() }).destroyed).toBe(true);
    socket.terminate();
  });

  test('by the source that was piped to it; not by one that was unpiped', async () => {
    const { socket, stream } = recorded();
    const [gone, broken] = [new Readable({ read: () => undefined }), new Readable({ read: () => undefined })];
    const out = socket.createOutgoing();
    gone.pipe(out, { end: false });
    gone.push('a');
    await event(gone, 'data');
    gone.unpipe(out);
    gone.destroy();
    broken.pipe(out);
    broken.push('b');
    await nextTurn();
    expect(out.destroyed).toBe(false);
    broken.destroy();
    expect(await failure(out)).toBe('ERR_STREAM_PREMATURE_CLOSE');
    await nextTurn();
    expect(wire(stream)).toEqual(['2. a', '0. b', '8 \x03\xf3']);
    socket.terminate();
  });

  test('with the connection, each once, and an error that nobody listens for throws nothing', async () => {
    const { socket } = recorded();
    const streams = [socket.createOutgoing(), socket.createOutgoing(), socket.createOutgoing({ length: 9 })];
    const closes: unknown[] = [];
    for (const out of streams) out.on('close', () => closes.push(codeOf(out.errored)));
    const settled: unknown[] = [];
    streams[0]!.write('a', (error) => settled.push(error ?? null));
    streams[1]!.write('a', (error) => settled.push(codeOf(error)));
    socket.terminate();
    await socket.closed;
    await nextTurn();
    expect(closes).toEqual(['WS_ERR_CLOSED', 'WS_ERR_CLOSED', 'WS_ERR_CLOSED']);
    expect(new Set(settled)).toEqual(new Set([null, 'WS_ERR_CLOSED']));
    const late = socket.createOutgoing();
    expect([late.destroyed, late.errored]).toEqual([true, expect.any(MessageError)]);
  });
});

test.each([
  ['length', -1],
  ['length', 1.5],
  ['fragmentSize', -1],
  ['fragmentSize', 0.5],
])('%s: %d is refused', (name, value) => {
  const { socket } = recorded();
  expect(() => socket.createOutgoing({ [name]: value })).toThrow(RangeError);
});

describe('back-pressure', () => {
  test('a peer that takes nothing stops the writer, and starts it again', async () => {
    const { socket, stream } = recorded();
    stream.stalled = [];
    const out = socket.createOutgoing({ binary: true });
    let written = 0;
    const chunk = Buffer.alloc(1000);
    while (out.write(chunk, () => (written += 1000))) if (out.writableLength > 1e6) break;
    for (let i = 0; i < 10; i++) await nextTurn();
    expect(written).toBeLessThan(200_000);
    expect(socket.bufferedAmount).toBeGreaterThanOrEqual(65_536 * 2 - 2000);
    expect(socket.bufferedAmount).toBeLessThan(300_000);
    const drained = once(out, 'drain');
    const release = (): void => {
      const waiting = stream.stalled?.splice(0) ?? [];
      for (const done of waiting) done();
    };
    const timer = setInterval(release, 0);
    await drained;
    out.end();
    await finished(out);
    clearInterval(timer);
    expect(socket.bufferedAmount).toBe(0);
  });

  test('a highWaterMark that is off does not take it away', async () => {
    const { socket, stream } = recorded({ highWaterMark: 0 });
    stream.stalled = [];
    const out = socket.createOutgoing({ binary: true });
    let written = 0;
    for (let i = 0; i < 500; i++) out.write(Buffer.alloc(1000), () => written++);
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(written).toBeLessThan(100);
    socket.terminate();
  });

  test('messages that are split go no faster than the stream, and pings overtake', async () => {
    const { socket, stream } = recorded({ fragmentSize: 10_000 });
    stream.stalled = [];
    const sent = new Promise<unknown>((resolve) => void socket.send(Buffer.alloc(1_000_000), resolve));
    socket.ping('p');
    for (let i = 0; i < 5; i++) await nextTurn();
    expect(stream.bytes.length).toBeLessThan(200_000);
    for (let i = 0; i < 500; i++) {
      for (const done of stream.stalled.splice(0)) done();
      await nextTurn();
    }
    await sent;
    const frames = framesOf(stream.bytes);
    const position = frames.findIndex(({ opcode }) => opcode === Opcode.Ping);
    expect(position).toBeGreaterThan(0);
    expect(position).toBeLessThan(20);
    expect(frames.filter(({ opcode }) => opcode < 8).reduce((sum, { payload }) => sum + payload.length, 0)).toBe(
      1_000_000,
    );
  });

  test('a split message that is cut is told once', async () => {
    const { socket, stream } = recorded({ fragmentSize: 10_000 });
    stream.stalled = [];
    const told: unknown[] = [];
    socket.send(Buffer.alloc(1_000_000), (error) => told.push(codeOf(error)));
    await nextTurn();
    socket.terminate();
    expect((await socket.closed).bytesUnsent).toBeGreaterThan(900_000);
    expect(told).toEqual(['WS_ERR_CLOSED']);
  });
});

describe('sendStream', () => {
  const received = async (socket: WebSocket): Promise<string> => {
    const [data, isBinary] = (await event(socket, 'message')) as [Buffer, boolean];
    return `${isBinary ? 'binary' : 'text'} ${data.toString()}`;
  };
  const SOURCES: readonly [string, () => Parameters<WebSocket['sendStream']>[0], string][] = [
    ['a string', () => 'abc', 'text abc'],
    ['bytes', () => new Uint8Array([0x61, 0x62]), 'binary ab'],
    ['an iterable', () => ['a', 'b', 'c'], 'text abc'],
    ['nothing', () => [], 'text '],
    [
      'an async iterable',
      () =>
        (async function* () {
          yield Buffer.from('a');
          await nextTurn();
          yield Buffer.from('b');
        })(),
      'binary ab',
    ],
    ['a Readable', () => Readable.from(['x', 'y']), 'text xy'],
    [
      'a ReadableStream',
      () =>
        new ReadableStream<Uint8Array>({
          start(controller) {
            controller.enqueue(Buffer.from('web'));
            controller.close();
          },
        }),
      'binary web',
    ],
  ];

  test.each(SOURCES)('from %s', async (_name, source, expected) => {
    const { client, server } = createPair();
    const message = received(server);
    await client.sendStream(source());
    expect(await message).toBe(expected);
    client.terminate();
  });

  test.each([
    ['an array', (): unknown[] => ['a', 1, 'b']],
    ['a Readable of objects', () => Readable.from(['a', 1, 'b'])],
    ['numbers', () => [1, 2]],
    ['objects', () => [{}]],
    [
      'a generator',
      () =>
        (function* () {
          yield 'a';
          yield null;
        })(),
    ],
  ])('rejects at what is no chunk, in %s', async (_name, source) => {
    const { client, server } = createPair();
    const messages = record(server, ['message']);
    await expect(client.sendStream(source() as Iterable<string>)).rejects.toThrow(TypeError);
    client.terminate();
    await server.closed;
    expect(messages).toEqual([]);
  });

  test('takes chunks of every form, and Blobs', async () => {
    const { client, server } = createPair();
    const first = received(server);
    await client.sendStream([new Uint16Array([0x6261]), new Uint8Array([0x63]).buffer, Buffer.from('d')]);
    expect(await first).toBe('binary abcd');
    const second = received(server);
    await client.sendStream(new Blob(['of a ', 'blob']));
    expect(await second).toBe('binary of a blob');
    client.terminate();
  });

  test('rejects with what the source throws', async () => {
    const { client, server } = createPair();
    const failing = async function* (): AsyncGenerator<string> {
      yield 'a';
      await nextTurn();
      throw new Error('no more');
    };
    await expect(client.sendStream(failing())).rejects.toThrow('no more');
    expect((await server.closed).code).toBe(1011);
  });

  test('rejects where the connection ends, and where there is none', async () => {
    const { client, server } = createPair();
    const endless = async function* (): AsyncGenerator<string> {
      for (;;) {
        await nextTurn();
        yield 'a';
      }
    };
    const sending = client.sendStream(endless());
    await nextTurn();
    server.terminate();
    await expect(sending).rejects.toMatchObject({ code: 'WS_ERR_CLOSED' });
    const late = new PassThrough();
    await expect(client.sendStream(late)).rejects.toMatchObject({ code: 'WS_ERR_CLOSED' });
    expect(late.destroyed).toBe(true);
  });

  test('as a WritableStream', async () => {
    const { client, server } = createPair();
    const message = received(server);
    const writer = client.createOutgoing().toWeb().getWriter();
    await writer.write('a');
    await writer.write('b');
    await writer.close();
    expect(await message).toBe('text ab');
    client.terminate();
  });

  test('one message to another connection, as it comes', async () => {
    const [first, second] = [createPair({ incoming: 'stream' }), createPair()];
    first.server.on('incoming', (incoming) => {
      void pipeline(incoming, second.server.createOutgoing({ binary: incoming.isBinary }));
    });
    const message = received(second.client);
    await first.client.sendStream(['stream', 'ed']);
    expect(await message).toBe('text streamed');
    first.client.terminate();
    second.client.terminate();
  });
});
