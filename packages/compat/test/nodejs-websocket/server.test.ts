import { once } from 'node:events';
import { Server as HttpServer } from 'node:http';
import { Server as HttpsServer } from 'node:https';
import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { expect } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { atEnd, handshake, next, portOf } from '@ws/testing/peer';
import { Connection, createServer, Server } from '../../src/nodejs-websocket/index.js';
import { serverRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';
import { dial, listening, pair, rawClient, rawPair, record, serve, urlOf } from './ends.js';

/** Clients of `server`, and what they are connected to, in this order. */
async function crowd(server: Server, count: number): Promise<[Connection, Connection][]> {
  const both: [Connection, Connection][] = [];
  while (both.length < count) {
    const arrival = once(server, 'connection') as Promise<[Connection]>;
    const client = dial(urlOf(server));
    await once(client, 'connect');
    both.push([client, ...(await arrival)]);
  }
  return both;
}

prove(serverRows, {
  'NW-020': {
    'options, callback': async () => {
      const log: Connection[] = [];
      const server = await listening(new Server(false, { validProtocols: ['a'] }, (conn) => log.push(conn)));
      dial(urlOf(server), { protocols: ['a'] });
      const [conn] = (await once(server, 'connection')) as [Connection];
      expect([log, conn.protocol, server.connections]).toEqual([[conn], 'a', [conn]]);
      expect(server.socket).toBeInstanceOf(HttpServer);
    },
    'options left out': async () => {
      const log: Connection[] = [];
      const server = await listening(new Server(false, (conn) => log.push(conn)));
      dial(urlOf(server));
      const [conn] = (await once(server, 'connection')) as [Connection];
      expect(log).toEqual([conn]);
      expect(new Server(false).connections).toEqual([]);
    },
    secure: () => {
      expect(new Server(true, makeCertificate()).socket).toBeInstanceOf(HttpsServer);
    },
  },
  'NW-021': {
    'port, host, callback': async () => {
      const server = createServer();
      atEnd(() => server.socket.close());
      await new Promise<void>((resolve) => expect(server.listen(0, '127.0.0.1', resolve)).toBe(server));
      expect(server.socket.address()).toMatchObject({ address: '127.0.0.1', port: expect.any(Number) });
      expect(server.listenerCount('listening')).toBe(1); // a listener as any other
    },
    'port, callback: all addresses': async () => {
      const server = createServer();
      atEnd(() => server.socket.close());
      await new Promise<void>((resolve) => void server.listen(0, resolve));
      expect(server.socket.address()).toMatchObject({ address: '::' });
    },
    'again, after close': async () => {
      const server = await serve();
      server.close();
      await once(server, 'close');
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      await crowd(server, 1);
      expect(server.connections).toHaveLength(1);
    },
  },
  'NW-022': async () => {
    const { server, client, remote } = await pair();
    const address = urlOf(server);
    const log = record(server, ['close']);
    const closed = new Promise<void>((resolve) => server.close(resolve));
    expect(log).toEqual([]);
    const late = dial(address);
    expect((await once(late, 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    remote.on('text', (text) => remote.sendText(text));
    client.sendText('still here');
    expect(await once(client, 'text')).toEqual(['still here']);
    expect(log).toEqual([]);
    client.close();
    await closed;
    expect([log, server.listenerCount('close')]).toEqual([[['close']], 1]); // that of the log
  },
  'NW-023': async () => {
    const server = await serve();
    expect(server.socket).toBeInstanceOf(HttpServer);
    expect(server.socket.address()).toMatchObject({ family: 'IPv4' });
    const closed = once(server, 'close');
    server.socket.close();
    await closed;
  },
  'NW-024': {
    'there before connection, gone before the listeners of close': async () => {
      const log: unknown[] = [];
      const server = await serve({}, (conn) => {
        log.push(server.connections.includes(conn));
        conn.on('close', () => log.push(server.connections.includes(conn), server.connections.length));
      });
      const [[client]] = (await crowd(server, 1)) as [[Connection, Connection]];
      const [conn] = server.connections as [Connection];
      const gone = once(conn, 'close');
      client.close();
      await gone;
      expect(log).toEqual([true, false, 0]);
    },
    'a loop that closes misses none': async () => {
      const server = await serve();
      const both = await crowd(server, 3);
      const closes = both.map(([client]) => once(client, 'close'));
      const list = server.connections;
      let count = 0;
      server.connections.forEach((conn) => {
        count++;
        conn.close(4000 + count);
      });
      expect([count, list.length, server.connections]).toEqual([3, 3, []]);
      expect(await Promise.all(closes)).toEqual([
        [4001, ''],
        [4002, ''],
        [4003, ''],
      ]);
    },
    'one array as long as nobody leaves, which those that come are added to': async () => {
      const server = await serve();
      const list = server.connections;
      const [[client]] = (await crowd(server, 2)) as [[Connection, Connection]];
      expect(server.connections).toBe(list);
      expect(list).toHaveLength(2);
      const gone = once(list[0]!, 'close');
      client.close();
      await gone;
      const rest = server.connections;
      expect([list.length, rest, server.connections === rest]).toEqual([2, [list[1]], true]);
      await crowd(server, 1);
      expect([server.connections === rest, rest.length]).toEqual([true, 2]);
    },
    'a handshake that fails is not among them': async () => {
      const server = await serve();
      const raw = rawClient(server, handshake({ 'Sec-WebSocket-Key': 'x' }));
      await raw.head();
      expect(server.connections).toEqual([]);
    },
  },
  'NW-025': async () => {
    const { client } = await pair({ validProtocols: ['a', 'b'] }, { protocols: ['x', 'b', 'a'] });
    expect(client.protocol).toBe('b');
  },
  'NW-026': async () => {
    const server = createServer();
    const log = record(server, ['listening']);
    await listening(server);
    expect(log).toEqual([['listening']]);
  },
  'NW-027': {
    'only when all connections have ended': async () => {
      const { server, client, remote } = await pair();
      const log = record(server, ['close']);
      const gone = remote.webSocket!.closed;
      server.close();
      client.close(4000);
      await once(remote, 'close');
      expect(log).toEqual([]); // it closes, and TCP is still there
      await Promise.all([gone, once(server, 'close')]);
      expect([log, remote.socket.destroyed]).toEqual([[['close']], true]);
    },
    'those over streams made by hand too': async () => {
      const server = await serve();
      const [near, far] = duplexPair();
      const conn = await new Promise<Connection>((resolve) => {
        const made = new Connection(near, server, () => resolve(made));
        far.resume().write(handshake());
      });
      const log = record(server, ['close']);
      server.close();
      await once(server.socket, 'close');
      expect(log).toEqual([]);
      conn.webSocket!.terminate();
      await once(server, 'close');
    },
  },
  'NW-028': {
    'the port is taken: error, and close behind it': async () => {
      const taken = await serve();
      const server = createServer();
      const log = record(server, ['error', 'close', 'listening']);
      const closed = next(server, 'close');
      server.listen(portOf(taken.socket), '127.0.0.1');
      await closed;
      expect(log).toEqual([['error', expect.objectContaining({ code: 'EADDRINUSE' })], ['close']]);
      await listening(server); // it may try again
      expect(log.at(-1)).toEqual(['listening']);
    },
  },
  'NW-029': {
    'after the handshake': async () => {
      const states: unknown[] = [];
      const server = await serve({}, (conn) => states.push(conn.readyState, conn.path, conn.listenerCount('error')));
      const accepted = once(server.socket, 'connection');
      const raw = rawClient(server, handshake({}, 'GET /a?b HTTP/1.1').slice(0, -4));
      await accepted;
      expect(states).toEqual([]);
      raw.write('\r\n\r\n');
      await raw.head();
      expect(states).toEqual([1, '/a?b', 0]);
    },
    'errors before it are nobody’s': async () => {
      const server = await serve();
      const log = record(server, ['error', 'connection']);
      const accepted = once(server.socket, 'connection') as Promise<[Socket]>;
      const raw = rawClient(server, handshake().slice(0, -4));
      const [socket] = await accepted;
      const gone = next(socket, 'close');
      raw.socket.resetAndDestroy();
      await gone;
      const garbage = rawClient(server, 'GARBAGE\r\n\r\n');
      expect((await garbage.head()).line).toBe('HTTP/1.1 400 Bad Request');
      await crowd(server, 1);
      expect(log).toEqual([['connection', expect.anything()]]);
    },
  },
  'NW-030': {
    '400, the end, and no event': async () => {
      const server = await serve();
      const log = record(server, ['connection', 'error']);
      const wrong = [
        handshake({}, 'POST / HTTP/1.1'),
        handshake({}, 'GET / HTTP/1.0'),
        handshake({ Host: undefined }),
        handshake({ 'Sec-WebSocket-Key': undefined }),
        handshake({ 'Sec-WebSocket-Key': 'short' }),
        handshake({ Upgrade: 'h2c' }),
        handshake({ Connection: 'keep-alive' }),
        handshake({ Connection: undefined }),
        handshake({ 'Sec-WebSocket-Version': undefined }),
        handshake({ 'Sec-WebSocket-Protocol': 'a b' }),
      ];
      for (const text of wrong) {
        const raw = rawClient(server, text);
        expect([text, (await raw.head()).line]).toEqual([text, 'HTTP/1.1 400 Bad Request']);
        await raw.over();
      }
      expect(log).toEqual([]);
    },
    'upgrade in any case, among others': async () => {
      for (const connection of ['keep-alive, UPGRADE', 'upgrade,x', 'Upgrade']) {
        const { remote } = await rawPair({}, handshake({ Connection: connection, Upgrade: 'WebSocket' }));
        expect(remote.readyState).toBe(1);
      }
    },
    '426 for another version, and for what asks for no WebSocket': async () => {
      const server = await serve();
      for (const text of [handshake({ 'Sec-WebSocket-Version': '8' }), 'GET / HTTP/1.1\r\nHost: x\r\n\r\n']) {
        const raw = rawClient(server, text);
        const { line, headers } = await raw.head();
        expect([line, headers['sec-websocket-version']]).toEqual(['HTTP/1.1 426 Upgrade Required', '13']);
        await raw.over();
      }
    },
  },
});
