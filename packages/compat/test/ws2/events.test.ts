import { afterEach, expect, jest } from '@jest/globals';
import { Program, stopPrograms } from '@ws/testing';
import { BINARY, CLOSE, next, PING, TEXT, type Wire } from '@ws/testing/peer';
import WebSocket from '../../src/ws2/index.js';
import { prove } from '../rows.js';
import { eventRows } from '../rows/ws2.js';
import { manage, pair, ws8Server, rawPair } from './support.js';

afterEach(stopPrograms);

const ASYNC_LISTENERS = `
  import { once } from 'node:events';
  import WebSocket from '@ws/compat/ws2';
  const server = new WebSocket.Server({ port: 0 });
  server.on('connection', async (socket) => {
    socket.on('message', async (data) => {
      if (data === 'fail') throw new Error('our own');
      await once(socket, 'close');
      socket.send('too late');
    });
    await once(socket, 'close');
    server.close(() => setImmediate(() => console.log('served all')));
    socket.send('too late as well');
  });
  process.on('unhandledRejection', (error) => console.log('unhandled:', error.message));
  await once(server, 'listening');
  const client = new WebSocket('ws://127.0.0.1:' + server.address().port);
  client.on('open', () => {
    client.send('fail');
    client.send('wait');
    client.close();
  });`;

const UNKNOWN_OPCODE = Buffer.from('838001020304', 'hex');

prove(eventRows, {
  'WS-080': {
    open: async () => {
      const { url } = await ws8Server();
      const socket = manage(new WebSocket(url));
      expect(socket.onopen).toBeNull();
      const event = await new Promise<unknown>((resolve) => (socket.onopen = resolve));
      expect(event).toEqual({ type: 'open', target: socket });
    },
    message: async () => {
      const { socket, raw } = await rawPair();
      const events: unknown[] = [];
      socket.onmessage = (event) => events.push(event);
      raw.send(TEXT, 'a').send(BINARY, 'b');
      while (events.length < 2) await next(socket, 'message');
      expect(events).toEqual([
        { type: 'message', target: socket, data: 'a', binary: false },
        { type: 'message', target: socket, data: Buffer.from('b'), binary: true },
      ]);
    },
    close: async () => {
      const { client, socket } = await pair();
      const event = new Promise<unknown>((resolve) => (socket.onclose = resolve));
      client.close(4000, 'enough');
      expect(await event).toEqual({ type: 'close', target: socket, code: 4000, reason: 'enough', wasClean: true });
      const other = await pair();
      const cut = new Promise<{ code: number; wasClean: boolean }>((resolve) => (other.socket.onclose = resolve));
      other.client.terminate();
      const { code, wasClean } = await cut;
      expect([code, wasClean]).toEqual([1006, false]);
    },
    'error: the Error, with type and target': async () => {
      const { socket, raw } = await rawPair();
      const failed = next<[Error]>(socket, 'error');
      const event = new Promise<Error & { type: string; target: unknown }>((resolve) => (socket.onerror = resolve));
      raw.write(UNKNOWN_OPCODE);
      const error = await event;
      expect([error instanceof Error, error.type, error.target === socket]).toEqual([true, 'error', true]);
      expect((await failed)[0]).toBe(error);
    },
    'setting one takes no other away (B-24)': async () => {
      const { socket, raw } = await rawPair();
      const [old, attribute, listener, added] = [jest.fn(), jest.fn(), jest.fn(), jest.fn()];
      socket.on('message', listener);
      socket.addEventListener('message', added);
      socket.onmessage = old;
      socket.onmessage = attribute;
      expect(socket.onmessage).toBe(attribute);
      raw.send(TEXT, 'a');
      await next(socket, 'message');
      expect([old, attribute, listener, added].map(({ mock }) => mock.calls.length)).toEqual([0, 1, 1, 1]);
      socket.onmessage = null;
      socket.onopen = socket.onclose = socket.onerror = null;
      expect([socket.onmessage, socket.onopen, socket.onclose, socket.onerror]).toEqual([null, null, null, null]);
      raw.send(TEXT, 'b');
      await next(socket, 'message');
      expect([attribute, listener, added].map(({ mock }) => mock.calls.length)).toEqual([1, 2, 2]);
    },
    'a listener may have any this': async () => {
      const { socket, raw } = await rawPair();
      const self = new Promise((resolve) => {
        socket.onmessage = function (this: unknown) {
          resolve(this);
        };
      });
      raw.send(TEXT, 'a');
      expect(await self).toBe(socket);
    },
  },
  'WS-081': {
    'W3C listeners, taken away again': async () => {
      const { socket, raw } = await rawPair();
      const listener = jest.fn();
      socket.addEventListener('message', listener);
      raw.send(TEXT, 'a');
      await next(socket, 'message');
      socket.removeEventListener('message', listener);
      raw.send(TEXT, 'b');
      await next(socket, 'message');
      expect(listener.mock.calls).toEqual([[{ type: 'message', target: socket, data: 'a', binary: false }]]);
    },
    'other types are those of the emitter': async () => {
      const { socket, raw } = await rawPair();
      const listener = jest.fn();
      socket.addEventListener('ping', listener);
      raw.send(PING, 'a');
      await next(socket, 'ping');
      socket.removeEventListener('ping', listener);
      raw.send(PING, 'b');
      await next(socket, 'ping');
      expect(listener.mock.calls).toEqual([[Buffer.from('a'), { masked: true, binary: true }]]);
    },
    'what is no function is no listener': async () => {
      const { socket } = await pair();
      socket.addEventListener('message', null as never);
      expect(socket.listenerCount('message')).toBe(0);
      const never = (): void => {};
      socket.removeEventListener('message', never);
    },
    'removeAllListeners takes them away': async () => {
      const { client, socket } = await pair();
      const listener = jest.fn();
      socket.onmessage = listener;
      socket.removeAllListeners();
      expect(socket.onmessage).toBeNull();
      const closed = next(socket, 'close');
      client.send('a');
      client.close();
      expect(await closed).toEqual([1000, '']);
      expect(listener).not.toHaveBeenCalled();
    },
  },
  'WS-085': {
    'a fault of the peer, a Close frame first': async () => {
      const { socket, raw } = await rawPair();
      const failed = next<[Error & { code: string }]>(socket, 'error');
      raw.write(UNKNOWN_OPCODE);
      expect((await failed)[0].code).toBe('WS_ERR_INVALID_OPCODE');
      expect(await raw.bytes(1)).toBe('88');
      expect([await raw.bytes(1), await raw.bytes(2)][1]).toBe('03ea');
      const again = jest.fn();
      socket.on('error', again);
      await next(socket, 'close');
      expect(again).not.toHaveBeenCalled();
    },
    'nobody listens: nothing is thrown (B-30)': async () => {
      const { socket, raw } = await rawPair();
      raw.write(UNKNOWN_OPCODE);
      expect(await next(socket, 'close')).toEqual([1006, '']);
    },
    'an error of TCP': async () => {
      const { socket, raw } = await rawPair();
      const events: unknown[] = [];
      socket.on('error', (error: Error & { code?: string }) => events.push(error.code));
      socket.on('close', (code) => events.push(code));
      raw.socket.resetAndDestroy();
      await next(socket, 'close');
      expect(events).toEqual(['ECONNRESET', 1006]);
    },
    'an error of TCP that nobody listens for': async () => {
      const { socket, raw } = await rawPair();
      raw.socket.resetAndDestroy();
      expect(await next(socket, 'close')).toEqual([1006, '']);
    },
    'an async listener may fail with the connection, and not by itself': async () => {
      const program = new Program(new URL('../../', import.meta.url), ASYNC_LISTENERS);
      expect([await program.ended, ...program.lines]).toEqual([0, 'unhandled: our own', 'served all']);
    },
  },
  'WS-086': {
    'code, and message as a string (X-03)': async () => {
      const { client, socket } = await pair();
      const told = next(socket, 'close');
      client.close(4000, 'enough');
      expect(await told).toEqual([4000, 'enough']);
    },
    'a frame without a code: 1000 (X-23)': async () => {
      const { socket, raw } = await rawPair();
      const told = next(socket, 'close');
      raw.send(CLOSE);
      expect(await told).toEqual([1000, '']);
    },
    'no frame: 1006': async () => {
      for (const cut of [(raw: Wire) => raw.socket.end(), (raw: Wire) => raw.cut()]) {
        const { socket, raw } = await rawPair();
        const told = next(socket, 'close');
        cut(raw);
        expect(await told).toEqual([1006, '']);
      }
    },
    'once, and last': async () => {
      const { client, socket } = await pair();
      const events: string[] = [];
      for (const name of ['message', 'error', 'close'] as const) socket.on(name, () => events.push(name));
      client.send('a');
      client.close();
      client.terminate();
      await next(socket, 'close');
      await new Promise(setImmediate);
      expect(events.filter((name) => name === 'close')).toHaveLength(1);
      expect(events.at(-1)).toBe('close');
    },
  },
  'WS-087': {
    'data and flags, and no more (X-01)': async () => {
      const { socket, raw } = await rawPair();
      const told: unknown[][] = [];
      socket.on('message', (...given) => told.push(given));
      raw.send(TEXT, 'é').send(BINARY, 'b').send(TEXT, '');
      while (told.length < 3) await next(socket, 'message');
      expect(told).toEqual([
        ['é', { masked: true }],
        [Buffer.from('b'), { masked: true, binary: true }],
        ['', { masked: true }],
      ]);
    },
    'a server does not mask': async () => {
      const { client, socket } = await pair();
      socket.send('a');
      expect(await next(client, 'message')).toEqual(['a', { masked: false }]);
    },
    'flags are of one event': async () => {
      const { socket, raw } = await rawPair();
      socket.on('message', (_data, flags) => Object.assign(flags, { binary: 'changed' }));
      raw.send(TEXT, 'a');
      await next(socket, 'message');
      const told = new Promise((resolve) => socket.prependListener('message', (_data, flags) => resolve({ ...flags })));
      raw.send(TEXT, 'b');
      expect(await told).toEqual({ masked: true });
    },
  },
  'WS-088': {
    'ping: Buffer and flags (X-02)': async () => {
      const { socket, raw } = await rawPair();
      raw.send(PING, 'a');
      expect(await next(socket, 'ping')).toEqual([Buffer.from('a'), { masked: true, binary: true }]);
    },
    'pong: Buffer and flags (X-02)': async () => {
      const { client, socket } = await pair();
      client.ping('b');
      expect(await next(client, 'pong')).toEqual([Buffer.from('b'), { masked: false, binary: true }]);
      expect(socket.listenerCount('ping')).toBe(0);
    },
    'the answer goes before the event': async () => {
      const { socket, raw } = await rawPair();
      socket.on('ping', () => socket.send('b'));
      raw.send(PING, 'a');
      expect(await raw.bytes(6)).toBe('8a0161810162');
    },
  },
  'WS-089': {
    'no arguments': async () => {
      const { url } = await ws8Server();
      expect(await next(manage(new WebSocket(url)), 'open')).toEqual([]);
    },
    'before any message': async () => {
      const { url, server } = await ws8Server();
      server.on('connection', (peer) => peer.send('at once'));
      const socket = manage(new WebSocket(url));
      const events: string[] = [];
      socket.on('open', () => events.push('open'));
      socket.on('message', () => events.push('message'));
      await next(socket, 'message');
      expect(events).toEqual(['open', 'message']);
    },
  },
  'WS-090': {
    'they are still there (X-25)': async () => {
      const { client, socket } = await pair();
      const listener = (): void => {};
      socket.on('message', listener).on('custom' as 'open', listener);
      client.close();
      await next(socket, 'close');
      expect([socket.listeners('message'), socket.listeners('custom' as 'open')]).toEqual([[listener], [listener]]);
    },
  },
});
