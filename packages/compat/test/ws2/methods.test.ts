import { expect, jest } from '@jest/globals';
import { once } from 'node:events';
import { CLOSE, handshake, listenSwitching, next, portOf, Wire } from '@ws/testing/peer';
import WebSocket, { type Flags } from '../../src/ws2/index.js';
import { prove } from '../rows.js';
import { methodRows } from '../rows/ws2.js';
import { connection, history, inbox, manage, opened, pair, start, rawPair } from './support.js';

async function closedPair(): Promise<WebSocket> {
  const { client } = await pair();
  client.close();
  await next(client, 'close');
  return client;
}

/** Not open yet. */
async function connecting(): Promise<WebSocket> {
  const { url } = await listenSwitching();
  return manage(new WebSocket(url));
}

prove(methodRows, {
  'WS-065': {
    'sends 1000 without a code (X-24)': async () => {
      const { socket, raw } = await rawPair();
      const ended = next(socket, 'close');
      socket.close();
      expect(await raw.bytes(4)).toBe('880203e8');
      raw.send(CLOSE, Buffer.from('03e8', 'hex'));
      expect(await ended).toEqual([1000, '']);
    },
    'code and data': async () => {
      const { client, socket } = await pair();
      const ended = Promise.all([next(client, 'close'), next(socket, 'close')]);
      socket.close(4000, 'enough');
      expect(await ended).toEqual([
        [4000, 'enough'],
        [4000, 'enough'],
      ]);
    },
    "a bad code is an 'error', and nothing has happened (B-44)": async () => {
      const { client, socket } = await pair();
      const failed = next<[Error]>(socket, 'error');
      socket.close(999);
      expect((await failed)[0]).toBeInstanceOf(RangeError);
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.send('still here');
      expect((await next(client, 'message'))[0]).toBe('still here');
      expect(() => socket.close(1000, 'x'.repeat(124))).toThrow(RangeError);
    },
    "while connecting: 'error' and 'close'": async () => {
      const socket = await connecting();
      const { closed } = history(socket);
      socket.close();
      expect(await closed).toEqual([expect.stringMatching(/^error .*before the connection/), 'close 1006 ']);
    },
    'while connecting, and nobody listens': async () => {
      const socket = await connecting();
      socket.close();
      expect(await next(socket, 'close')).toEqual([1006, '']);
    },
    'no answer: cut after closeTimeout': async () => {
      const { socket, raw } = await rawPair({ closeTimeout: 50 });
      socket.close();
      expect(await next(socket, 'close')).toEqual([1006, '']);
      await raw.rest();
    },
    'behind both Close frames a client ends TCP, whether the server does or not': async () => {
      const { url, visit } = await listenSwitching();
      const client = manage(new WebSocket(url));
      const { wire } = await visit; // which ends TCP behind its peer
      wire.send(CLOSE, Buffer.from('0fa0', 'hex'), { masked: false });
      expect(await next(client, 'close')).toEqual([4000, '']);
      expect(wire.ending).toBe('FIN');
    },
    'again, and behind the end': async () => {
      const socket = await closedPair();
      socket.close();
      socket.close(4000, 'again');
      expect(socket.readyState).toBe(WebSocket.CLOSED);
    },
  },
  'WS-066': {
    'at once': async () => {
      const { socket, raw } = await rawPair();
      socket.terminate();
      expect(await next(socket, 'close')).toEqual([1006, '']);
      expect(await raw.rest()).toHaveLength(0);
    },
    'while connecting': async () => {
      const socket = await connecting();
      const { closed } = history(socket);
      socket.terminate();
      expect((await closed).at(-1)).toBe('close 1006 ');
    },
  },
  'WS-067': {
    'nothing comes until resume': async () => {
      const { client, socket } = await pair();
      const got = inbox(socket);
      socket.pause();
      client.send('a');
      const other = await pair(); // by now it would be there
      other.client.ping();
      await next(other.client, 'pong');
      expect(got.messages).toEqual([]);
      socket.resume();
      expect(await got.until(1)).toEqual(['a']);
    },
    'throw unless it is open (X-11)': async () => {
      for (const make of [connecting, closedPair]) {
        const socket = await make();
        expect(() => socket.pause()).toThrow('not opened');
        expect(() => socket.resume()).toThrow('not opened');
      }
    },
  },
  'WS-068': {
    'data, options, a Boolean (X-16b)': async () => {
      const { client, socket } = await pair();
      const got: string[] = [];
      client.on('ping', (data) => got.push(String(data)));
      const last = new Promise((resolve) => client.on('ping', (data) => String(data) === 'end' && resolve(undefined)));
      socket.ping();
      socket.ping('a');
      socket.ping(Buffer.from('b'), { mask: true, binary: true });
      socket.ping('c', true);
      socket.ping('d', false, true);
      socket.ping(1);
      socket.ping(null);
      socket.ping('end');
      await last;
      expect(got).toEqual(['', 'a', 'b', 'c', 'd', '1', '', 'end']);
    },
    'the role decides over the mask (X-22)': async () => {
      const { socket, raw } = await rawPair();
      socket.ping('a', { mask: true });
      expect(await raw.bytes(3)).toBe('890161');
    },
    'not open: throws unless told not to': async () => {
      for (const make of [connecting, closedPair]) {
        const socket = await make();
        expect(() => socket.ping('a')).toThrow('not opened');
        expect(() => socket.ping('a', {}, false)).toThrow('not opened');
        expect(socket.ping('a', {}, true)).toBeUndefined();
      }
    },
    'over 125 bytes throws': async () => {
      const { socket } = await pair();
      expect(() => socket.ping('a'.repeat(126))).toThrow(RangeError);
      socket.ping('a'.repeat(125));
    },
  },
  'WS-069': {
    'data, options': async () => {
      const { socket, raw } = await rawPair();
      socket.pong('a', { mask: true });
      socket.pong();
      expect(await raw.bytes(5)).toBe('8a01618a00');
    },
    'not open: throws unless told not to': async () => {
      for (const make of [connecting, closedPair]) {
        const socket = await make();
        expect(() => socket.pong('a')).toThrow('not opened');
        expect(socket.pong('a', {}, true)).toBeUndefined();
      }
    },
    'over 125 bytes throws': async () => {
      const { socket } = await pair();
      expect(() => socket.pong('a'.repeat(126))).toThrow(RangeError);
    },
  },
  'WS-070': {
    'text, bytes, numbers, nothing': async () => {
      const { client, socket } = await pair();
      const got: unknown[] = [];
      client.on('message', (data, { binary }: Partial<Flags>) => got.push([binary === true, String(data)]));
      socket.send('text');
      socket.send(Buffer.from('buffer'));
      socket.send(new Uint8Array([0x61, 0x62]).buffer);
      socket.send(new Uint16Array([0x6161]));
      socket.send(12);
      for (const nothing of ['', null, undefined, false, 0]) socket.send(nothing);
      socket.send();
      socket.close();
      await next(client, 'close');
      expect(got).toEqual([
        [false, 'text'],
        [true, 'buffer'],
        [true, 'ab'],
        [true, 'aa'],
        [false, '12'],
        ...Array.from({ length: 6 }, () => [false, '']),
      ]);
    },
    'callback when written': async () => {
      const { socket } = await pair();
      expect(await new Promise((resolve) => socket.send('a', resolve))).toBeUndefined();
      expect(await new Promise((resolve) => socket.send('a', {}, resolve))).toBeUndefined();
      expect(await new Promise((resolve) => socket.send('a', null, resolve))).toBeUndefined();
    },
    'not open: throws, or tells the callback (X-09)': async () => {
      for (const make of [connecting, closedPair]) {
        const socket = await make();
        expect(() => socket.send('a')).toThrow('not opened');
        expect(() => socket.send('a', {})).toThrow('not opened');
        const callback = jest.fn();
        const error = await new Promise<Error | null | undefined>((resolve) => {
          socket.send('a', (given) => {
            callback();
            resolve(given);
          });
          expect(callback).not.toHaveBeenCalled();
        });
        expect(error?.message).toBe('not opened');
      }
    },
  },
  'WS-071': {
    binary: async () => {
      const { socket, raw } = await rawPair();
      socket.send('a', { binary: true });
      socket.send(Buffer.from('a'), { binary: false });
      expect(await raw.bytes(6)).toBe('820161810161');
    },
    fin: async () => {
      const { socket, raw } = await rawPair();
      socket.send('a', { fin: false });
      socket.send('b', { fin: false });
      socket.send('c');
      expect(await raw.bytes(9)).toBe('010161000162800163');
    },
    'mask: the role decides': async () => {
      const { socket, raw } = await rawPair();
      socket.send('a', { mask: true });
      expect(await raw.bytes(3)).toBe('810161');
      const { url, visit } = await listenSwitching();
      const client = await opened(manage(new WebSocket(url)));
      client.send('a', { mask: false });
      expect(await (await visit).wire.bytes(2)).toBe('8181');
    },
    compress: async () => {
      const server = await start();
      const told = connection(server);
      const raw = await Wire.open(portOf(server), handshake({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
      const socket = await told;
      socket.send('a'.repeat(2000), { compress: false });
      expect(await raw.bytes(4)).toBe('817e07d0');
      await raw.bytes(2000);
      socket.send('a'.repeat(2000));
      expect(await raw.bytes(1)).toBe('c1');
    },
    "the caller's object stays as it is": async () => {
      const { socket } = await pair();
      const options = Object.freeze({ binary: true });
      await new Promise((resolve) => socket.send('a', options, resolve));
      expect(options).toEqual({ binary: true });
    },
  },
  'WS-075': {
    'fragments on successive ticks': async () => {
      const { socket, raw } = await rawPair();
      const parts = ['a', Buffer.from('b'), 'c'];
      const asked: number[] = [];
      socket.stream({ binary: true }, (error, send) => {
        expect(error).toBeNull();
        asked.push(parts.length);
        send?.(parts.shift(), parts.length === 0);
        expect(asked.at(-1)).toBe(parts.length + 1); // not asked again in this one
      });
      expect(asked).toEqual([]);
      expect(await raw.bytes(9)).toBe('020161000162800163');
    },
    'what can be sent': async () => {
      const { client, socket } = await pair();
      const parts = ['text ', 12, ' ', new Uint8Array([0x61]).buffer, new Uint16Array([0x6161]), null];
      socket.stream((_error, send) => send?.(parts.shift(), parts.length === 0));
      expect((await next(client, 'message'))[0]).toBe('text 12 aaa');
    },
    'no callback: throws': async () => {
      const { socket } = await pair();
      expect(() => socket.stream({} as never)).toThrow(TypeError);
    },
    'not open: the callback is told': async () => {
      for (const make of [connecting, closedPair]) {
        const socket = await make();
        const [error, send] = await new Promise<unknown[]>((resolve) => socket.stream((...told) => resolve(told)));
        expect([(error as Error).message, send]).toEqual(['not opened', undefined]);
      }
    },
    'the second waits for the first': async () => {
      const { client, socket } = await pair();
      const got = inbox(client);
      const order: string[] = [];
      const letters = (name: string): string[] => [1, 2, 3].map((n) => `${name}${n} `);
      for (const name of ['a', 'b', 'c']) {
        const parts = letters(name);
        socket.stream((_error, send) => {
          order.push(name);
          send?.(parts.shift(), parts.length === 0);
        });
      }
      expect(await got.until(3)).toEqual(['a1 a2 a3 ', 'b1 b2 b3 ', 'c1 c2 c3 ']);
      expect(order.join('')).toBe('aaabbbccc');
    },
    'other messages go behind it': async () => {
      const { client, socket } = await pair();
      const got = inbox(client);
      let sent = 0;
      socket.stream((_error, send) => {
        send?.('x', ++sent === 3);
        if (sent === 1) socket.send('behind');
      });
      expect(await got.until(2)).toEqual(['xxx', 'behind']);
    },
    'a lost connection is told once, and to those that wait': async () => {
      const { client, socket } = await pair();
      const told: unknown[] = [];
      const ended = next(socket, 'close');
      const callback =
        (name: string) =>
        (error: Error | null, send?: (data: string) => void): void => {
          if (error) told.push(name);
          else if (send) {
            send('x');
            if (name === 'first') client.terminate();
          }
        };
      socket.stream(callback('first'));
      socket.stream(callback('second'));
      await ended;
      await new Promise(setImmediate);
      expect(told).toHaveLength(2);
      expect(new Set(told)).toEqual(new Set(['first', 'second']));
    },
    'behind the final fragment nothing is sent': async () => {
      const { client, socket } = await pair();
      let again: (() => void) | undefined;
      socket.stream((_error, send) => {
        send?.('x', true);
        again = () => send?.('y');
      });
      expect((await once(client, 'message'))[0]).toBe('x');
      expect(again).toThrow('not opened');
    },
    'a peer that does not read is not fed': async () => {
      const { socket, raw } = await rawPair();
      raw.socket.pause();
      const all = 2000;
      let asked = 0;
      const isDone = new Promise<void>((resolve) =>
        socket.stream({ binary: true }, (_error, send) => {
          asked++;
          send?.(Buffer.alloc(65_536), asked === all);
          if (asked === all) resolve();
        }),
      );
      for (let before = -1; before !== asked; await turns(50)) before = asked;
      expect(asked).toBeLessThan(all);
      raw.socket.removeAllListeners('data').resume();
      await isDone;
    },
  },
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate);
}
