import { expect } from '@jest/globals';
import { once } from 'node:events';
import { BINARY, handshake, next, portOf, TEXT, Wire } from '@ws/testing/peer';
import WebSocket from '../../src/ws2/index.js';
import { prove } from '../rows.js';
import { stateRows } from '../rows/ws2.js';
import { connection, opened, pair, start, ws8, ws8Server } from './support.js';

prove(stateRows, {
  'WS-055': async () => {
    const server = await start();
    const told = connection(server);
    const raw = await Wire.open(portOf(server));
    const socket = await told;
    const before = socket.bytesReceived;
    raw.send(TEXT, 'hello');
    await next(socket, 'message');
    expect([before, socket.bytesReceived]).toEqual([0, 11]);
  },
  'WS-056': {
    'constants of class and instance': () => {
      const names = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;
      expect(names.map((name) => WebSocket[name])).toEqual([0, 1, 2, 3]);
      expect(names.map((name) => WebSocket.prototype[name])).toEqual([0, 1, 2, 3]);
    },
    'from CONNECTING to CLOSED': async () => {
      const { url } = await ws8Server();
      const socket = new WebSocket(url);
      const states = [socket.readyState];
      await opened(socket);
      states.push(socket.readyState);
      socket.close();
      states.push(socket.readyState);
      await next(socket, 'close');
      states.push(socket.readyState);
      expect(states).toEqual([0, 1, 2, 3]);
    },
  },
  'WS-057': async () => {
    const server = await start();
    const told = connection(server);
    await Wire.open(portOf(server), handshake({ 'Sec-WebSocket-Version': '8' }));
    expect((await told).protocolVersion).toBe(8);
    const { client, socket } = await pair();
    expect([client.protocolVersion, socket.protocolVersion]).toEqual([13, 13]);
  },
  'WS-058': async () => {
    const { server, client, socket } = await pair();
    expect([client.url, socket.url]).toEqual([`ws://127.0.0.1:${portOf(server)}`, undefined]);
  },
  'WS-059': {
    'of a server (X-13)': async () => {
      const server = await start();
      const told = connection(server);
      await opened(ws8(portOf(server), [], { headers: { cookie: 'a=b' } }, '/room?x=1'));
      const { upgradeReq } = await told;
      expect([upgradeReq.url, upgradeReq.headers.cookie]).toEqual(['/room?x=1', 'a=b']);
    },
    'not of a client': async () => expect((await pair()).client.upgradeReq).toBeUndefined(),
  },
  'WS-061': async () => {
    const { client, socket } = await pair();
    expect(socket._socket).toBe(socket.upgradeReq.socket);
    expect(client._socket?.remoteAddress).toBe('127.0.0.1');
    const connecting = new WebSocket(client.url ?? '');
    expect(connecting._socket).toBeNull();
    await opened(connecting);
  },
  'WS-060': {
    'protocol, extensions': async () => {
      const { client, socket } = await pair();
      expect([client.protocol, socket.protocol]).toEqual(['', '']);
      expect([client.extensions, socket.extensions]).toEqual(['permessage-deflate', 'permessage-deflate']);
    },
    bufferedAmount: async () => {
      const { socket } = await pair();
      expect(socket.bufferedAmount).toBe(0);
      await new Promise<void>((resolve) => {
        socket.send(Buffer.alloc(16_000_000), { compress: false }, () => resolve());
        expect(socket.bufferedAmount).toBeGreaterThan(0);
      });
      expect(socket.bufferedAmount).toBe(0);
    },
    'binaryType holds for W3C listeners': async () => {
      const server = await start();
      const told = connection(server);
      const raw = await Wire.open(portOf(server));
      const socket = await told;
      const got: unknown[] = [];
      socket.on('message', (data) => got.push(data));
      socket.onmessage = ({ data }) => got.push(data);
      expect(socket.binaryType).toBe('nodebuffer');
      raw.send(BINARY, 'ab');
      await once(socket, 'message');
      socket.binaryType = 'arraybuffer';
      raw.send(BINARY, 'cd');
      raw.send(TEXT, 'ef');
      while (got.length < 6) await once(socket, 'message');
      const [cd, text_] = [Buffer.from('cd'), 'ef'];
      expect(got.slice(0, 3)).toEqual([Buffer.from('ab'), Buffer.from('ab'), cd]);
      expect(got[3]).toBeInstanceOf(ArrayBuffer);
      expect([Buffer.from(got[3] as ArrayBuffer), ...got.slice(4)]).toEqual([cd, text_, text_]);
      expect(() => Object.assign(socket, { binaryType: 'blob' })).toThrow(SyntaxError);
    },
  },
});
