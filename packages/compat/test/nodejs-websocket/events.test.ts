import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { atEnd, handshake, next } from '@ws/testing/peer';
import { Connection, type InStream } from '../../src/nodejs-websocket/index.js';
import { eventRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';
import { dial, inMemory, pair, rawPair, record, serve, urlOf } from './ends.js';

prove(eventRows, {
  'NW-060': async () => {
    const server = await serve();
    const log: string[] = [];
    server.on('connection', (conn) => log.push(`connection ${conn.readyState}`));
    const client = dial(urlOf(server));
    client.on('connect', (...args: unknown[]) => log.push(`connect ${client.readyState} ${args.length}`));
    await once(client, 'connect');
    expect(log).toEqual(['connection 1', 'connect 1 0']);
    const [near, far] = inMemory();
    const remote = new Connection(near, server);
    far.resume().write(handshake());
    expect(await once(remote, 'connect')).toEqual([]);
    remote.webSocket!.terminate();
  },
  'NW-061': {
    'by the peer: its code and reason, or 1005': async () => {
      for (const [payload, event] of [
        ['\x0f\xa0bye', [4000, 'bye']],
        ['\x03\xe8', [1000, '']],
        ['', [1005, '']],
      ] as const) {
        const { raw, remote } = await rawPair();
        const log = record(remote, ['close', 'error']);
        raw.send(8, Buffer.from(payload, 'latin1'));
        await once(remote, 'close');
        expect(remote.readyState).toBe(3);
        expect(await raw.frames(1)).toMatchObject([{ opcode: 8, payload: Buffer.from(payload, 'latin1') }]);
        await raw.over();
        await remote.webSocket!.closed;
        expect(log).toEqual([['close', ...event]]);
      }
    },
    'it is lost: 1006': async () => {
      const { raw, remote } = await rawPair();
      const log = record(remote, ['close']);
      raw.socket.end();
      await once(remote, 'close');
      expect([log, remote.readyState]).toEqual([[['close', 1006, '']], 3]);
    },
    'by both at once: once': async () => {
      const { client, remote } = await pair();
      const logs = [client, remote].map((each) => record(each, ['close']));
      const over = [client, remote].map(({ webSocket }) => webSocket!.closed);
      client.close(4001);
      remote.close(4002);
      await Promise.all(over);
      expect(logs).toEqual([[['close', 4001, '']], [['close', 4002, '']]]);
    },
  },
  'NW-062': {
    'wrong use, and an answer that is none': async () => {
      const { client } = await pair();
      const log = record(client, ['error']);
      client.beginBinary();
      client.sendText('x');
      expect(log).toEqual([['error', expect.any(Error)]]);
      const refused = dial(urlOf(await serve({ selectProtocol: () => 'other' })), { protocols: ['x'] });
      expect((await once(refused, 'error'))[0]).toMatchObject({
        message: 'Invalid handshake: invalid first line format',
      });
    },
    'nobody is there: the error of the network, and close': async () => {
      const server = await serve();
      const url = urlOf(server);
      server.close();
      await once(server, 'close');
      const client = dial(url);
      const log = record(client, ['error', 'close']);
      await next(client, 'close');
      expect(log).toEqual([
        ['error', expect.objectContaining({ code: 'ECONNREFUSED' })],
        ['close', 1006, ''],
      ]);
    },
    'a reset is told where somebody listens, and throws nowhere': async () => {
      for (const listens of [true, false]) {
        const { raw, remote } = await rawPair();
        const log = record(remote, listens ? ['error', 'close'] : ['close']);
        remote.sendText('x'.repeat(100));
        raw.socket.resetAndDestroy();
        await next(remote, 'close');
        await remote.webSocket!.closed;
        const reset = ['error', expect.objectContaining({ code: 'ECONNRESET' })];
        expect(log).toEqual([...(listens ? [reset] : []), ['close', 1006, '']]);
      }
    },
  },
  'NW-063': {
    'the whole of it, wherever it was cut': async () => {
      const { raw, remote } = await rawPair();
      const log = record(remote, ['text', 'binary']);
      const bytes = Buffer.from('aé€😀');
      const all = new Promise<void>((resolve) => remote.on('text', (text) => text === '' && resolve()));
      raw.send(1, bytes.subarray(0, 2), { fin: false }).send(9, 'ping').send(0, bytes.subarray(2, 5), { fin: false });
      raw.send(0, bytes.subarray(5)).send(1, '');
      await all;
      expect(log).toEqual([
        ['text', 'aé€😀'],
        ['text', ''],
      ]);
    },
    'no UTF-8: 1007, at the first bad byte': async () => {
      const { raw, remote } = await rawPair();
      const log = record(remote, ['text', 'close', 'error']);
      raw.send(1, Buffer.of(0x61, 0xff), { fin: false });
      await raw.over();
      expect(await raw.frames()).toMatchObject([{ opcode: 8, payload: Buffer.of(3, 239) }]);
      expect(log).toEqual([['close', 1007, '']]);
    },
  },
  'NW-064': {
    'before the first byte, and bytes before the end of a frame': async () => {
      const { raw, remote } = await rawPair();
      raw.write(Buffer.from('82fe03e800000000', 'hex')); // 1000 bytes will come
      const [message] = (await once(remote, 'binary')) as [InStream];
      expect(message.readableLength).toBe(0);
      raw.write('abc');
      expect(`${(await once(message, 'data'))[0]}`).toBe('abc');
      raw.write(Buffer.alloc(997));
      await once(message, 'end');
    },
    'a chunk for each frame': async () => {
      const { raw, remote } = await rawPair();
      raw.send(2, 'ab', { fin: false }).send(0, 'cde', { fin: false }).send(0, 'f');
      const [message] = (await once(remote, 'binary')) as [InStream];
      const chunks: string[] = [];
      message.on('data', (chunk: Buffer) => chunks.push(chunk.toString()));
      await once(message, 'end');
      expect(chunks).toEqual(['ab', 'cde', 'f']);
    },
    'unread, it stops its socket': async () => {
      const { raw, remote } = await rawPair();
      Connection.maxBufferLength = 100_000_000;
      atEnd(() => (Connection.maxBufferLength = 2_097_152));
      const head = Buffer.from('82ff0000000004000000' + '00000000', 'hex'); // 64 MiB
      raw.write(head);
      const [message] = (await once(remote, 'binary')) as [InStream];
      const piece = Buffer.alloc(1 << 20);
      for (let count = 0; count < 64; count++) raw.write(piece);
      while (!remote.socket.isPaused()) await turn();
      expect(message.readableLength + remote.socket.readableLength).toBeLessThan(1 << 20);
      expect(raw.socket.writableLength).toBeGreaterThan(1 << 20);
      let length = 0;
      message.on('data', (chunk: Buffer) => (length += chunk.length));
      await once(message, 'end');
      expect(length).toBe(64 << 20);
    },
    'read no further, it stops its socket as well': async () => {
      const { raw, remote } = await rawPair();
      Connection.maxBufferLength = 100_000_000;
      raw.send(2, Buffer.alloc(1 << 20), { fin: false });
      const [message] = (await once(remote, 'binary')) as [InStream];
      const readable = once(message, 'readable'); // asks for bytes, and takes none
      for (let count = 0; count < 31; count++) raw.send(0, Buffer.alloc(1 << 20), { fin: false });
      await readable;
      while (!remote.socket.isPaused() && message.readableLength < 8 << 20) await turn();
      Connection.maxBufferLength = 2_097_152;
      expect(message.readableLength).toBeLessThan(1 << 20);
      expect(raw.socket.writableLength).toBeGreaterThan(8 << 20);
    },
    'the connection is lost: it is destroyed, and does not end': async () => {
      const { raw, remote } = await rawPair();
      raw.send(2, 'ab', { fin: false });
      const [message] = (await once(remote, 'binary')) as [InStream];
      const log: unknown[] = [];
      message.on('data', (chunk) => log.push(`${chunk}`)).on('end', () => log.push('end'));
      raw.socket.end();
      const [error] = await once(message, 'error');
      expect(error).toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
      expect(log).toEqual(['ab']);
    },
    'nobody wants it: what comes behind it comes': async () => {
      const { raw, remote } = await rawPair();
      raw.send(2, Buffer.alloc(200_000), { fin: false }).send(0, Buffer.alloc(200_000)).send(1, 'behind');
      expect(await once(remote, 'text')).toEqual(['behind']);
      remote.on('binary', (message) => message.destroy());
      raw.send(2, Buffer.alloc(200_000), { fin: false }).send(0, Buffer.alloc(200_000)).send(1, 'again');
      expect(await once(remote, 'text')).toEqual(['again']);
    },
  },
  'NW-065': async () => {
    const { raw, remote } = await rawPair();
    const log = record(remote, ['pong']);
    raw.send(10, 'hé').send(10).send(1, 'behind');
    await once(remote, 'text');
    expect(log).toEqual([
      ['pong', 'hé'],
      ['pong', ''],
    ]);
  },
  'NW-066': async () => {
    const { raw, remote } = await rawPair();
    const events: string[] = [];
    const emit = remote.emit.bind(remote) as (name: string, ...args: unknown[]) => boolean;
    remote.emit = ((name: string, ...args: unknown[]) => {
      events.push(name);
      return emit(name, ...args);
    }) as typeof remote.emit;
    raw.send(9, Buffer.of(0xff, 0, 0x61)).send(9, 'x'.repeat(125));
    const frames = await raw.frames(2);
    expect(frames.map(({ opcode, payload }) => [opcode, payload.toString('latin1')])).toEqual([
      [10, '\xff\0a'],
      [10, 'x'.repeat(125)],
    ]);
    expect(events).toEqual([]);
  },
});
