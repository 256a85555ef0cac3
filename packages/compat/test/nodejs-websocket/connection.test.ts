import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { afterEach, expect } from '@jest/globals';
import { Connection, type InStream, OutStream, Server } from '../../src/nodejs-websocket/index.js';
import { connectionRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';
import {
  dial,
  endAll,
  later,
  pair,
  portOf,
  Raw,
  rawClient,
  rawPair,
  rawServed,
  rawServer,
  record,
  request,
  serve,
  heard,
  urlOf,
} from './ends.js';

afterEach(endAll);

const NOT_OPEN = /can't write to a non-open connection/;
/** Two ends of a stream. */
const inMemory = (): ReturnType<typeof duplexPair> => {
  const ends = duplexPair();
  later(() => ends.forEach((end) => end.destroy()));
  return ends;
};
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A connection that has closed, and can do nothing any more. */
async function closed(): Promise<Connection> {
  const { client, remote } = await pair();
  const gone = remote.webSocket!.closed;
  client.close();
  await gone;
  return remote;
}

prove(connectionRows, {
  'NW-040': {
    'over a stream of ours, with a Server': async () => {
      const server = new Server(false, { selectProtocol: () => 'a' });
      const [near, far] = inMemory();
      const raw = new Raw(far as Socket);
      const log: unknown[][] = [];
      const conn = new Connection(near, server, function () {
        log.push(['connect', this === conn]);
      });
      record(conn, ['text', 'close'], log);
      server.on('connection', () => log.push(['connection']));
      expect([conn.server, conn.readyState, conn.path, conn.socket]).toEqual([server, 0, null, near]);
      far.write(request({ 'Sec-WebSocket-Protocol': 'a' }, 'GET /by/hand HTTP/1.1'));
      expect((await raw.head()).line).toBe('HTTP/1.1 101 Switching Protocols');
      raw.send(1, 'hi').send(8);
      await raw.take(1);
      expect([conn.path, conn.protocol, conn.protocols]).toEqual(['/by/hand', 'a', ['a']]);
      expect(log).toEqual([
        ['connect', true],
        ['text', 'hi'],
        ['close', 1005, ''],
      ]); // it is ours, and none of the server's list
      expect(server.connections).toEqual([]);
    },
    'the stream ends before its handshake, or says something else': async () => {
      for (const text of ['', 'GET / HTTP/1.1\r\n\r\n', request({ Upgrade: 'h2c' })]) {
        const [near, far] = inMemory();
        const conn = new Connection(near, new Server(false));
        const log = record(conn, ['connect', 'close', 'error']);
        far.resume().end(text);
        await once(conn, 'close');
        expect([log, conn.readyState]).toEqual([[['close', 1006, '']], 3]);
      }
    },
    'over a TCP connection of ours, as a client': async () => {
      const server = await serve({ validProtocols: ['b'] });
      const arrival = once(server, 'connection') as Promise<[Connection]>;
      const socket = createConnection(portOf(server), '127.0.0.1');
      later(() => socket.destroy());
      const options = {
        path: '/path',
        host: 'example.com',
        extraHeaders: { 'X-Name': 'value' },
        protocols: ['a', 'b'],
      };
      const client = new Connection(socket, Object.freeze(options), function () {
        this.sendText('hi');
      });
      expect([client.server, client.readyState, client.socket]).toEqual([null, 0, socket]);
      const [remote] = await arrival;
      expect(await once(remote, 'text')).toEqual(['hi']);
      expect(remote.path).toBe('/path');
      expect(remote.headers).toMatchObject({ host: 'example.com', 'x-name': 'value' });
      expect(client.protocol).toBe('b');
    },
    'two ends in memory, without a network': async () => {
      const [near, far] = inMemory();
      const remote = new Connection(far, new Server(false));
      remote.on('text', (text) => remote.sendText(text.toUpperCase()));
      const client = new Connection(near, { host: 'memory' }, () => client.sendText('hi'));
      expect(await once(client, 'text')).toEqual(['HI']);
      expect(remote.headers.host).toBe('memory');
      client.close();
      await remote.webSocket!.closed;
    },
  },
  'NW-041': async () => {
    expect([Connection.binaryFragmentation, Connection.maxBufferLength]).toEqual([524_288, 2_097_152]);
    const { client, remote } = await pair();
    try {
      Connection.binaryFragmentation = 7;
      Connection.maxBufferLength = 11;
      expect(client.beginBinary()!.minSize).toBe(7);
      expect([client, remote].map(({ webSocket }) => webSocket!.limits.maxPayload)).toEqual([11, 11]);
    } finally {
      Connection.binaryFragmentation = 524_288;
      Connection.maxBufferLength = 2_097_152;
    }
  },
  'NW-042': async () => {
    const { client } = await pair();
    for (const each of [Connection, Connection.prototype, client])
      expect([each.CONNECTING, each.OPEN, each.CLOSING, each.CLOSED]).toEqual([0, 1, 2, 3]);
  },
  'NW-043': {
    'one frame, true, and the callback': async () => {
      const { client, raw } = await rawServed();
      const done = new Promise((resolve) => {
        expect(client.sendText('hé', resolve as () => void)).toBe(true);
      });
      expect(await done).toBeUndefined();
      expect(await raw.take(1)).toEqual([{ opcode: 1, fin: true, masked: true, payload: Buffer.from('hé') }]);
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
      const client = await closed();
      const log = record(client, ['error']);
      const told = new Promise((resolve) => expect(client.sendText('x', resolve as () => void)).toBeUndefined());
      const error = await told;
      expect(log).toEqual([['error', error]]);
      expect((error as Error).message).toMatch(NOT_OPEN);
    },
    'nobody listens: it throws, and the callback is called all the same': async () => {
      const client = await closed();
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
      expect(await raw.take(1)).toEqual([{ opcode: 2, fin: true, masked: true, payload: Buffer.from('abc') }]);
    },
    'a second one, and one in a wrong state: an error, and none': async () => {
      const { client } = await pair();
      const log = record(client, ['error']);
      const out = client.beginBinary();
      expect([client.beginBinary(), client.outStream]).toEqual([undefined, out]);
      expect(log).toEqual([['error', expect.objectContaining({ message: expect.stringMatching(/until you finish/) })]]);
      const over = await closed();
      expect(() => over.beginBinary()).toThrow(NOT_OPEN);
      expect(over.outStream).toBeNull();
    },
  },
  'NW-045': {
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
      for (const frame of await raw.take(4))
        expect(frame).toEqual({ opcode: 2, fin: true, masked: true, payload: bytes });
    },
    'large ones are not changed either': async () => {
      const { client, remote } = await pair();
      const bytes = Buffer.alloc(100_000, 'abc');
      const arrived = once(remote, 'binary') as Promise<[InStream]>;
      client.sendBinary(bytes);
      const [message] = await arrived;
      const chunks: Buffer[] = [];
      for await (const chunk of message) chunks.push(chunk as Buffer);
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
      expect(bytes.equals(Buffer.alloc(100_000, 'abc'))).toBe(true);
    },
    'the errors of sendText': async () => {
      const { client } = await pair();
      const log = record(client, ['error']);
      client.beginBinary();
      expect(client.sendBinary(Buffer.of(1))).toBeUndefined();
      expect(log).toHaveLength(1);
      const over = await closed();
      expect(() => over.sendBinary(Buffer.of(1))).toThrow(NOT_OPEN);
    },
  },
  'NW-046': async () => {
    const { client, raw } = await rawServed();
    const done: unknown[] = [];
    expect(client.send('text', () => done.push('text'))).toBe(true);
    expect(client.send(Buffer.of(1, 2), () => done.push('binary'))).toBe(true);
    const frames = await raw.take(2);
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
      const frames = await raw.take(3);
      expect(frames.map(({ opcode, payload }) => [opcode, payload.toString('latin1')])).toEqual([
        [9, ''],
        [9, 'data'],
        [9, '\xff'],
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
      expect(await raw.take(3)).toMatchObject([{ opcode: 2, fin: false }, { opcode: 9 }, { opcode: 0, fin: true }]);
    },
    'too long, or in a wrong state: an error, and nothing is sent': async () => {
      const { client, raw } = await rawServed();
      const log = record(client, ['error']);
      client.sendPing('x'.repeat(126));
      client.sendPing('é'.repeat(63));
      client.sendPing('é'.repeat(62));
      expect(await raw.take(1)).toMatchObject([{ opcode: 9, payload: { length: 124 } }]);
      expect(log).toEqual([
        ['error', expect.any(RangeError)],
        ['error', expect.any(RangeError)],
      ]);
      const over = await closed();
      expect(() => over.sendPing()).toThrow(NOT_OPEN);
    },
  },
  'NW-048': {
    'open: a Close frame, CLOSING, and the event within the call': async () => {
      for (const [args, payload, event] of [
        [[4000, 'bye'], '\x0f\xa0bye', [4000, 'bye']],
        [[1000], '\x03\xe8', [1000, '']],
        [[], '', [1005, '']],
        [[1005, 'dropped'], '', [1005, '']],
      ] as const) {
        const { client, raw } = await rawServed();
        const log = record(client, ['close']);
        client.close(...(args as readonly [number?, string?]));
        expect([log, client.readyState]).toEqual([[['close', ...event]], 2]);
        const [frame] = await raw.take(1);
        expect([frame?.opcode, frame?.payload.toString('latin1')]).toEqual([8, payload]);
        raw.send(8, frame!.payload, { masked: false }).socket.end();
        await client.webSocket!.closed;
        expect([log, client.readyState]).toEqual([[['close', ...event]], 3]); // and no other
      }
    },
    'connecting: no handshake, CLOSED': async () => {
      let arrived!: (raw: Raw) => void;
      const arrival = new Promise<Raw>((resolve) => {
        arrived = resolve;
      });
      const client = dial((await rawServer(arrived)).url);
      const log = record(client, ['connect', 'error', 'close']);
      const raw = await arrival;
      client.close(4000, 'never mind');
      expect([log, client.readyState]).toEqual([[['close', 4000, 'never mind']], 3]);
      await raw.ended();
      await turn();
      expect(log).toHaveLength(1);
    },
    'a connection of a server that connects': async () => {
      const [near, far] = inMemory();
      const conn = new Connection(near, new Server(false));
      const log = record(conn, ['connect', 'close']);
      const ended = once(far.resume(), 'end');
      conn.close();
      far.write(request());
      await ended;
      expect([log, conn.readyState]).toEqual([[['close', 1005, '']], 3]);
    },
    'a handshake that is done behind close': async () => {
      const [near, far] = inMemory();
      const server = new Server(false, {
        selectProtocol: (connection) => {
          connection.close();
          return undefined;
        },
      });
      const conn = new Connection(near, server);
      const log = record(conn, ['connect', 'close']);
      const ended = once(far.resume(), 'end');
      far.write(request({ 'Sec-WebSocket-Protocol': 'x' }));
      await ended;
      expect([log, conn.readyState]).toEqual([[['close', 1005, '']], 3]);
    },
    'closing: it ends the socket behind what was sent': async () => {
      const { remote, raw } = await rawPair();
      const log = record(remote, ['close']);
      remote.sendText('before');
      remote.close(1000);
      remote.close(4000); // an answer is not waited for
      expect([log, remote.readyState]).toEqual([[['close', 1000, '']], 3]);
      await raw.ended();
      expect(raw.frames.map(({ opcode }) => opcode)).toEqual([1, 8]);
    },
    'the peer has ended TCP just now: the event all the same': async () => {
      const { raw, remote } = await rawPair();
      const log = record(remote, ['close']);
      remote.socket.once('end', () => remote.close(4000, 'late'));
      raw.socket.end();
      await remote.webSocket!.closed;
      expect([log, remote.readyState]).toEqual([[['close', 4000, 'late']], 3]);
    },
    'closed: nothing': async () => {
      const over = await closed();
      const log = record(over, ['close', 'error']);
      over.close();
      over.close(1000);
      expect([log, over.readyState]).toEqual([[], 3]);
    },
    'what may not be sent throws, and changes nothing, in every state': async () => {
      const { client, raw } = await rawServed();
      const log = record(client, ['close']);
      for (const args of [[999], [1004], [1006], [1015], [2999], [5000], [1.5], [1000, 'x'.repeat(124)]] as const)
        expect(() => client.close(...(args as readonly [number, string?]))).toThrow(RangeError);
      expect([log, client.readyState]).toEqual([[], 1]);
      client.sendText('fine');
      expect(await raw.take(1)).toMatchObject([{ opcode: 1 }]);
      const over = await closed();
      expect(() => over.close(1)).toThrow(RangeError);
    },
    'a binary message without an end is given up': async () => {
      for (const [code, sent] of [
        [4000, 4000],
        [1000, 1011],
      ] as const) {
        Connection.binaryFragmentation = 3;
        const { client, raw } = await rawServed();
        const out = client.beginBinary()!;
        Connection.binaryFragmentation = 524_288;
        out.write('abc');
        await raw.take(1);
        client.close(code, 'x');
        const frames = await raw.take(2);
        expect(frames.map(({ opcode, fin }) => [opcode, fin])).toEqual([
          [2, false],
          [8, true],
        ]);
        expect(frames[1]!.payload.readUInt16BE()).toBe(sent);
        expect([out.destroyed, client.outStream]).toEqual([true, null]);
      }
    },
    'one that is ending goes first': async () => {
      const { client, raw } = await rawServed();
      client.beginBinary()!.end(Buffer.alloc(600_000));
      client.close(1000);
      const frames = await raw.take(3);
      expect(frames.map(({ opcode, fin, payload }) => [opcode, fin, payload.length])).toEqual([
        [2, false, 600_000],
        [0, true, 0],
        [8, true, 2],
      ]);
    },
  },
  'NW-049': async () => {
    const { client, remote, server } = await pair();
    expect([client.socket.remotePort, remote.socket.localPort]).toEqual([portOf(server), portOf(server)]);
    expect(remote.socket.remotePort).toBe(client.socket.localPort);
    expect(client.socket).toBe(client.webSocket!.socket);
  },
  'NW-050': async () => {
    const { client, remote, server } = await pair();
    expect([client.server, remote.server]).toEqual([null, server]);
  },
  'NW-051': async () => {
    const server = await serve();
    const arrival = once(server, 'connection') as Promise<[Connection]>;
    const client = dial(urlOf(server));
    const states: number[] = [client.readyState];
    await once(client, 'connect');
    const [remote] = await arrival;
    states.push(client.readyState, remote.readyState);
    const over = [client, remote].map(({ webSocket }) => webSocket!.closed);
    client.close();
    states.push(client.readyState);
    await once(remote, 'close');
    states.push(remote.readyState);
    await Promise.all(over);
    states.push(client.readyState, remote.readyState);
    expect(states).toEqual([0, 1, 1, 2, 3, 3, 3]);
  },
  'NW-052': async () => {
    const { client } = await pair();
    expect(client.outStream).toBeNull();
    const out = client.beginBinary()!;
    expect(client.outStream).toBe(out);
    await new Promise<void>((resolve) => void out.end(resolve));
    expect(client.outStream).toBeNull();
  },
  'NW-053': async () => {
    const server = await serve();
    const arrival = once(server, 'connection') as Promise<[Connection]>;
    const client = dial(urlOf(server, '/chat?room=1'));
    const [remote] = await arrival;
    expect([client.path, remote.path]).toEqual(['/chat?room=1', '/chat?room=1']);
  },
  'NW-054': async () => {
    const extraHeaders = { 'X-Name': 'value' };
    const { client, remote } = await pair({}, { extraHeaders });
    expect([client.host, client.extraHeaders]).toEqual(['127.0.0.1', extraHeaders]);
    expect([remote.host, remote.extraHeaders]).toEqual([null, null]);
    expect((await pair()).client.extraHeaders).toBeNull();
  },
  'NW-055': async () => {
    const server = await serve();
    const arrival = once(server, 'connection') as Promise<[Connection]>;
    await rawClient(
      server,
      request({ 'X-Digits-123': 'a', 'X-NO-BLANK': 'b' }).replace('X-NO-BLANK: b', 'X-NO-BLANK:b'),
    );
    const [remote] = await arrival;
    expect(remote.headers).toMatchObject({ 'x-digits-123': 'a', 'x-no-blank': 'b', upgrade: 'websocket' });
    const { client } = await rawServed();
    expect(client.headers).toMatchObject({ upgrade: 'websocket', 'sec-websocket-accept': expect.any(String) });
  },
  'NW-056': async () => {
    const asked = ['a', 'b'];
    const { client, remote } = await pair({ validProtocols: ['b'] }, { protocols: asked });
    expect([client.protocols, remote.protocols]).toEqual([asked, asked]);
    const none = await pair();
    expect([none.client.protocols, none.remote.protocols]).toEqual([[], []]);
  },
  'NW-057': async () => {
    const { client, remote } = await pair({ validProtocols: ['b'] }, { protocols: ['b'] });
    expect([client.protocol, remote.protocol]).toEqual(['b', 'b']);
    const none = await pair({ validProtocols: ['b'] });
    expect([none.client.protocol, none.remote.protocol]).toEqual([undefined, undefined]);
  },
  'NW-058': async () => {
    const { client } = await pair();
    expect(['key', 'buffer', 'frameBuffer'].filter((name) => name in client)).toEqual([]);
  },
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
    far.resume().write(request());
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
        expect(await raw.take(1)).toMatchObject([{ opcode: 8, payload: Buffer.from(payload, 'latin1') }]);
        await raw.ended();
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
      await heard(client, 'close');
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
        await heard(remote, 'close');
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
      await raw.ended();
      expect(raw.frames).toMatchObject([{ opcode: 8, payload: Buffer.of(3, 239) }]);
      expect(log).toEqual([['close', 1007, '']]);
    },
  },
  'NW-064': {
    'before the first byte, and bytes before the end of a frame': async () => {
      const { raw, remote } = await rawPair();
      raw.socket.write(Buffer.from('82fe03e800000000', 'hex')); // 1000 bytes will come
      const [message] = (await once(remote, 'binary')) as [InStream];
      expect(message.readableLength).toBe(0);
      raw.socket.write('abc');
      expect(`${(await once(message, 'data'))[0]}`).toBe('abc');
      raw.socket.write(Buffer.alloc(997));
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
      const head = Buffer.from('82ff0000000004000000' + '00000000', 'hex'); // 64 MiB
      raw.socket.write(head);
      const [message] = (await once(remote, 'binary')) as [InStream];
      const piece = Buffer.alloc(1 << 20);
      for (let count = 0; count < 64; count++) raw.socket.write(piece);
      while (!remote.socket.isPaused()) await turn();
      expect(message.readableLength + remote.socket.readableLength).toBeLessThan(1 << 20);
      expect(raw.socket.writableLength).toBeGreaterThan(1 << 20);
      let length = 0;
      message.on('data', (chunk: Buffer) => (length += chunk.length));
      await once(message, 'end');
      Connection.maxBufferLength = 2_097_152;
      expect(length).toBe(64 << 20);
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
    const frames = await raw.take(2);
    expect(frames.map(({ opcode, payload }) => [opcode, payload.toString('latin1')])).toEqual([
      [10, '\xff\0a'],
      [10, 'x'.repeat(125)],
    ]);
    expect(events).toEqual([]);
  },
});
