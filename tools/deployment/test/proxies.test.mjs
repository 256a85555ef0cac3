// What the page's configurations promise, with the real programs: each behind TLS, as on the page.
import { once } from 'node:events';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { WebSocketServer } from '@ws/server';
import { makeCertificate } from '@ws/testing';
import { missingProxy, startProxy } from '../lib/proxy.mjs';

/** @type {(() => unknown)[]} */
const started = [];
afterEach(async () => {
  for (const stop of started.splice(0).toReversed()) await stop();
});

const tls = makeCertificate();

/** @param {import('@ws/server').ServerOptions} [options] */
async function serve(options = {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', trustProxy: 1, ...options });
  started.push(() => server[Symbol.asyncDispose]());
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { server, to: String(port) };
}

/** @param {import('../lib/proxy.mjs').Name} name @param {Omit<import('../lib/proxy.mjs').ProxyOptions, 'tls'>} options */
async function putBefore(name, options) {
  const proxy = await startProxy(name, { ...options, tls });
  started.push(() => proxy.stop());
  return { proxy, url: `wss://127.0.0.1:${proxy.port}` };
}

/** @param {string} url @param {import('@ws/client').ClientOptions} [options] */
function connect(url, options) {
  const client = new WebSocket(url, [], { ca: tls.cert, ...options });
  client.on('error', () => undefined);
  started.push(() => client.terminate());
  return client;
}

/** @param {import('@ws/server').WebSocket} socket */
const echo = (socket) => socket.on('message', (data, isBinary) => void socket.send(data, { binary: isBinary }));

/** @type {Readonly<Record<import('../lib/proxy.mjs').Name, readonly (readonly [RegExp, string])[]>>} */
const CUTS_AFTER_THREE_SECONDS = {
  nginx: [[/proxy_read_timeout \w+;/, 'proxy_read_timeout 3s;']],
  haproxy: [[/timeout tunnel \w+/, 'timeout tunnel 3s']],
};

for (const name of /** @type {const} */ (['nginx', 'haproxy'])) {
  const missing = missingProxy(name);
  if (missing !== undefined) {
    appendFileSync('reports/notices.txt', `tools/deployment: tests were skipped, they need ${missing}\n`);
    if (!['', '0', 'false'].includes(process.env['CI'] ?? '')) throw new Error(`the tests need ${missing}`);
  }

  (missing === undefined ? describe : describe.skip)(name, () => {
    test('messages of any kind and size, pings, and the close with its reason pass both ways', async () => {
      const { server, to } = await serve();
      const { url } = await putBefore(name, { to: [to] });
      const peer = once(server, 'connection');
      const client = connect(url);
      await once(client, 'open');
      const [socket] = await peer;
      echo(socket);
      const large = Buffer.alloc(1_000_000, 'not the same again and again: 251');
      for (const message of ['text äöü', Buffer.of(1, 2, 3), large, '']) {
        const answer = once(client, 'message');
        client.send(message);
        expect(await answer).toEqual([Buffer.from(message), typeof message !== 'string']);
      }
      const pong = once(client, 'pong');
      client.ping('are you there');
      expect(String((await pong)[0])).toBe('are you there');
      client.close(4001, 'enough');
      const [code, reason] = await once(socket, 'close');
      expect([code, String(reason)]).toEqual([4001, 'enough']);
    });

    test('the server sees the address of the client and the host it asked for, whatever else the client claims', async () => {
      const { server, to } = await serve({ allowedHosts: ['app.example.com'] });
      const { url } = await putBefore(name, { to: [to] });
      const headers = { Host: 'app.example.com', 'X-Forwarded-For': '6.6.6.6' };
      const peer = once(server, 'connection');
      const client = connect(url, { headers, origin: 'https://app.example.com', localAddress: '127.0.0.9' });
      await once(client, 'open');
      const [socket] = await peer;
      expect(socket.remoteAddress).toBe('127.0.0.9');

      const [, response] = await once(connect(url, { headers, origin: 'https://evil.example' }), 'unexpected-response');
      expect(response.statusCode).toBe(403);
    });

    test('a silent connection lives as long as the heartbeat is shorter than what the proxy waits', async () => {
      const { to } = await serve({ heartbeat: { interval: 300, timeout: 10_000 } });
      const without = await serve({ heartbeat: false });
      const edits = CUTS_AFTER_THREE_SECONDS[name];
      const alive = connect((await putBefore(name, { to: [to], edits })).url);
      await once(alive, 'open');
      let beats = 0;
      const enough = new Promise((resolve) =>
        alive.on('ping', () => {
          if (++beats === 12) resolve(undefined); // 3.6 s
        }),
      );
      const silent = connect((await putBefore(name, { to: [without.to], edits })).url);
      const [, closed] = await Promise.all([once(silent, 'open'), once(silent, 'close')]);
      expect(closed[0]).toBe(1006);
      await enough;
      expect(alive.readyState).toBe(WebSocket.OPEN);
    });

    test('who comes while one server leaves is let in by the other', async () => {
      const leaving = await serve();
      const staying = await serve();
      const { url } = await putBefore(name, { to: [leaving.to, staying.to] });
      // One client each, in turn or by the fewest connections.
      await Promise.all(
        [leaving, staying]
          .map(({ server }) => once(server, 'connection'))
          .concat([once(connect(url), 'open'), once(connect(url), 'open')]),
      );
      const done = leaving.server.shutdown({ spread: 60_000, timeout: 60_000, signal: AbortSignal.timeout(20_000) });
      started.push(() => done);
      const before = staying.server.clients.size;
      for (let i = 0; i < 6; i++) await once(connect(url), 'open');
      expect(staying.server.clients.size).toBe(before + 6);
      expect(leaving.server.clients.size).toBe(1);
      for (const client of leaving.server.clients) client.terminate();
      expect(await done).toMatchObject({ cut: 1 });
    });

    test('who is gone is gone at the other end too', async () => {
      const { server, to } = await serve();
      const { url } = await putBefore(name, { to: [to] });
      const client = connect(url);
      const [socket] = await once(server, 'connection');
      await once(client, 'open');
      const closed = once(socket, 'close');
      client.terminate();
      expect((await closed)[0]).toBe(1006);
    });

    test('a client that does not read is felt by the server, whatever lies between', async () => {
      const { server, to } = await serve({ slowConsumer: false });
      const { url } = await putBefore(name, { to: [to] });
      const client = connect(url);
      const [socket] = await once(server, 'connection');
      await once(client, 'open');
      client.pause();
      const part = Buffer.alloc(65_536);
      let sent = 0;
      do {
        sent++;
        if (!socket.send(part) && (await isStuck(socket))) break;
      } while (sent < 1000);
      expect(sent).toBeLessThan(1000);
      let received = 0;
      const all = new Promise((resolve) =>
        client.on('message', () => {
          if (++received === sent) resolve(undefined);
        }),
      );
      client.resume();
      await all;
    });

    test('a server on a Unix socket', async () => {
      const folder = mkdtempSync(path.join(tmpdir(), 'ws-'));
      started.push(() => rmSync(folder, { recursive: true, force: true }));
      const http = createServer().listen(`${folder}/app.sock`);
      await once(http, 'listening');
      started.push(() => http.close());
      const server = new WebSocketServer({ server: http, trustProxy: 1 });
      started.push(() => server[Symbol.asyncDispose]());
      const { url } = await putBefore(name, { to: [`${folder}/app.sock`] });
      server.on('connection', (socket) => socket.send(`hello, ${socket.remoteAddress}`));
      const [hello] = await once(connect(url, { localAddress: '127.0.0.7' }), 'message');
      expect(String(hello)).toBe('hello, 127.0.0.7');
    });

    test('with its configuration read anew, connections stay and new ones are let in', async () => {
      const { server, to } = await serve();
      const { proxy, url } = await putBefore(name, { to: [to] });
      server.on('connection', echo);
      const old = connect(url);
      await once(old, 'open');
      proxy.reload();
      const young = connect(url);
      await once(young, 'open');
      for (const client of [old, young]) {
        const answer = once(client, 'message');
        client.send('still here');
        expect(String((await answer)[0])).toBe('still here');
      }
    });
  });
}

/** Whether what waits is no longer taken. @param {import('@ws/server').WebSocket} socket */
async function isStuck(socket) {
  for (let before = Infinity; socket.bufferedAmount > 0; before = socket.bufferedAmount) {
    if (socket.bufferedAmount === before) return true;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return false;
}
