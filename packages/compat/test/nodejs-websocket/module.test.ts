import { EventEmitter, once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Readable, Writable } from 'node:stream';
import { afterEach, expect, test } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { atEnd, handshake, portOf } from '@ws/testing/peer';
import { parseAddress } from '../../src/nodejs-websocket/client-end.js';
import ws, * as names from '../../src/nodejs-websocket/index.js';
import { moduleRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';
import { dial, listening, pair, rawClient, rawPair, rawServed, record, serve, urlOf } from './ends.js';

const { connect, Connection, createServer, InStream, OutStream, Server, setBinaryFragmentation, setMaxBufferLength } =
  ws;

afterEach(async () => {
  setBinaryFragmentation(524_288);
  setMaxBufferLength(2_097_152);
});

const { key, cert } = makeCertificate();

prove(moduleRows, {
  'NW-001': {
    'createServer()': async () => {
      const server = await listening(createServer());
      expect(server).toBeInstanceOf(Server);
      const arrival = once(server, 'connection');
      dial(urlOf(server));
      expect((await arrival)[0]).toBeInstanceOf(Connection);
    },
    'createServer(callback)': async () => {
      const conn = await new Promise<unknown>((resolve) => {
        void listening(createServer(resolve)).then((server) => dial(urlOf(server)));
      });
      expect(conn).toBeInstanceOf(Connection);
    },
    'createServer(options) and createServer(options, callback)': async () => {
      const first = await listening(createServer({ validProtocols: ['a'] }));
      const client = dial(urlOf(first), { protocols: ['a'] });
      await once(client, 'connect');
      expect(client.protocol).toBe('a');
      const conn = await new Promise<InstanceType<typeof Connection>>((resolve) => {
        void listening(createServer({ validProtocols: ['a'] }, resolve)).then((server) =>
          dial(urlOf(server), { protocols: ['a'] }),
        );
      });
      expect(conn.protocol).toBe('a');
    },
    'null is no options': async () => {
      const server = createServer(null, () => undefined);
      expect([server.listenerCount('connection'), new Server(false, null).connections]).toEqual([1, []]);
    },
  },
  'NW-002': async () => {
    const options = Object.freeze({ headersTimeout: 60, connectionsCheckingInterval: 10, highWaterMark: 12_345 });
    const server = await serve(options);
    const accepted = once(server.socket, 'connection');
    const raw = rawClient(server, 'GET / HTTP/1.1\r\nHost: ');
    const [socket] = (await accepted) as [Readable];
    expect(socket.readableHighWaterMark).toBe(12_345); // an option of net.createServer
    expect((await raw.head()).line).toBe('HTTP/1.1 408 Request Timeout'); // and one of http.createServer
  },
  'NW-003': async () => {
    const server = await serve({ secure: true, key, cert }, (conn) => conn.on('text', (text) => conn.sendText(text)));
    const client = dial(
      `wss://localhost:${portOf(server.socket)}`,
      { ca: cert, host: 'elsewhere.invalid', port: 1 },
      () => client.sendText('hi'),
    );
    expect(await once(client, 'text')).toEqual(['hi']);
    expect([client.socket, server.connections[0]?.socket]).toEqual([
      expect.objectContaining({ encrypted: true, servername: 'localhost' }),
      expect.objectContaining({ encrypted: true }),
    ]);
  },
  'NW-004': {
    "the client's order decides": async () => {
      const { client, remote } = await pair({ validProtocols: ['a', 'b', 'c'] }, { protocols: ['x', 'c', 'a'] });
      expect([client.protocol, remote.protocol]).toEqual(['c', 'c']);
    },
    'none in common: 101 without the header': async () => {
      const server = await serve({ validProtocols: ['a'] });
      const raw = rawClient(server, handshake({ 'Sec-WebSocket-Protocol': 'x, y' }));
      const { line, headers } = await raw.head();
      expect([line.slice(0, 12), headers['sec-websocket-protocol']]).toEqual(['HTTP/1.1 101', undefined]);
    },
    'none at all unless it is set': async () => {
      const { remote } = await rawPair({}, handshake({ 'Sec-WebSocket-Protocol': 'x' }));
      expect([remote.protocol, remote.protocols]).toEqual([undefined, ['x']]);
    },
  },
  'NW-005': {
    'it is asked with the list of the connection, and wins': async () => {
      const seen: unknown[] = [];
      const { client, remote } = await pair(
        {
          validProtocols: ['y'],
          selectProtocol(this: unknown, conn, protocols) {
            seen.push(
              this === conn.server,
              protocols === conn.protocols,
              [...protocols],
              conn.path,
              conn.headers['x-name'],
              conn.readyState,
            );
            return 'z';
          },
        },
        { protocols: ['y', 'z'], extraHeaders: { 'X-Name': 'value' } },
      );
      expect(seen).toEqual([true, true, ['y', 'z'], '/', 'value', 0]);
      expect([client.protocol, remote.protocol]).toEqual(['z', 'z']);
    },
    'it is not asked where the client asks for none': async () => {
      const { client, remote } = await pair({ selectProtocol: () => 'z' });
      expect([client.protocol, remote.protocol, remote.protocols]).toEqual([undefined, undefined, []]);
    },
    'empty: 101 without the header': async () => {
      for (const nothing of ['', undefined, null]) {
        const { remote } = await rawPair(
          { selectProtocol: () => nothing },
          handshake({ 'Sec-WebSocket-Protocol': 'x' }),
        );
        expect(remote.protocol).toBeUndefined();
      }
    },
    'a name nobody asked for, or an exception: 500, and an error where somebody listens': async () => {
      const thrown = new Error('of the user');
      const selections = [
        () => 'other',
        () => {
          throw thrown;
        },
      ];
      for (const selectProtocol of selections) {
        const server = await serve({ selectProtocol });
        const silent = rawClient(server, handshake({ 'Sec-WebSocket-Protocol': 'x' }));
        expect((await silent.head()).line).toBe('HTTP/1.1 500 Internal Server Error');
        const log = record(server, ['error', 'connection']);
        const heard = rawClient(server, handshake({ 'Sec-WebSocket-Protocol': 'x' }));
        expect((await heard.head()).line).toBe('HTTP/1.1 500 Internal Server Error');
        expect(log).toEqual([['error', selectProtocol === selections[0] ? expect.any(RangeError) : thrown]]);
      }
    },
  },
  'NW-006': async () => {
    const log: unknown[] = [];
    const server = await serve({}, (conn) => log.push(conn));
    expect(server.listenerCount('connection')).toBe(1);
    for (let count = 1; count <= 2; count++) {
      const arrival = once(server, 'connection');
      dial(urlOf(server));
      const [conn] = (await arrival) as [unknown];
      expect([log.length, log.at(-1)]).toEqual([count, conn]);
    }
  },
  'NW-007': async () => {
    const server = await serve();
    const options = Object.freeze({
      localAddress: '127.0.0.2',
      host: 'elsewhere.invalid',
      port: 1,
      extraHeaders: Object.freeze({}),
    });
    const arrival = once(server, 'connection');
    const client = connect(urlOf(server), options);
    atEnd(() => client.socket.destroy());
    expect(client).toBeInstanceOf(Connection);
    expect(client.readyState).toBe(0);
    const [remote] = (await arrival) as [InstanceType<typeof Connection>];
    expect(remote.socket.remoteAddress).toBe('127.0.0.2'); // an option of net.connect; host and port were the address's
  },
  'NW-008': {
    'no scheme is ws, no path is /': async () => {
      const server = await serve();
      for (const [address, path] of [
        [`127.0.0.1:${portOf(server.socket)}`, '/'],
        [`127.0.0.1:${portOf(server.socket)}/a?b=ws://c`, '/a?b=ws://c'],
        [`WS://127.0.0.1:${portOf(server.socket)}/a/../b?`, '/b'],
      ] as const) {
        const arrival = once(server, 'connection');
        const client = dial(address);
        const [remote] = (await arrival) as [InstanceType<typeof Connection>];
        expect([client.path, remote.path]).toEqual([path, path]);
      }
    },
    'the port may be left out': () => {
      expect(parseAddress('ws://name/')).toEqual({ secure: false, host: 'name', port: 80, path: '/' });
      expect(parseAddress('wss://name?a')).toEqual({ secure: true, host: 'name', port: 443, path: '/?a' });
      expect(parseAddress('ws://name:443')).toMatchObject({ secure: false, port: 443 });
    },
    'other schemes, fragments and what is none throw': () => {
      expect(() => connect('http://localhost')).toThrow(/^Invalid protocol http:/);
      expect(() => connect('ftp://localhost/x')).toThrow(/^Invalid protocol ftp:/);
      expect(() => connect('ws://localhost/#part')).toThrow(SyntaxError);
      expect(() => connect('ws://localhost/#')).toThrow(SyntaxError);
      expect(() => connect('ws://a b')).toThrow(SyntaxError);
      expect(() => connect('')).toThrow(SyntaxError);
    },
    'so does what is not text; no host of the name "undefined" is looked for': () => {
      for (const address of [undefined, null, 8001, {}]) expect(() => connect(address as string)).toThrow(TypeError);
    },
    IPv6: async () => {
      const server = createServer();
      atEnd(() => server.socket.close());
      server.listen(0, '::1');
      await once(server, 'listening');
      const arrival = once(server, 'connection');
      const client = dial(`ws://[::1]:${portOf(server.socket)}/`);
      const [remote] = (await arrival) as [InstanceType<typeof Connection>];
      expect([client.host, remote.headers.host]).toEqual(['::1', `[::1]:${portOf(server.socket)}`]);
      client.socket.destroy();
    },
  },
  'NW-009': {
    'they are sent; Host and Origin as they are given, those of the handshake not at all': async () => {
      const { remote } = await pair(
        {},
        {
          extraHeaders: {
            'X-My-Header': 'value',
            Host: 'example.com',
            Origin: 'http://example.com',
            Upgrade: 'h2c',
            Connection: 'close',
            'Sec-WebSocket-Key': 'mine',
            'Sec-WebSocket-Version': '8',
            'Sec-WebSocket-Extensions': 'x',
          },
        },
      );
      expect(remote.headers).toMatchObject({
        'x-my-header': 'value',
        host: 'example.com',
        origin: 'http://example.com',
        upgrade: 'websocket',
        connection: 'Upgrade',
        'sec-websocket-version': '13',
      });
      expect(remote.headers['sec-websocket-key']).not.toBe('mine');
      expect(remote.headers['sec-websocket-extensions']).toBeUndefined();
    },
    'what would break the request throws': () => {
      for (const extraHeaders of [{ 'X-A': 'a\r\nX-B: b' }, { 'X-A\r\nX-B': 'b' }, { 'X A': 'b' }, { 'X-A': 'a\0' }])
        expect(() => connect('ws://127.0.0.1:1', { extraHeaders })).toThrow(TypeError);
    },
  },
  'NW-010': async () => {
    const { client, remote } = await pair({ validProtocols: ['b'] }, { protocols: ['a', 'b'] });
    expect([client.protocol, remote.headers['sec-websocket-protocol']]).toEqual(['b', 'a, b']);
    expect(() => connect('ws://127.0.0.1:1', { protocols: ['a\r\nX: y'] })).toThrow(SyntaxError);
  },
  'NW-011': async () => {
    const server = await serve();
    for (const options of [{}, null, undefined]) {
      const self = await new Promise<unknown>((resolve) => {
        const callback = function (this: unknown): void {
          resolve(this);
        };
        const client =
          options === undefined ? connect(urlOf(server), callback) : connect(urlOf(server), options, callback);
        atEnd(() => client.socket.destroy());
        expect(client.listenerCount('connect')).toBe(1);
      });
      expect(self).toBeInstanceOf(Connection);
      expect([
        (self as InstanceType<typeof Connection>).readyState,
        (self as EventEmitter).listenerCount('connect'),
      ]).toEqual([1, 0]);
    }
  },
  'NW-012': {
    'of the messages that begin from then on': async () => {
      expect(Connection.binaryFragmentation).toBe(524_288);
      setBinaryFragmentation(10);
      const { client, raw } = await rawServed();
      const out = client.beginBinary()!;
      setBinaryFragmentation(3); // too late for this one
      for (const part of ['abcd', 'efgh', 'ijkl', 'm']) out.write(part);
      out.end();
      const frames = await raw.frames(2);
      expect(frames.map(({ opcode, fin, payload }) => [opcode, fin, payload.toString()])).toEqual([
        [2, false, 'abcdefghijkl'],
        [0, true, 'm'],
      ]);
      expect(Connection.binaryFragmentation).toBe(3);
    },
    'any number; one that no message reaches, and what is none: one frame': async () => {
      const { client, raw } = await rawServed();
      for (const bytes of [-1, 1.5, Infinity, NaN, 'x' as unknown as number]) {
        setBinaryFragmentation(bytes);
        const out = client.beginBinary()!;
        for (const part of ['a', 'b', 'c']) out.write(part);
        out.end();
        await once(out, 'finish');
      }
      const frames = await raw.frames(9);
      expect(frames.map(({ opcode, fin, payload }) => `${opcode}${fin ? '.' : ''}${payload.toString()}`)).toEqual([
        '2a',
        '0b',
        '0c',
        '0.',
        '2ab',
        '0.c',
        '2.abc',
        '2.abc',
        '2.abc',
      ]);
    },
  },
  'NW-013': {
    'the limit of a message, its fragments counted together, also of connections that are there': async () => {
      const { raw, remote } = await rawPair();
      expect(remote.webSocket?.limits.maxPayload).toBe(2_097_152);
      setMaxBufferLength(5);
      expect(Connection.maxBufferLength).toBe(5);
      const log = record(remote, ['text', 'close', 'error']);
      raw.send(1, 'abcde').send(1, 'abc', { fin: false }).send(0, 'def');
      await raw.over();
      expect(log).toEqual([
        ['text', 'abcde'],
        ['close', 1009, ''],
      ]);
      expect((await raw.frames()).map(({ opcode, payload }) => [opcode, payload.readUInt16BE()])).toEqual([[8, 1009]]);
    },
    'and of those to come, on both ends': async () => {
      const early = await serve();
      setMaxBufferLength(4);
      const arrival = once(early, 'connection');
      const client = dial(urlOf(early));
      const [remote] = (await arrival) as [InstanceType<typeof Connection>];
      await once(client, 'connect');
      expect([client, remote].map(({ webSocket }) => webSocket?.limits.maxPayload)).toEqual([4, 4]);
    },
    'those that are gone are not kept for it': async () => {
      const { raw, remote } = await rawPair();
      const closed = once(remote.webSocket!, 'close');
      raw.socket.destroy();
      await closed;
      setMaxBufferLength(5);
      expect(remote.webSocket!.limits.maxPayload).toBe(2_097_152);
    },
    'what is no size throws, and changes nothing': () => {
      expect(() => setMaxBufferLength(-1)).toThrow(RangeError);
      expect(() => setMaxBufferLength('1' as unknown as number)).toThrow(TypeError);
      expect(Connection.maxBufferLength).toBe(2_097_152);
    },
    'the head of a handshake has its own: 16 KiB': async () => {
      setMaxBufferLength(10);
      await rawPair();
      setMaxBufferLength(10_000_000);
      const raw = rawClient(await serve(), handshake({ 'X-Long': 'x'.repeat(17_000) }));
      expect((await raw.head()).line).toBe('HTTP/1.1 431 Request Header Fields Too Large');
    },
  },
  'NW-014': () => {
    const members = [
      'Connection',
      'InStream',
      'OutStream',
      'Server',
      'connect',
      'createServer',
      'frame',
      'setBinaryFragmentation',
      'setMaxBufferLength',
    ];
    expect(Object.keys(ws).sort()).toEqual(members);
    expect(names).toMatchObject(ws);
  },
  'NW-015': async () => {
    const { client, remote, server } = await pair();
    const out = client.beginBinary();
    for (const each of [client, remote, server]) expect(each).toBeInstanceOf(EventEmitter);
    expect(new InStream()).toBeInstanceOf(Readable);
    expect(out).toBeInstanceOf(OutStream);
    expect(out).toBeInstanceOf(Writable);
  },
});

test('a plain request of a browser is told what is here', async () => {
  const server = await serve();
  const [answer] = (await once(get(`http://127.0.0.1:${portOf(server.socket)}/`), 'response')) as [IncomingMessage];
  answer.resume();
  expect([answer.statusCode, answer.headers.upgrade, answer.headers['sec-websocket-version']]).toEqual([
    426,
    'websocket',
    '13',
  ]);
});
