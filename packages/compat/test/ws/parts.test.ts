import { once } from 'node:events';
import { duplexPair, PassThrough } from 'node:stream';
import { expect } from '@jest/globals';
import { prove } from '../rows.js';
import { parts as rows } from '../rows/ws.js';
import WebSocket from '../../src/ws/index.js';
import { Ours, Reference, same, settled, type Library, type Socket } from './differential.js';

interface Internals {
  Sender: { new (socket: unknown): unknown; frame(data: Buffer | string, options: object): Buffer[] };
  Receiver: new (
    options?: object,
  ) => NodeJS.EventEmitter & { write(data: Buffer, done?: (error?: Error) => void): boolean };
  PerMessageDeflate: { new (options?: object): Deflate; extensionName: string };
  extension: { parse(header: string): Record<string, object[]>; format(extensions: object): string };
  subprotocol: { parse(header: string): Set<string> };
}
interface Deflate {
  params: object | null;
  offer(): object;
  accept(configurations: object[]): object;
  compress(data: Buffer | string, fin: boolean, done: Done): void;
  decompress(data: Buffer, fin: boolean, done: Done): void;
  cleanup(): void;
}
type Done = (error: Error | null, data: Buffer) => void;
type WithSender = Socket & { _sender: { sendFrame(list: Buffer[], done?: (error?: Error) => void): void } };

const internals = (library: Library): Internals => library as unknown as Internals;
const call = (act: (done: Done) => void): Promise<Buffer> =>
  new Promise((resolve, reject) => act((error, data) => (error ? reject(error) : resolve(data))));

prove(rows, {
  'WS8-010': {
    'the bytes of a frame': () => {
      const { Sender } = internals(Ours);
      const all: [data: Buffer | string, options: object][] = [
        [Buffer.from('hello'), { opcode: 1, fin: true, readOnly: false, mask: false, rsv1: false }],
        ['héllo', { opcode: 1, fin: true }],
        [Buffer.alloc(200), { opcode: 2, fin: false }],
        [Buffer.alloc(70_000), { opcode: 0, fin: true, rsv1: true }],
        [Buffer.from('p'), { opcode: 9, fin: true, mask: true, generateMask: (mask: Buffer) => mask.fill(7) }],
      ];
      for (const [data, options] of all) {
        const copy = (): Buffer | string => (typeof data === 'string' ? data : Buffer.from(data));
        expect(Buffer.concat(Sender.frame(copy(), options))).toEqual(
          Buffer.concat(internals(Reference).Sender.frame(copy(), options)),
        );
      }
    },
    'masks at random, and in place unless readOnly': () => {
      const { Sender } = internals(Ours);
      const data = Buffer.from('hello');
      const frames = [0, 1].map(() =>
        Buffer.concat(Sender.frame(data, { opcode: 1, fin: true, mask: true, readOnly: true })),
      );
      expect([data.toString(), frames[0]!.equals(frames[1]!), frames[0]!.length]).toEqual(['hello', false, 11]);
      const maskBuffer = Buffer.alloc(4);
      Sender.frame('hello', { opcode: 1, fin: true, mask: true, maskBuffer });
      expect(maskBuffer.equals(Buffer.alloc(4))).toBe(false);
      const [head, payload] = Sender.frame(data, { opcode: 1, fin: true, mask: true });
      expect([payload!.equals(data), data.toString() === 'hello', head!.length]).toEqual([true, false, 6]);
    },
  },
  'WS8-011': {
    'in order with all else, with its callback': same(async (world) => {
      const { client, socket } = await world.pair();
      world.events('client', client, 'message', 'ping', 'pong');
      const { Sender } = internals(world.server);
      const frame = (data: string, options: object): Buffer[] =>
        Sender.frame(Buffer.from(data), { fin: true, ...options });
      const { _sender } = socket as WithSender;
      socket.send('first');
      await new Promise<void>((resolve) => _sender.sendFrame(frame('text', { opcode: 1 }), () => resolve()));
      _sender.sendFrame(frame('binary', { opcode: 2 }));
      _sender.sendFrame(frame('two in ', { opcode: 1, fin: false }));
      _sender.sendFrame(frame('one', { opcode: 0 }));
      _sender.sendFrame(frame('are you there', { opcode: 9 }));
      _sender.sendFrame(frame('here', { opcode: 10 }));
      _sender.sendFrame(frame('', { opcode: 1 }));
      socket.send('last');
      await settled(socket);
    }),
    'a Close frame': same(async (world) => {
      const { client, socket } = await world.pair();
      world.events('client', client, 'close');
      const list = internals(world.server).Sender.frame(Buffer.from('\x0f\xa1bye', 'latin1'), { opcode: 8, fin: true });
      await new Promise<void>((resolve) => (socket as WithSender)._sender.sendFrame(list, () => resolve()));
      await once(client, 'close');
    }),
    'what is no frame': () => {
      const socket = WebSocket.from(duplexPair()[0], { role: 'server' }) as WebSocket;
      expect(() => socket._sender.sendFrame([])).toThrow(RangeError);
      expect(() => socket._sender.sendFrame([Buffer.of(0x81, 5, 1)])).toThrow(RangeError);
      expect(() => socket._sender.sendFrame([Buffer.of(0x83, 0)])).toThrow('opcode');
      socket.terminate();
    },
    'a client masks it again': async () => {
      const server = new Ours.Server({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      const client = new Ours(`ws://127.0.0.1:${(server.address() as { port: number }).port}`) as WithSender;
      const [socket] = (await once(server, 'connection')) as [Socket];
      await once(client, 'open');
      const frame = internals(Ours).Sender.frame(Buffer.from('masked'), {
        opcode: 1,
        fin: true,
        mask: true,
        readOnly: true,
      });
      const before = Buffer.concat(frame);
      client._sender.sendFrame(frame);
      expect(String((await once(socket, 'message'))[0])).toBe('masked');
      expect(Buffer.concat(frame)).toEqual(before);
      expect(() =>
        client._sender.sendFrame(internals(Ours).Sender.frame(Buffer.of(1), { opcode: 1, fin: true, rsv1: true })),
      ).toThrow('RSV1');
      client.terminate();
      server.close();
    },
  },
  'WS8-012': () => {
    for (const socket of [new PassThrough(), null])
      expect(() => new (internals(Ours).Sender)(socket)).toThrow(TypeError);
  },
  'WS8-013': {
    'what comes in frames': async () => {
      const feed = ['8103616263', '890170', '8a00', '0101c3', '8001a9', '8203010203', '880203e8'];
      const [expected, seen] = await Promise.all([Reference, Ours].map((library) => received(library, {}, feed)));
      expect(seen).toEqual(expected);
      expect(seen).toContainEqual(['conclude', 1000, '']);
    },
    'byte by byte, masked, in the other forms': async () => {
      const bytes = '818300000000616263'.match(/../g)!;
      for (const binaryType of ['arraybuffer', 'fragments']) {
        const options = { isServer: true, binaryType };
        const feed = [...bytes, '82830000000001', '0203', '888000000000'];
        const [expected, seen] = await Promise.all(
          [Reference, Ours].map((library) => received(library, options, feed)),
        );
        expect(seen).toEqual(expected);
      }
    },
    'compressed, and corrupt': async () => {
      const inflate = new (internals(Ours).PerMessageDeflate)();
      inflate.accept([{}]);
      const noise = `c17e ffff ${'07'.repeat(65_535)}`.replaceAll(' ', '');
      const seen = await received(Ours, { extensions: { 'permessage-deflate': inflate } }, [noise]);
      expect(seen).toEqual([['error', 'WS_ERR_INVALID_DEFLATE_DATA']]);
    },
    'what breaks a rule': async () => {
      const wrong: [options: object, feed: string][] = [
        [{ isServer: true }, '810161'],
        [{ maxPayload: 3 }, '810461626364'],
        [{}, 'c10161'],
        [{}, '8101ff'],
        [{ maxFragments: 1 }, '010161000162'],
      ];
      for (const [options, feed] of wrong) {
        const [expected, seen] = await Promise.all(
          [Reference, Ours].map((library) => received(library, options, [feed])),
        );
        expect(seen).toEqual(expected);
      }
    },
    compressed: async () => {
      for (const library of [Reference, Ours]) {
        const deflate = new (internals(library).PerMessageDeflate)({ isServer: true });
        deflate.accept([{}]);
        const data = await call((done) => deflate.compress('hello hello', true, done));
        const inflate = new (internals(library).PerMessageDeflate)({ isServer: false });
        inflate.accept([{}]);
        const frame = Buffer.concat([Buffer.of(0xc1, data.length), data]).toString('hex');
        const seen = await received(library, { extensions: { 'permessage-deflate': inflate } }, [frame, '8800']);
        expect(seen).toEqual([
          ['message', 'hello hello', false],
          ['conclude', 1005, ''],
        ]);
      }
    },
  },
  'WS8-014': {
    'offers, and what is accepted': () => {
      const options = [
        {},
        { serverNoContextTakeover: true, clientMaxWindowBits: 10 },
        { serverMaxWindowBits: 9 },
        { clientNoContextTakeover: true },
      ];
      const headers = [
        '',
        '; client_max_window_bits',
        '; client_max_window_bits=12; server_no_context_takeover',
        '; server_max_window_bits=8',
        '; nonsense',
      ];
      const outcome = (library: Library, given: object, header: string): unknown => {
        const { PerMessageDeflate, extension } = internals(library);
        const deflate = new PerMessageDeflate(given);
        try {
          const agreed = deflate.accept(extension.parse(`permessage-deflate${header}`)['permessage-deflate']!);
          return [agreed, deflate.params, deflate.offer()];
        } catch {
          return 'none';
        }
      };
      for (const given of options) {
        for (const header of headers) {
          const server = { ...given, isServer: true };
          expect(outcome(Ours, server, header)).toEqual(outcome(Reference, server, header));
        }
      }
      expect(new (internals(Ours).PerMessageDeflate)().params).toBeNull();
      expect(internals(Ours).PerMessageDeflate.extensionName).toBe('permessage-deflate');
    },
    'one end compresses, the other decompresses: with `ws` at either': async () => {
      const text = 'a text that comes twice, a text that comes twice. ';
      const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + (i >> 3) * 7) & 255));
      for (const [from, to] of [
        [Reference, Ours],
        [Ours, Reference],
        [Ours, Ours],
      ] as const) {
        const deflate = new (internals(from).PerMessageDeflate)({ isServer: true, threshold: 0 });
        const inflate = new (internals(to).PerMessageDeflate)({ isServer: false });
        deflate.accept([{}]);
        inflate.accept([{}]);
        for (const data of [text, text, '', noise, text.repeat(2000)]) {
          const compressed = await call((done) => deflate.compress(Buffer.from(data), true, done));
          const back = await call((done) => inflate.decompress(compressed, true, done));
          expect(back.equals(Buffer.from(data))).toBe(true);
        }
        const [first, last] = await Promise.all([
          call((done) => deflate.compress(Buffer.from('in two '), false, done)),
          call((done) => deflate.compress(Buffer.from('parts'), true, done)),
        ]);
        const parts = await Promise.all([
          call((done) => inflate.decompress(first, false, done)),
          call((done) => inflate.decompress(last, true, done)),
        ]);
        expect(Buffer.concat(parts).toString()).toBe('in two parts');
        deflate.cleanup();
        inflate.cleanup();
      }
    },
    'what is too long, or corrupt, and before anything is agreed': async () => {
      const { PerMessageDeflate } = internals(Ours);
      const deflate = new PerMessageDeflate({ isServer: true });
      expect(() => deflate.compress('x', true, () => {})).toThrow('accept');
      deflate.accept([{}]);
      const bomb = await call((done) => deflate.compress('x'.repeat(1000), true, done));
      const short = new PerMessageDeflate({ maxPayload: 999 });
      short.accept([{}]);
      await expect(call((done) => short.decompress(bomb, true, done))).rejects.toMatchObject({
        code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      });
      const other = new PerMessageDeflate();
      other.accept([{}]);
      await expect(call((done) => other.decompress(Buffer.of(1, 2, 3), true, done))).rejects.toMatchObject({
        closeCode: 1007,
      });
    },
  },
  'WS8-015': () => {
    const [was, is] = [internals(Reference).extension, internals(Ours).extension];
    for (const header of ['a', 'a; b="c"; d, a, e;f=1;f=2', 'permessage-deflate; client_max_window_bits']) {
      expect(is.parse(header)).toEqual(was.parse(header));
      expect(is.format(is.parse(header))).toBe(was.format(was.parse(header)));
    }
    for (const header of ['', 'a;;', 'a b', ';']) expect(() => is.parse(header)).toThrow(SyntaxError);
    expect(is.format({ x: { y: [true, 1] }, z: [] })).toBe(
      was.format({ x: { y: [true, 1] }, z: [] }).replace(/, $/, ''),
    );
    expect(Object.getPrototypeOf(is.parse('__proto__; a'))).toBeNull();
    for (const { parse } of [was, is]) expect(() => parse(null as never)).toThrow(TypeError);
  },
  'WS8-016': () => {
    const { subprotocol } = internals(Ours);
    expect([...subprotocol.parse('b, a')]).toEqual([...internals(Reference).subprotocol.parse('b, a')]);
    for (const header of ['', 'a,a', 'a b']) expect(() => subprotocol.parse(header)).toThrow(SyntaxError);
  },
});

/** What a Receiver of the library emits for these, and how each write ends. */
async function received(library: Library, options: object, feed: readonly string[]): Promise<unknown[]> {
  const receiver = new (internals(library).Receiver)(options);
  const seen: unknown[] = [];
  for (const type of ['message', 'ping', 'pong', 'conclude'])
    receiver.on(type, (...told: unknown[]) => seen.push([type, ...told.map(shown)]));
  const ended = new Promise<void>((resolve) => receiver.on('close', resolve));
  receiver.on('error', (error: Error & { code: string }) => seen.push(['error', error.code]));
  for (const hex of feed) receiver.write(Buffer.from(hex, 'hex'));
  await ended;
  return seen;
}

function shown(value: unknown): unknown {
  if (Array.isArray(value)) return Buffer.concat(value as Buffer[]).toString();
  if (typeof value !== 'object' || value === null) return value;
  return ArrayBuffer.isView(value)
    ? Buffer.from(value as Buffer).toString()
    : `ArrayBuffer ${Buffer.from(value as ArrayBuffer).toString()}`;
}
