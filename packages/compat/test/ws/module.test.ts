import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { expect } from '@jest/globals';
import { build } from 'esbuild';
import { prove } from '../rows.js';
import { module as rows } from '../rows/ws.js';
import WebSocket, * as ours from '../../src/ws/index.js';
import { inForms } from './forms.js';
import { Reference, same, type Socket } from './differential.js';

/** A program as a bundler makes it for browsers. */
const forBrowsers = async (contents: string) => {
  const stdin = { contents, resolveDir: fileURLToPath(new URL('.', import.meta.url)) };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, platform: 'browser', logLevel: 'silent' });
  return outputFiles[0]!.text;
};

prove(rows, {
  'WS8-001': () =>
    inForms(
      'import WebSocket from "@ws/compat/ws"; show(WebSocket.name, WebSocket.OPEN, new WebSocket(null).readyState)',
      [['WebSocket', 1, 0]],
    ),
  'WS8-002': {
    'require gives the class itself, the one that import gives': () =>
      inForms(
        'const WebSocket = require("@ws/compat/ws"); show(WebSocket.name, new (require("@ws/compat"))(null).readyState); import("@ws/compat/ws").then((all) => show(all.default === WebSocket, all.WebSocketServer === WebSocket.Server));',
        [
          ['WebSocket', 0],
          [true, true],
        ],
      ),
    'also where Node cannot require an ES module': () =>
      inForms(
        'const WebSocket = require("@ws/compat/ws"); show(WebSocket.name, WebSocket.Server.name, "default" in WebSocket, "__esModule" in WebSocket);',
        [['WebSocket', 'WebSocketServer', false, false]],
        ['--no-experimental-require-module'],
      ),
    'under jest, whose require knows no ES modules': () => {
      const required = createRequire(import.meta.url)('../../dist/cjs/ws/index.js') as typeof WebSocket;
      expect([typeof required, required.name, required.Server.name]).toEqual([
        'function',
        'WebSocket',
        'WebSocketServer',
      ]);
      expect(new required(null)).toBeInstanceOf(required);
    },
    'what import * makes of it, as TypeScript compiles that': () => {
      const star = Object.fromEntries(
        Object.getOwnPropertyNames(WebSocket).map((name) => [name, Reflect.get(WebSocket, name)]),
      );
      const known = Object.getOwnPropertyNames(Reference).filter(
        (name) => !['length', 'name', 'prototype'].includes(name),
      );
      expect(Object.keys(star)).toEqual(expect.arrayContaining(known));
      expect([star['OPEN'], star['Server']]).toEqual([1, ours.WebSocketServer]);
    },
  },
  'WS8-003': async () => {
    const names = Object.keys(
      await import(
        createRequire(import.meta.url)
          .resolve('ws')
          .replace('index.js', 'wrapper.mjs')
      ),
    );
    expect(Object.keys(ours)).toEqual(expect.arrayContaining(names));
  },
  'WS8-004': () => {
    expect([WebSocket.Server, WebSocket.WebSocketServer, ours.Server]).toEqual(Array(3).fill(ours.WebSocketServer));
    expect(WebSocket.createWebSocketStream).toBe(ours.createWebSocketStream);
  },
  'WS8-005': () => expect([WebSocket.WebSocket, ours.WebSocket]).toEqual([WebSocket, WebSocket]),
  'WS8-006': same(async (world) => {
    const { client, socket } = await world.pair();
    world.log(client instanceof world.client, socket instanceof world.server, client.constructor === world.client);
    world.log(socket.constructor === world.server, {} instanceof world.client);
  }),
  'WS8-007': same(async (world) => {
    class Chatty extends world.client {
      name = 'chatty';
      override send(data: unknown, ...rest: never[]): void {
        super.send(`${this.name}: ${String(data)}`, ...rest);
      }
    }
    const { url, server } = await world.serve();
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const socket = new Chatty(url);
    const [[end]] = await Promise.all([connected, once(socket, 'open')]);
    socket.send('hello');
    world.log(...(await once(end, 'message')), socket instanceof Chatty, socket instanceof world.client);
    socket.terminate();
    await once(socket, 'close');
  }),
  'WS8-008': same(async (world) => {
    class Mine extends world.server.Server {
      seen: string[] = [];
      override shouldHandle(
        ...args: Parameters<typeof Reference.Server.prototype.shouldHandle>
      ): boolean | Promise<boolean> {
        this.seen.push(args[0].url ?? '');
        return super.shouldHandle(...args);
      }
      override close(callback?: (error?: Error) => void): void {
        world.log('closes');
        super.close(callback);
      }
    }
    const server = new Mine({ port: 0, host: '127.0.0.1', path: '/x' });
    await once(server, 'listening');
    const socket = world.connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}/x?y`);
    await once(socket, 'open');
    world.log(server.seen, server instanceof world.server.Server);
    socket.terminate();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }),
  'WS8-009': async () => {
    class Player extends WebSocket {
      score = 0;
    }
    const server: WebSocket.Server<typeof Player> = new WebSocket.Server({ port: 0, WebSocket: Player });
    const scores: number[] = [];
    server.on('connection', (player, request) => {
      scores.push(player.score, request.url?.length ?? 0);
      player.on('message', (data: WebSocket.RawData, isBinary: boolean) => player.send(data, { binary: isBinary }));
    });
    await once(server, 'listening');
    const { port } = server.address() as WebSocket.AddressInfo;
    const options: WebSocket.ClientOptions = { perMessageDeflate: false };
    const socket: WebSocket = new WebSocket(`ws://127.0.0.1:${port}`, options);
    const message = new Promise<WebSocket.Data>((resolve) => {
      socket.onmessage = ({ data }: WebSocket.MessageEvent) => resolve(data);
    });
    socket.onopen = (_event: WebSocket.Event) => socket.send('typed');
    expect([await message, ...scores]).toEqual(['typed', 0, 1]);
    socket.close();
    server.close();
    await once(server, 'close');
  },
  'WS8-017': same(async (world) => {
    const { client, socket, port } = await world.pair();
    type WithStream = { _socket: import('node:net').Socket | null };
    const [mine, theirs] = [client, socket].map((end) => (end as unknown as WithStream)._socket!);
    world.log(mine!.remoteAddress, mine!.remotePort === port, theirs!.remotePort === mine!.localPort);
    mine!.setNoDelay(true);
    mine!.unref().ref();
    world.log(typeof theirs!.writableLength, 'encrypted' in theirs!);
    world.log((new world.client(null as never, undefined, {}) as unknown as WithStream)._socket ?? 'none');
    type WithSenders = { _sender: WithStream };
    world.log((socket as unknown as WithSenders)._sender._socket === theirs);
  }),
  'WS8-018': {
    'the same names': () => {
      const require = createRequire(import.meta.url);
      const ofWs = require('ws/package.json') as { exports: Record<string, object> };
      const { exports } = require('../../package.json') as { exports: Record<string, object> };
      expect(Object.keys(exports)).toEqual(expect.arrayContaining(Object.keys(ofWs.exports)));
      expect(exports['.']).toEqual(exports['./ws']);
      expect(Object.keys(exports['.']!)[0]).toBe(Object.keys(ofWs.exports['.']!)[0]);
    },
    'for browsers, a function that throws': async () => {
      const { default: browser } = await import('../../src/ws/browser.js');
      expect(() => new (browser as unknown as new () => object)()).toThrow('does not run in a browser');
      const code = readFileSync(new URL('../../dist/esm/ws/browser.js', import.meta.url), 'utf8');
      expect(code).not.toMatch(/import|require/);
    },
    'a bundle for browsers has every name': async () => {
      const names = Object.keys(ours).filter((name) => name !== 'default' && name !== 'module.exports');
      const asked = `import Default, { ${names.join(', ')} } from "@ws/compat/ws"; show(typeof Default, ${names.map((name) => `typeof ${name}`).join(', ')})`;
      let kinds: string[] = [];
      runInNewContext(await forBrowsers(asked), { show: (...shown: string[]) => (kinds = shown.sort()) });
      expect(kinds).toEqual([...Array<string>(names.length - 1).fill('function'), 'undefined', 'undefined']);
    },
    'a bundle for browsers has the function itself for require': async () => {
      const code = await forBrowsers('const WebSocket = require("@ws/compat"); new WebSocket("ws://localhost");');
      expect(() => void runInNewContext(code)).toThrow('does not run in a browser');
    },
  },
  'WS8-019': () =>
    inForms('import WebSocket from "@ws/compat/ws"; show(typeof WebSocket)', [['function']], [], {
      WS_NO_BUFFER_UTIL: '1',
      WS_NO_UTF_8_VALIDATE: '1',
    }),
});
