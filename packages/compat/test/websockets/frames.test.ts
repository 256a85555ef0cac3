import { expect } from '@jest/globals';
import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { hex } from '@ws/testing';
import { BINARY, CLOSE, CONTINUATION, frame, next, PING, PONG, TEXT } from '@ws/testing/peer';
import { Socket, type ReceivedHead } from '../../src/websockets/index.js';
import { prove } from '../rows.js';
import { frameRows } from '../rows/websockets.js';
import { Client, join, joinRaw, start, wrap } from './support.js';

const text = (bytes: Buffer | null): string => String(bytes ?? '');

/** What the listener of 'readable' reads, and the other events, in their order. */
function told(socket: Socket): string[] {
  const events: string[] = [];
  socket.on('readable', () => events.push(text(socket.read())));
  for (const name of ['done', 'end'] as const) socket.on(name, () => events.push(`(${name})`));
  socket.on('head', ({ opcode, fin }) => events.push(`(head ${opcode}${fin ? ' fin' : ''})`));
  return events;
}

prove(frameRows, {
  'BK-010': async () => {
    const { socket, wire } = wrap();
    socket.writeHead({ opcode: 1 });
    socket.write('ab');
    socket.writeEnd('c');
    expect(await wire.take(7)).toBe('01026162800163');
    const events = told(socket);
    wire.send(TEXT, 'in');
    await next(socket, 'done');
    expect(events).toEqual(['(head 1 fin)', 'in', '(done)']);
  },
  'BK-011': {
    'the end of the source is the end of the read side; errors and the end of all are told': async () => {
      const { socket, wire, source } = wrap();
      expect(() => new Socket(source)).toThrow(TypeError);
      expect(() => new Socket({} as never)).toThrow(TypeError);
      socket.resume();
      wire.socket.end();
      await next(socket, 'end');
      const other = wrap();
      const failed = next(other.socket, 'error');
      const over = next(other.socket, 'close');
      other.source.destroy(new Error('gone'));
      expect(await failed).toEqual([new Error('gone')]);
      expect(await over).toEqual([1006, '']);
    },
    'read once, behind the end of all, it has ended': async () => {
      const { socket, wire } = wrap();
      socket.on('readable', () => {});
      wire.send(TEXT, 'abc').send(CLOSE);
      await wire.take(2);
      wire.socket.end();
      await next(socket, 'finish');
      const events: string[] = [];
      for (const name of ['end', 'close'] as const) socket.on(name, () => events.push(name));
      events.push(text(socket.read()));
      await turn();
      expect(events).toEqual(['abc', 'end', 'close']);
    },
    'B-30 an error that nobody listens for is not thrown': async () => {
      const { socket, wire } = wrap();
      wire.write(hex`81 00`);
      expect(await next(socket, 'close')).toEqual([1006, '']);
      expect(socket.errored).toMatchObject({ code: 'WS_ERR_EXPECTED_MASK' });
    },
  },
  'BK-012': {
    'mask is true: what goes out is masked, what comes in must not be': async () => {
      const { socket, wire } = wrap({ mask: true });
      socket.writeEnd('hi');
      const [first] = await wire.frames(1);
      expect([first!.maskingKey, String(first!.payload)]).toEqual([expect.any(Number), 'hi']);
      wire.write(hex`81 02 | 6869`);
      await next(socket, 'readable');
      expect(text(socket.read())).toBe('hi');
      const failed = next(socket, 'error');
      wire.send(TEXT, 'hi');
      expect(await failed).toMatchObject([{ code: 'WS_ERR_UNEXPECTED_MASK', closeCode: 1002 }]);
    },
    'B-03 it is false: an unmasked frame ends it with 1002': async () => {
      const { socket, wire } = wrap();
      const failed = next(socket, 'error');
      wire.write(hex`81 02 | 6869`);
      expect(await failed).toMatchObject([{ code: 'WS_ERR_EXPECTED_MASK' }]);
      expect(await wire.take(4)).toBe('880203ea');
    },
    "role 'any' takes both": async () => {
      const { socket, wire } = wrap({ role: 'any' });
      const events = told(socket);
      wire.write(hex`81 01 | 61`);
      await next(socket, 'done');
      wire.send(TEXT, 'b');
      await next(socket, 'done');
      expect(events.filter((event) => !event.startsWith('('))).toEqual(['a', 'b']);
    },
  },
  'BK-013': async () => {
    const { socket, wire } = wrap();
    expect(socket.read()).toBeNull();
    wire.send(TEXT, 'one', { fin: false });
    wire.send(PING, 'ping!');
    wire.send(CONTINUATION, 'two');
    wire.send(PONG, 'pong!');
    await next(socket, 'done');
    expect(text(socket.read())).toBe('onetwo');
    expect(socket.read()).toBeNull();
  },
  'BK-014': {
    'fields that are left out stay, others are coerced, impossible ones ignored': async () => {
      const { socket, wire } = wrap();
      expect(socket.writeHead({ opcode: 2 })).toBe(socket);
      socket.writeHead({ fin: 1 as unknown as boolean, mask: 0 as unknown as boolean });
      socket.writeHead({ opcode: 3, length: -1, masking: Buffer.alloc(3) });
      socket.writeHead({ opcode: 'x' as unknown as number, length: 1.5 });
      socket.write('a');
      expect(await wire.take(3)).toBe('820161');
    },
    'B-28 a head is for one message: nothing of it stays': async () => {
      const { socket, wire } = wrap();
      socket.writeHead({ opcode: 2, length: 2, mask: true, masking: Buffer.of(0, 0, 0, 0) });
      socket.writeEnd('ab');
      socket.writeHead({ opcode: 2, fin: true });
      socket.write('c');
      socket.write('d');
      socket.writeEnd('e');
      expect(await wire.take(17)).toBe('8282000000006162' + '820163' + '010164' + '800165');
    },
  },
  'BK-015': {
    'X-21 it is false unless it is said': async () => {
      const { socket, wire } = wrap();
      socket.write('a');
      socket.writeHead({ fin: true });
      socket.write('b');
      expect(await wire.take(6)).toBe('010161' + '800162');
    },
  },
  'BK-016': {
    'of a message, and by default the option': async () => {
      const { socket, wire } = wrap();
      socket.writeHead({ mask: true });
      socket.writeEnd('a');
      socket.writeEnd('b');
      const [first, second] = await wire.frames(2);
      expect([first!.maskingKey, second!.maskingKey]).toEqual([expect.any(Number), undefined]);
      expect(String(first!.payload)).toBe('a');
    },
    'X-22 on a connection of a Server the role decides': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      socket.writeHead({ mask: true, masking: Buffer.of(1, 2, 3, 4), opcode: 2, length: 2 });
      socket.write('a');
      socket.writeEnd('b');
      expect(await client.until(1)).toEqual([Buffer.from('ab')]);
    },
  },
  'BK-017': async () => {
    const { socket, wire } = wrap();
    socket.writeHead({ opcode: 2 });
    socket.write('a');
    socket.write('b');
    socket.writeEnd('c');
    socket.writeHead({ opcode: 9 }).write('x');
    socket.writeHead({ opcode: 10 }).write('x');
    socket.writeHead({ opcode: 8 }).write(Buffer.of(3, 232));
    expect(await wire.take(19)).toBe('020161' + '000162' + '800163' + '890178' + '8a0178' + '880203e8');
  },
  'BK-018': {
    'several writes fill one frame, in each form of the length': async () => {
      const { socket, wire } = wrap();
      for (const [length, header] of [
        [4, '8204'],
        [200, '827e00c8'],
        [70_000, '827f0000000000011170'],
      ] as const) {
        socket.writeHead({ opcode: 2, fin: true, length });
        socket.write(Buffer.alloc(length / 2));
        socket.write(Buffer.alloc(length / 2));
        expect(await wire.take(header.length / 2 + length)).toBe(header + '00'.repeat(length));
      }
    },
    'more than that throws, and nothing of it is sent': async () => {
      const { socket, wire } = wrap();
      socket.writeHead({ opcode: 2, fin: true, length: 2 });
      socket.write('a');
      expect(() => socket.write('bc')).toThrow(RangeError);
      socket.write('b');
      expect(await wire.take(4)).toBe('82026162');
    },
    'less than that and the end: the source is destroyed': async () => {
      const { socket, source } = wrap();
      const failed = next(socket, 'error');
      socket.writeHead({ length: 2 });
      socket.writeEnd('a');
      expect(await failed).toMatchObject([{ code: 'WS_ERR_DECLARED_LENGTH' }]);
      expect(source.destroyed).toBe(true);
    },
    'on a connection of a Server: several writes fill one frame, in each form of the length': async () => {
      const { server, port } = await start({ perMessageDeflate: true });
      for (const headers of [{}, { 'Sec-WebSocket-Extensions': 'permessage-deflate' }]) {
        const { wire, socket } = await joinRaw(server, port, headers);
        for (const [length, header] of [
          [4, '8204'],
          [200, '827e00c8'],
          [70_000, '827f0000000000011170'],
        ] as const) {
          socket.writeHead({ opcode: 2, fin: true, length });
          socket.write(Buffer.alloc(length / 2));
          expect(await wire.take(header.length / 2 + length / 2)).toBe(header + '00'.repeat(length / 2));
          socket.write(Buffer.alloc(length / 2));
          expect(await wire.take(length / 2)).toBe('00'.repeat(length / 2));
        }
        socket.writeHead({ opcode: 1, length: 2 }).writeEnd('ab');
        socket.writeHead({ opcode: 1, fin: true, length: 2 }).write('cd');
        socket.writeEnd('e');
        expect(await wire.take(11)).toBe('81026162' + '81026364' + '810165');
      }
    },
    'on a connection also where it does not end the message: first, in the middle, last': async () => {
      const { server, port } = await start({ perMessageDeflate: { threshold: 0 } });
      const { wire, socket } = await joinRaw(server, port);
      for (const [length, header] of [
        [4, '0204'],
        [200, '007e00c8'],
        [70_000, '807f0000000000011170'],
      ] as const) {
        socket.writeHead({ opcode: 2, fin: length === 70_000, length });
        expect(socket.write(Buffer.alloc(length / 2))).toBe(true);
        socket.ping();
        expect(await wire.take(2)).toBe('8900'); // nothing is sent before the frame is whole
        await new Promise<void>((resolve) => void socket.write(Buffer.alloc(length / 2), () => resolve()));
        expect(await wire.take(header.length / 2 + length)).toBe(header + '00'.repeat(length));
      }
      socket.writeHead({ length: 2 }).write('ab');
      socket.write('c');
      socket.writeHead({ length: 2 }).write('d');
      socket.writeEnd('e');
      expect(await wire.take(11)).toBe('01026162' + '000163' + '80026465');
      const opened = next<[Socket]>(server, 'open');
      const client = new Client(port, '/', { perMessageDeflate: true });
      const heads: unknown[] = [];
      client.socket.on('frame', ({ opcode, fin, rsv }) => heads.push([opcode, fin, rsv]));
      const [packed] = await opened;
      packed.writeHead({ opcode: 2, length: 2000 });
      for (let n = 0; n < 20; n++) packed.write(Buffer.alloc(100));
      packed.writeEnd('end');
      expect(await client.until(1)).toEqual([Buffer.concat([Buffer.alloc(2000), Buffer.from('end')])]);
      expect(heads).toEqual([
        [2, false, 4],
        [0, true, 0],
      ]);
    },
    'on a connection what is over 1 MiB goes out as fragments': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      const parts = [0, 1, 2].map((n) => Buffer.alloc(1_000_000, n));
      for (const fin of [true, false]) {
        socket.writeHead({ opcode: 2, fin, length: 3_000_000 });
        for (const part of parts) socket.write(part);
        if (!fin) socket.writeEnd();
        socket.send('behind');
      }
      const sent = Buffer.concat(parts);
      const messages = await client.until(4);
      expect(messages.map((message) => (message === 'behind' ? message : sent.equals(message as Buffer)))).toEqual([
        true,
        'behind',
        true,
        'behind',
      ]);
    },
    'what waits for the rest of a frame counts as memory, and is let go with the connection': async () => {
      const { server, port } = await start();
      const { socket, client } = await join(server, port);
      socket.writeHead({ opcode: 2, length: 1_000_000 }).write(Buffer.alloc(900_000));
      expect(server.core.metrics().memory).toBeGreaterThanOrEqual(900_000);
      client.socket.terminate();
      await next(server, 'close');
      expect(server.core.metrics().memory).toBeLessThan(900_000);
    },
    'on a connection more than that throws, and nothing of it is sent; a ping waits': async () => {
      const { server, port } = await start();
      const { wire, socket } = await joinRaw(server, port);
      socket.writeHead({ opcode: 2, fin: true, length: 2 });
      expect(() => socket.write('abc')).toThrow(RangeError);
      socket.write('a');
      expect(() => socket.write('bc')).toThrow(RangeError);
      expect(() => socket.writeEnd('bc')).toThrow(RangeError);
      socket.ping('p');
      socket.write('b');
      expect(await wire.take(7)).toBe('82026162' + '890170');
      socket.writeHead({ opcode: 2, length: 2 }).write('c');
      expect(() => socket.write('de')).toThrow(RangeError);
      expect(() => socket.writeEnd('de')).toThrow(RangeError);
      socket.write('d');
      socket.writeEnd();
      expect(await wire.take(6)).toBe('02026364' + '8000');
    },
    'end() in the middle of a frame cuts too, on a byte stream and on a connection': async () => {
      const { server, port } = await start();
      for (const { socket } of [wrap(), await joinRaw(server, port)]) {
        const failed = next(socket, 'error');
        const over = next(socket, 'close');
        socket.writeHead({ length: 3 }).write('a');
        socket.end();
        expect(await failed).toMatchObject([{ code: 'WS_ERR_DECLARED_LENGTH' }]);
        expect(await over).toEqual([1006, '']);
      }
    },
    'a peer that leaves in the middle of a frame of ours is no error of ours': async () => {
      const { server, port } = await start();
      const errors: Error[] = [];
      server.on('error', (error) => errors.push(error));
      for (const fin of [true, false]) {
        const { wire, socket } = await joinRaw(server, port);
        const over = next(socket, 'close');
        socket.writeHead({ opcode: 2, fin, length: 3 }).write('a');
        wire.cut();
        expect(await over).toEqual([1006, '']);
      }
      expect(errors).toEqual([]);
    },
    'on a connection less than that and the end: it is cut, with an error': async () => {
      const { server, port } = await start();
      for (const [fin, isBegun] of [
        [true, true],
        [true, false],
        [false, true],
        [false, false],
      ]) {
        const { wire, socket } = await joinRaw(server, port);
        const failed = next(socket, 'error');
        const over = next(socket, 'close');
        socket.writeHead({ opcode: 2, fin, length: 3 });
        if (isBegun) socket.write('a');
        if (isBegun && fin) expect(await wire.take(3)).toBe('820361');
        expect(socket.writeEnd('b')).toBe(false);
        expect(await failed).toMatchObject([{ code: 'WS_ERR_DECLARED_LENGTH' }]);
        expect(await over).toEqual([1006, '']);
        expect(String(await wire.rest())).toBe('');
      }
    },
  },
  'BK-019': async () => {
    const { socket, wire } = wrap();
    socket.writeHead({ masking: Buffer.from('37fa213d', 'hex') });
    socket.writeEnd('Hello');
    expect(await wire.take(11)).toBe('818537fa213d7f9f4d5158');
    socket.writeHead({ mask: true });
    socket.write('a');
    socket.writeEnd('b');
    const keys = (await wire.frames(2)).map(({ maskingKey }) => maskingKey);
    expect(new Set(keys).size).toBe(2);
  },
  'BK-020': async () => {
    const { socket, wire } = wrap();
    socket.writeHead({ rsv1: true, rsv2: true, rsv3: true });
    socket.writeEnd('a');
    expect(await wire.take(3)).toBe('810161');
    const own = wrap({ allowedRsv: 5 });
    own.socket.writeHead({ rsv1: true, rsv2: true, rsv3: true });
    own.socket.writeEnd('a');
    expect(await own.wire.take(3)).toBe('d10161');
  },
  'BK-021': {
    'fragments of one message': async () => {
      const { socket, wire } = wrap();
      expect(socket.write('a')).toBe(true);
      expect(socket.write(Buffer.from('b'))).toBe(true);
      expect(await wire.take(6)).toBe('010161' + '000162');
    },
    'what is no chunk does nothing, and its callback is called': async () => {
      const { socket, wire } = wrap();
      for (const nothing of [null, undefined, true, false]) expect(socket.write(nothing)).toBe(true);
      await new Promise<void>((resolve) => socket.write(null, () => resolve()));
      await new Promise<void>((resolve) => socket.write('a', 'utf8', () => resolve()));
      expect(await wire.take(3)).toBe('010161');
      expect(() => socket.write(5 as never)).toThrow(TypeError);
    },
    "a full stream says so, and 'drain' follows": async () => {
      const [source, far] = duplexPair();
      const socket = new Socket(source);
      while (socket.write(Buffer.alloc(16_384)));
      far.resume();
      await once(socket, 'drain');
    },
    'the same on a connection of a Server': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      socket.write('a');
      socket.write(socket.writeEnd('b'));
      socket.writeHead({ opcode: 2, fin: true }).write(Buffer.of(1));
      expect(await client.until(2)).toEqual(['ab', Buffer.of(1)]);
      while (socket.write(Buffer.alloc(65_536)));
      await next(socket, 'drain');
      socket.end('!');
      expect((await client.until(3))[2]!.length).toBeGreaterThan(65_536);
      expect((await client.socket.closed).code).toBe(1005);
    },
  },
  'BK-022': async () => {
    const { socket, wire } = wrap();
    socket.writeHead({ opcode: 1 });
    expect(socket.writeEnd('Hello')).toBe(true);
    expect(await wire.take(7)).toBe('810548656c6c6f');
    socket.write('a');
    socket.writeEnd('b');
    socket.writeEnd();
    expect(await wire.take(8)).toBe('010161' + '800162' + '8100');
  },
  'BK-023': {
    'of each frame of a byte stream': async () => {
      const { socket, wire } = wrap();
      const heads: ReceivedHead[] = [];
      socket.on('head', (head) => heads.push(head));
      socket.resume();
      wire.send(BINARY, '', { fin: false });
      wire.send(PING, 'x');
      wire.send(CONTINUATION, Buffer.alloc(300));
      await next(socket, 'done');
      const masking = Buffer.from('37fa213d', 'hex');
      const bits = { mask: true, rsv1: false, rsv2: false, rsv3: false, masking };
      expect(heads).toEqual([
        { ...bits, fin: false, opcode: 2, length: 0, headSize: 6 },
        { ...bits, fin: true, opcode: 9, length: 1, headSize: 6 },
        { ...bits, fin: true, opcode: 0, length: 300, headSize: 8 },
      ]);
      const client = wrap({ mask: true, allowedRsv: 7 });
      const head = next(client.socket, 'head');
      client.wire.write(hex`f1 00`);
      expect(await head).toMatchObject([
        { mask: false, rsv1: true, rsv2: true, rsv3: true, masking: Buffer.alloc(0), headSize: 2 },
      ]);
    },
    'of each frame of a connection of a Server, on it and on the Server': async () => {
      const { server, port } = await start();
      const { wire, socket } = await joinRaw(server, port);
      const events: unknown[] = [];
      const listener = ({ opcode, fin, length, headSize, masking }: ReceivedHead, from: Socket): void =>
        void events.push([opcode, fin, length, headSize, masking.toString('hex'), from.id]);
      const onSocket = (head: ReceivedHead): void => listener(head, socket);
      server.on('head', listener);
      socket.on('head', onSocket);
      server.on('message', (message) => events.push(message));
      const frames = [frame(TEXT, 'a', { fin: false }), frame(PING, 'x'), frame(CONTINUATION, Buffer.alloc(300, 'b'))];
      wire.write(Buffer.concat(frames));
      await next(server, 'message');
      const heads = [
        [1, false, 1, 6, '37fa213d', 0],
        [9, true, 1, 6, '37fa213d', 0],
        [0, true, 300, 8, '37fa213d', 0],
      ];
      expect(events).toEqual([...heads.flatMap((head) => [head, head]), `a${'b'.repeat(300)}`]);
      server.off('head', listener);
      socket.off('head', onSocket);
      events.length = 0;
      wire.write(Buffer.concat(frames));
      await next(server, 'message');
      expect(events).toEqual([`a${'b'.repeat(300)}`]);
    },
  },
  'BK-024': async () => {
    const { socket, wire } = wrap();
    const events = told(socket);
    wire.write(Buffer.concat([frame(TEXT, 'a', { fin: false }), frame(PING)]));
    wire.write(Buffer.concat([frame(CONTINUATION, 'b'), frame(BINARY, 'c')]));
    await next(socket, 'done');
    await next(socket, 'done');
    const payload = events.filter((event) => !event.startsWith('(head'));
    expect(payload.join('').replaceAll('(done)', '|')).toBe('ab|c|');
  },
  'BK-025': {
    'never with nothing to read, and the end is reached': async () => {
      const { socket, wire } = wrap();
      const read: string[] = [];
      socket.on('readable', () => read.push((socket.read() as Buffer).toString()));
      wire.send(TEXT, 'abc');
      wire.socket.end();
      await next(socket, 'end');
      expect(read).toEqual(['abc']);
    },
    'a loop ends, and so does a pipe': async () => {
      const { socket, wire } = wrap();
      wire.send(TEXT, 'abc');
      wire.socket.end();
      const read: Buffer[] = [];
      for await (const chunk of socket) read.push(chunk as Buffer);
      expect(String(Buffer.concat(read))).toBe('abc');
      const echo = wrap();
      echo.socket.pipe(echo.socket);
      echo.wire.send(TEXT, 'to and fro');
      echo.wire.socket.end();
      expect(String(await echo.wire.rest())).toContain('to and fro');
    },
  },
  'BK-026': {
    'pings and close frames are answered, and told of': async () => {
      const { socket, wire } = wrap();
      const events: unknown[] = [];
      socket.on('ping', (payload) => events.push(['ping', String(payload)]));
      socket.on('pong', (payload, { direction }) => events.push(['pong', payload, direction]));
      const over = next(socket, 'close');
      wire.send(PING, 'a');
      wire.send(PONG, 'b');
      expect(await wire.take(3)).toBe('8a0161');
      wire.send(CLOSE, Buffer.from('0fa16f6b', 'hex'));
      expect(await wire.take(6)).toBe('88040fa16f6b');
      wire.socket.end();
      expect(await over).toEqual([4001, 'ok']);
      expect(events).toEqual([
        ['ping', 'a'],
        ['pong', 'a', 'sent'],
        ['pong', 'b', 'received'],
      ]);
    },
    'raw answers nothing': async () => {
      const { socket, wire } = wrap({ raw: true });
      const pings: string[] = [];
      socket.on('ping', (payload) => pings.push(String(payload)));
      socket.on('pong', (payload) => pings.push(`pong ${payload}`));
      wire.send(PING, 'a');
      wire.send(CLOSE, Buffer.of(3, 232));
      wire.send(TEXT, 'b');
      await next(socket, 'done');
      socket.writeEnd('c');
      expect(await wire.take(3)).toBe('810163');
      expect(pings).toEqual(['a']);
    },
  },
});
