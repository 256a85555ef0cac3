import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { Incoming } from '@ws/connection';
import { next, type Frame } from '@ws/testing/peer';
import { Connection, InStream, OutStream, Server } from '../../src/nodejs-websocket/index.js';
import { streamRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';
import { inMemory, pair, rawPair, rawServed, record } from './ends.js';

/** Opcode, FIN, whether it is masked, and the payload. */
const outline = ({ opcode, fin, maskingKey, payload }: Frame): unknown[] => [
  opcode,
  fin,
  maskingKey !== undefined,
  payload.toString(),
];

/** One that is made by hand is not `outStream`, and its end leaves that alone. */
async function ofAnother(): Promise<void> {
  const { client } = await pair();
  const out = client.beginBinary()!;
  const other = new OutStream(client, 5);
  const closed = once(other, 'close');
  other.destroy();
  await closed;
  expect(client.outStream).toBe(out);
}

prove(streamRows, {
  'NW-080': {
    'readable and end': async () => {
      const { raw, remote } = await rawPair();
      raw.send(2, 'ab', { fin: false }).send(0, 'c');
      const [message] = (await once(remote, 'binary')) as [InStream];
      expect(message).toBeInstanceOf(InStream);
      expect(message).toBeInstanceOf(Readable);
      expect(message).toBeInstanceOf(Incoming); // one stream, and no other behind it
      let text = '';
      message.on('readable', () => {
        for (let data; (data = message.read() as Buffer | null);) text += data.toString();
      });
      await once(message, 'end');
      expect(text).toBe('abc');
    },
    'an error that nobody listens for is not thrown': async () => {
      const { raw, remote } = await rawPair();
      raw.send(2, 'ab', { fin: false });
      const [message] = (await once(remote, 'binary')) as [InStream];
      expect(message.emit('error', new Error('as of a peer that is gone'))).toBe(true);
    },
    'filled by hand': async () => {
      const message = new InStream();
      message.addData(Buffer.from('ab'));
      message.addData(Buffer.from('c'));
      message.end();
      const chunks: string[] = [];
      for await (const chunk of message) chunks.push(chunk.toString());
      expect(chunks.join('')).toBe('abc');
      expect(InStream.prototype).toHaveProperty('_read');
    },
    'read once, late, it has ended': async () => {
      const message = new InStream();
      message.on('readable', () => {});
      message.addData(Buffer.from('abc'));
      message.end();
      await turn();
      const events: string[] = [];
      message.on('end', () => events.push('end'));
      events.push(String(message.read()));
      await turn();
      expect(events).toEqual(['abc', 'end']);
    },
    'whole and in order, into a slow stream': async () => {
      const { client, remote } = await pair();
      const bytes = Buffer.from(Array.from({ length: 1_500_000 }, (_, i) => i % 251));
      const arrival = once(remote, 'binary') as Promise<[InStream]>;
      client.sendBinary(bytes);
      const [message] = await arrival;
      const slow = new Writable({
        write: (chunk: Buffer, _encoding, done) => {
          chunks.push(chunk);
          setImmediate(done);
        },
      });
      const chunks: Buffer[] = [];
      await pipeline(message, slow);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    },
  },
  'NW-085': {
    'what is collected leaves as one frame, the rest as the last': async () => {
      const { client, raw } = await rawServed();
      const out = new OutStream(client, 5);
      expect([out.connection, out.minSize, out.hasSent]).toEqual([client, 5, false]);
      for (const [part, hasSent] of [
        ['ab', false],
        ['cd', false],
        ['efg', true],
        ['hi', true],
      ] as const) {
        await new Promise<void>((resolve) => void out.write(part, () => resolve()));
        expect(out.hasSent).toBe(hasSent);
      }
      await new Promise<void>((resolve) => void out.write('x'.repeat(100), () => resolve()));
      out.end('yz');
      expect((await raw.frames(3)).map(outline)).toEqual([
        [2, false, true, 'abcdefg'],
        [0, false, true, `hi${'x'.repeat(100)}`],
        [0, true, true, 'yz'],
      ]);
    },
    'the last one may be empty, and be the only one': async () => {
      const { raw, remote } = await rawPair();
      const first = new OutStream(remote, 5);
      first.end();
      await once(first, 'finish');
      const second = new OutStream(remote, 5);
      second.write('abcde');
      second.end();
      await once(second, 'finish');
      const third = new OutStream(remote, 5);
      third.end('ab');
      expect((await raw.frames(4)).map(outline)).toEqual([
        [2, true, false, ''],
        [2, false, false, 'abcde'],
        [0, true, false, ''],
        [2, true, false, 'ab'],
      ]);
      expect([first, second, third].map(({ hasSent }) => hasSent)).toEqual([false, true, false]);
    },
    'without a threshold each write is a frame, with none at all there is one': async () => {
      const { client, raw } = await rawServed();
      const each = new OutStream(client, 0);
      each.write('a');
      each.end('b');
      await once(each, 'finish');
      const one = new OutStream(client, Infinity);
      one.write('x'.repeat(1_000_000));
      one.end('y');
      const frames = await raw.frames(4);
      expect(frames.map(({ opcode, fin, payload }) => [opcode, fin, payload.length])).toEqual([
        [2, false, 1],
        [0, false, 1],
        [0, true, 0],
        [2, true, 1_000_001],
      ]);
    },
  },
  'NW-086': {
    'the connection goes, and nobody listens': async () => {
      const { raw, remote } = await rawPair();
      const out = remote.beginBinary()!;
      out.write('abc');
      raw.socket.end();
      await remote.webSocket!.closed;
      await turn();
      expect([out.destroyed, out.errored, remote.outStream]).toEqual([
        true,
        expect.objectContaining({ code: 'WS_ERR_CLOSED' }),
        null,
      ]);
      const error = await new Promise((resolve) => void out.write('late', resolve));
      expect(error).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
    },
    'somebody listens': async () => {
      const { raw, remote } = await rawPair();
      const out = remote.beginBinary()!;
      const log = record(out, ['error']);
      const gone = next(out, 'close');
      raw.socket.resetAndDestroy();
      await gone;
      expect(log).toEqual([['error', expect.objectContaining({ code: 'WS_ERR_CLOSED' })]]);
    },
    'it was gone before': async () => {
      const { remote } = await rawPair();
      remote.close();
      remote.close();
      await remote.webSocket!.closed.then(turn);
      const out = new OutStream(remote, 5);
      expect(out.destroyed).toBe(true);
      await turn();
    },
    'there is none yet': async () => {
      const [near] = inMemory();
      const out = new OutStream(new Connection(near, new Server(false)), 5);
      expect(out.destroyed).toBe(true);
      expect((await next(out, 'error'))[0]).toBeInstanceOf(Error);
    },
  },
  'NW-087': async () => {
    const { remote, raw } = await rawPair();
    raw.socket.pause();
    const out = new OutStream(remote, 1000);
    const piece = Buffer.alloc(1 << 20);
    let taken = 0;
    const write = (): unknown => out.write(piece, (error) => !error && taken++ < 64 && write());
    write();
    while (remote.socket.writableLength === 0) await turn();
    const before = taken;
    for (let count = 0; count < 10; count++) await turn();
    expect(taken).toBe(before); // it waits for the socket
    expect(remote.webSocket!.bufferedAmount).toBeLessThan(3 << 20);
    raw.socket.resume();
    await raw.when(() => taken > before);
  },
  'NW-088': async () => {
    await ofAnother();

    const { client, remote } = await pair();
    const texts = record(remote, ['text']);
    const out = client.beginBinary()!;
    const log: unknown[] = [];
    out.on('finish', () => {
      log.push(client.outStream);
      client.sendText('behind it');
    });
    out.end('abc');
    expect(client.outStream).toBe(out);
    await once(remote, 'text');
    expect([log, texts]).toEqual([[null], [['text', 'behind it']]]);
  },
});
