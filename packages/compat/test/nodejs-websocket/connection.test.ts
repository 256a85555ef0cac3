import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { atEnd, handshake, listenWire, portOf, Wire } from '@ws/testing/peer';
import { Connection, Server } from '../../src/nodejs-websocket/index.js';
import { connectionRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';
import { closedConnection, dial, inMemory, pair, rawClient, rawPair, rawServed, record, serve, urlOf } from './ends.js';

prove(connectionRows, {
  'NW-040': {
    'over a stream of ours, with a Server': async () => {
      const server = new Server(false, { selectProtocol: () => 'a' });
      const [near, far] = inMemory();
      const raw = new Wire(far);
      const log: unknown[][] = [];
      const conn = new Connection(near, server, function () {
        log.push(['connect', this === conn]);
      });
      record(conn, ['text', 'close'], log);
      server.on('connection', () => log.push(['connection']));
      expect([conn.server, conn.readyState, conn.path, conn.socket]).toEqual([server, 0, null, near]);
      far.write(handshake({ 'Sec-WebSocket-Protocol': 'a' }, 'GET /by/hand HTTP/1.1'));
      expect((await raw.head()).line).toBe('HTTP/1.1 101 Switching Protocols');
      raw.send(1, 'hi').send(8);
      await raw.frames(1);
      expect([conn.path, conn.protocol, conn.protocols]).toEqual(['/by/hand', 'a', ['a']]);
      expect(log).toEqual([
        ['connect', true],
        ['text', 'hi'],
        ['close', 1005, ''],
      ]); // it is ours, and none of the server's list
      expect(server.connections).toEqual([]);
    },
    'over one that is decrypted already, with a Server of TLS': async () => {
      const [near, far] = inMemory();
      const raw = new Wire(far);
      const conn = new Connection(near, new Server(true, makeCertificate()));
      far.write(handshake());
      expect((await raw.head()).line).toBe('HTTP/1.1 101 Switching Protocols');
      expect(conn.readyState).toBe(1);
    },
    'the stream ends before its handshake, or says something else': async () => {
      for (const text of ['', 'GET / HTTP/1.1\r\n\r\n', handshake({ Upgrade: 'h2c' })]) {
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
      const socket = createConnection(portOf(server.socket), '127.0.0.1');
      atEnd(() => socket.destroy());
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
        const [frame] = await raw.frames(1);
        expect([frame?.opcode, frame?.payload.toString('latin1')]).toEqual([8, payload]);
        raw.send(8, frame!.payload, { masked: false }).socket.end();
        await client.webSocket!.closed;
        expect([log, client.readyState]).toEqual([[['close', ...event]], 3]); // and no other
      }
    },
    'connecting: no handshake, CLOSED': async () => {
      const { url, first } = await listenWire();
      const client = dial(url);
      const log = record(client, ['connect', 'error', 'close']);
      const raw = await first;
      client.close(4000, 'never mind');
      expect([log, client.readyState]).toEqual([[['close', 4000, 'never mind']], 3]);
      await raw.over();
      await turn();
      expect(log).toHaveLength(1);
    },
    'a connection of a server that connects': async () => {
      const [near, far] = inMemory();
      const conn = new Connection(near, new Server(false));
      const log = record(conn, ['connect', 'close']);
      const ended = once(far.resume(), 'end');
      conn.close();
      far.write(handshake());
      await ended;
      expect([log, conn.readyState]).toEqual([[['close', 1005, '']], 3]);
    },
    'once more in the listener of its event: CLOSED, and it stays so': async () => {
      const { client } = await pair();
      const log = record(client, ['close']);
      client.on('close', () => client.close());
      client.close(1000, 'bye');
      expect([log, client.readyState]).toEqual([[['close', 1000, 'bye']], 3]);
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
      far.write(handshake({ 'Sec-WebSocket-Protocol': 'x' }));
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
      await raw.over();
      expect((await raw.frames()).map(({ opcode }) => opcode)).toEqual([1, 8]);
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
      const over = await closedConnection();
      const log = record(over, ['close', 'error']);
      over.close();
      over.close(1000);
      expect([log, over.readyState]).toEqual([[], 3]);
    },
    'closed by the peer: nothing either, not even the end of TCP, which is for the server to make': async () => {
      const { client, raw } = await rawServed();
      const told = new Promise<void>((resolve) => client.on('close', () => resolve(client.close())));
      raw.send(8, '', { masked: false });
      await told;
      await turn();
      await turn();
      expect([client.readyState, client.socket.writableEnded]).toEqual([3, false]);
    },
    'what may not be sent throws, and changes nothing, in every state': async () => {
      const { client, raw } = await rawServed();
      const log = record(client, ['close']);
      for (const args of [[999], [1004], [1006], [1015], [2999], [5000], [1.5], [1000, 'x'.repeat(124)]] as const)
        expect(() => client.close(...(args as readonly [number, string?]))).toThrow(RangeError);
      expect([log, client.readyState]).toEqual([[], 1]);
      client.sendText('fine');
      expect(await raw.frames(1)).toMatchObject([{ opcode: 1 }]);
      const over = await closedConnection();
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
        await raw.frames(1);
        client.close(code, 'x');
        const frames = await raw.frames(2);
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
      const frames = await raw.frames(3);
      expect(frames.map(({ opcode, fin, payload }) => [opcode, fin, payload.length])).toEqual([
        [2, false, 600_000],
        [0, true, 0],
        [8, true, 2],
      ]);
    },
  },
  'NW-049': async () => {
    const { client, remote, server } = await pair();
    expect([client.socket.remotePort, remote.socket.localPort]).toEqual([portOf(server.socket), portOf(server.socket)]);
    expect(remote.socket.remotePort).toBe(client.socket.localPort);
    expect(client.socket).toBe(client.webSocket!.duplex);
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
    rawClient(server, handshake({ 'X-Digits-123': 'a', 'X-NO-BLANK': 'b' }).replace('X-NO-BLANK: b', 'X-NO-BLANK:b'));
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
});
