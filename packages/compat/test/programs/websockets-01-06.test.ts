import { expect } from '@jest/globals';
import type { EventEmitter } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { Opcode } from '@ws/frame';
import { FrameDuplex } from '@ws/frame/stream';
import { hex } from '@ws/testing';
import { atEnd, BINARY, frame, framesOf, next, PING, TEXT, Wire } from '@ws/testing/peer';
import { Socket } from '../../src/websockets/index.js';
import { program } from './program.js';

function pair(): { source: Duplex; wire: Wire<Duplex> } {
  const [source, far] = duplexPair();
  atEnd(() => source.destroy());
  return { source, wire: new Wire(far) };
}

program<(source: Duplex) => unknown>('A-01 a client’s end masks, with another key each time', {
  adapter: (source) => new Socket(source, { mask: true }).writeEnd('a text'),
  core: (source) => new FrameDuplex(source, { role: 'client' }).writeEnd('a text'),
  async check(make) {
    const keys = [];
    for (let n = 0; n < 2; n++) {
      const { source, wire } = pair();
      make(source);
      const [first] = await wire.frames(1);
      expect(first).toMatchObject({ opcode: 1, fin: true, payload: Buffer.from('a text') });
      keys.push(first!.maskingKey);
    }
    expect(keys).toEqual([expect.any(Number), expect.any(Number)]);
    expect(keys[0]).not.toBe(keys[1]);
  },
});

program<(source: Duplex, print: (text: string) => void) => EventEmitter>(
  'A-02 what is readable is read, and there is an end',
  {
    adapter: (source, print) => {
      const socket = new Socket(source, { role: 'any' });
      return socket.on('readable', () => print(socket.read()!.toString()));
    },
    core: (source, print) => {
      const duplex = new FrameDuplex(source, { role: 'any' });
      return duplex.on('readable', () => print(duplex.read()?.toString() ?? ''));
    },
    async check(make) {
      const bytes = Buffer.from(hex`81 05 | 48656c6c6f`);
      for (const pieces of [[bytes], Array.from(bytes, (byte) => Buffer.of(byte))]) {
        const { source, wire } = pair();
        let printed = '';
        const ended = next(
          make(source, (text) => (printed += text)),
          'end',
        );
        for (const piece of pieces) {
          wire.write(piece);
          await new Promise((resolve) => setImmediate(resolve));
        }
        wire.socket.end();
        await ended;
        expect(printed).toBe('Hello');
      }
    },
  },
);

program<(source: Duplex) => void>('A-03 two heads, one frame in two writes', {
  adapter: (source) => {
    const socket = new Socket(source);
    socket.writeHead({ fin: true, mask: true });
    socket.writeHead({ opcode: 0x02, length: 0x05 });
    socket.write(Buffer.of(1, 2));
    socket.write(Buffer.of(3, 4, 5));
  },
  core: (source) => {
    const duplex = new FrameDuplex(source);
    duplex.writeHead({ fin: true, mask: true, opcode: 2, length: 5 });
    duplex.write(Buffer.of(1, 2));
    duplex.write(Buffer.of(3, 4, 5));
  },
  async check(make) {
    const { source, wire } = pair();
    make(source);
    const [first] = await wire.frames(1);
    expect(first).toMatchObject({ fin: true, opcode: 2, maskingKey: expect.any(Number) });
    expect(first!.payload).toEqual(Buffer.of(1, 2, 3, 4, 5));
    expect(wire.received).toHaveLength(11);
  },
});

program<(source: Duplex) => void>('A-04 a head and an end are a frame', {
  adapter: (source) => void new Socket(source).writeHead({ opcode: 0x01 }).writeEnd(Buffer.from('Hello')),
  core: (source) => void new FrameDuplex(source).writeHead({ opcode: Opcode.Text }).writeEnd(Buffer.from('Hello')),
  async check(make) {
    const { source, wire } = pair();
    make(source);
    expect(await wire.take(7)).toBe('810548656c6c6f');
  },
});

program<(source: Duplex) => void>('A-05 payload is sent back as it comes', {
  adapter: (source) => {
    const socket = new Socket(source);
    socket.writeHead({ opcode: 0x02 });
    socket.on('readable', () => void socket.write(socket.read()));
    socket.on('done', () => void socket.write(socket.writeEnd()));
  },
  core: (source) => {
    const duplex = new FrameDuplex(source);
    duplex.writeHead({ opcode: Opcode.Binary });
    duplex.on('data', (chunk) => void duplex.write(chunk));
    duplex.on('messageEnd', () => void duplex.writeEnd());
  },
  async check(make) {
    const { source, wire } = pair();
    make(source);
    const payload = Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251));
    const bytes = frame(BINARY, payload);
    for (let at = 0; at < bytes.length; at += 1000) wire.write(bytes.subarray(at, at + 1000));
    await wire.when(() => framesOf(wire.received).at(-1)?.fin === true);
    const frames = await wire.frames();
    expect(frames.length).toBeGreaterThan(2);
    const last = frames.length - 1;
    expect(frames.map(({ opcode }) => opcode)).toEqual(frames.map((_, i) => (i === 0 ? 2 : 0)));
    expect(frames.map(({ fin }) => fin)).toEqual(frames.map((_, i) => i === last));
    expect(frames[last]!.payload).toHaveLength(0);
    expect(Buffer.concat(frames.map((each) => each.payload)).equals(payload)).toBe(true);
  },
});

program<(source: Duplex, log: (line: string) => void) => EventEmitter>('A-06 a ping is known by its head', {
  adapter: (source, log) =>
    new Socket(source).on('head', (head) => {
      if (head.opcode === 0x09) log('the upcoming frame is a ping');
    }),
  core: (source, log) =>
    new FrameDuplex(source).on('head', (head) => {
      if (head.opcode === Opcode.Ping) log('the upcoming frame is a ping');
    }),
  async check(make) {
    const { source, wire } = pair();
    const events: string[] = [];
    const stream = make(source, (line) => events.push(line));
    stream.on('ping', (payload) => events.push(String(payload)));
    stream.on('data', (chunk) => events.push(String(chunk)));
    wire.send(TEXT, 'a');
    const ping = frame(PING, 'payload');
    wire.write(ping.subarray(0, 6));
    while (events.length < 2) await next(stream, 'head');
    expect(events).toEqual(['a', 'the upcoming frame is a ping']);
    wire.write(ping.subarray(6));
    wire.send(TEXT, 'b');
    while (events.at(-1) !== 'b') await next(stream, 'data');
    expect(events).toEqual(['a', 'the upcoming frame is a ping', 'payload', 'b']);
  },
});
