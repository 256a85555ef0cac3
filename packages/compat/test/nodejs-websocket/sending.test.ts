import { once } from 'node:events';
import { expect } from '@jest/globals';
import { Connection, type InStream, OutStream } from '../../src/nodejs-websocket/index.js';
import { sendingRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';
import { closedConnection, pair, rawPair, rawServed, record } from './ends.js';

const NOT_OPEN = /can't write to a non-open connection/;
/** What is the same of frames of a client. */
const MASKED = { fin: true, rsv: 0, maskingKey: expect.any(Number) };

prove(sendingRows, {
  'NW-043': {
    'one frame, true, and the callback': async () => {
      const { client, raw } = await rawServed();
      const done = new Promise((resolve) => {
        expect(client.sendText('hé', resolve as () => void)).toBe(true);
      });
      expect(await done).toBeUndefined();
      expect(await raw.frames(1)).toEqual([{ ...MASKED, opcode: 1, payload: Buffer.from('hé') }]);
    },
    'false where the peer does not take it': async () => {
      const { remote, raw } = await rawPair();
      raw.socket.pause();
      const text = 'x'.repeat(1_000_000);
      while (remote.sendText(text) === true);
      expect(remote.webSocket!.bufferedAmount).toBeGreaterThan(65_536);
    },
    'while a binary message is open it is an error': async () => {
      const { client } = await pair();
      const log = record(client, ['error']);
      client.beginBinary();
      const told = new Promise((resolve) => expect(client.sendText('x', resolve as () => void)).toBeUndefined());
      const error = await told;
      expect(log).toEqual([['error', error]]);
      expect((error as Error).message).toMatch(/can't send a text frame until you finish sending binary frames$/);
    },
    'where it is not open it is one error': async () => {
      const client = await closedConnection();
      const log = record(client, ['error']);
      const told = new Promise((resolve) => expect(client.sendText('x', resolve as () => void)).toBeUndefined());
      const error = await told;
      expect(log).toEqual([['error', error]]);
      expect((error as Error).message).toMatch(NOT_OPEN);
    },
    'nobody listens: it throws, and the callback is called all the same': async () => {
      const client = await closedConnection();
      const told = new Promise((resolve) => {
        expect(() => client.sendText('x', resolve as () => void)).toThrow(NOT_OPEN);
      });
      expect((await told) as Error).toMatchObject({ message: expect.stringMatching(NOT_OPEN) });
    },
    'a second argument that is no function is nothing': async () => {
      const { client, remote } = await pair();
      const texts: string[] = [];
      const all = new Promise<void>((resolve) => remote.on('text', (text) => texts.push(text) === 3 && resolve()));
      ['a', 'b', 'c'].forEach(client.sendText, client);
      await all;
      expect(texts).toEqual(['a', 'b', 'c']);
    },
  },
  'NW-044': {
    'a message that its end ends': async () => {
      const { client, raw } = await rawServed();
      const out = client.beginBinary();
      expect(out).toBeInstanceOf(OutStream);
      expect(client.outStream).toBe(out);
      out!.write('ab');
      out!.end('c');
      expect(await raw.frames(1)).toEqual([{ ...MASKED, opcode: 2, payload: Buffer.from('abc') }]);
    },
    'a second one, and one in a wrong state: an error, and none': async () => {
      const { client } = await pair();
      const log = record(client, ['error']);
      const out = client.beginBinary();
      expect([client.beginBinary(), client.outStream]).toEqual([undefined, out]);
      expect(log).toEqual([['error', expect.objectContaining({ message: expect.stringMatching(/until you finish/) })]]);
      const over = await closedConnection();
      expect(() => over.beginBinary()).toThrow(NOT_OPEN);
      expect(over.outStream).toBeNull();
    },
  },
  'NW-045': {
    'what is no view of memory is a TypeError; so is what is no text for sendText': async () => {
      const { client, raw } = await rawServed();
      for (const data of [undefined, null, 5, true, ['a'], {}, 'text', new ArrayBuffer(1)])
        expect(() => client.sendBinary(data as Buffer)).toThrow(TypeError);
      for (const data of [undefined, null, 5, true, ['a'], {}, new ArrayBuffer(1)])
        expect(() => client.sendText(data as string)).toThrow(TypeError);
      client.sendText(Buffer.from('bytes') as unknown as string); // as text, as ever
      expect(await raw.frames(1)).toMatchObject([{ opcode: 1, payload: Buffer.from('bytes') }]);
    },
    'one frame, whatever view of memory it is': async () => {
      const { client, raw } = await rawServed();
      const bytes = Buffer.from('abcdef');
      const { buffer, byteOffset } = bytes;
      const views = [
        bytes,
        new Uint8Array(buffer, byteOffset, 6),
        new Uint16Array(bytes.buffer.slice(byteOffset, byteOffset + 6)),
        new DataView(buffer, byteOffset, 6),
      ];
      for (const view of views)
        await new Promise((resolve) => {
          client.sendBinary(view, resolve);
        });
      expect(bytes.toString()).toBe('abcdef'); // masked as it was on its way
      for (const frame of await raw.frames(4)) expect(frame).toEqual({ ...MASKED, opcode: 2, payload: bytes });
    },
    'large ones are not changed either': async () => {
      const { client, remote } = await pair();
      const bytes = Buffer.alloc(100_000, 'abc');
      const arrived = once(remote, 'binary') as Promise<[InStream]>;
      client.sendBinary(bytes);
      const [message] = await arrived;
      const chunks: Buffer[] = [];
      for await (const chunk of message) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
      expect(bytes.equals(Buffer.alloc(100_000, 'abc'))).toBe(true);
    },
    'the errors of sendText': async () => {
      const { client } = await pair();
      const log = record(client, ['error']);
      client.beginBinary();
      expect(client.sendBinary(Buffer.of(1))).toBeUndefined();
      expect(log).toHaveLength(1);
      const over = await closedConnection();
      expect(() => over.sendBinary(Buffer.of(1))).toThrow(NOT_OPEN);
    },
  },
  'NW-046': async () => {
    const { client, raw } = await rawServed();
    const done: unknown[] = [];
    expect(client.send('text', () => done.push('text'))).toBe(true);
    expect(client.send(Buffer.of(1, 2), () => done.push('binary'))).toBe(true);
    const frames = await raw.frames(2);
    expect(frames.map(({ opcode, payload }) => [opcode, payload.toString('latin1')])).toEqual([
      [1, 'text'],
      [2, '\x01\x02'],
    ]);
    expect(done).toEqual(['text', 'binary']);
    for (const data of [1, null, undefined, {}, [], new Uint8Array(1), new ArrayBuffer(1)])
      expect(() => client.send(data as string)).toThrow(TypeError);
    expect(() => client.send(new Uint8Array(1) as Buffer)).toThrow(/string or a Buffer/);
  },
  'NW-047': {
    'a ping, with and without data': async () => {
      const { client, raw } = await rawServed();
      client.sendPing();
      client.sendPing('data');
      client.sendPing(Buffer.of(255));
      client.sendPing(null);
      const frames = await raw.frames(4);
      expect(frames.map(({ opcode, payload }) => [opcode, payload.toString('latin1')])).toEqual([
        [9, ''],
        [9, 'data'],
        [9, '\xff'],
        [9, ''],
      ]);
    },
    'while a binary message is open': async () => {
      Connection.binaryFragmentation = 3;
      const { client, raw } = await rawServed();
      const out = client.beginBinary()!;
      Connection.binaryFragmentation = 524_288;
      out.write('abc');
      client.sendPing('x');
      out.end('d');
      expect(await raw.frames(3)).toMatchObject([{ opcode: 2, fin: false }, { opcode: 9 }, { opcode: 0, fin: true }]);
    },
    'too long, or in a wrong state: an error, and nothing is sent': async () => {
      const { client, raw } = await rawServed();
      const log = record(client, ['error']);
      client.sendPing('x'.repeat(126));
      client.sendPing('é'.repeat(63));
      client.sendPing('x'.repeat(125));
      expect(await raw.frames(1)).toMatchObject([{ opcode: 9, payload: { length: 125 } }]);
      expect(log).toEqual([
        ['error', expect.any(RangeError)],
        ['error', expect.any(RangeError)],
      ]);
      const over = await closedConnection();
      expect(() => over.sendPing()).toThrow(NOT_OPEN);
    },
  },
});
