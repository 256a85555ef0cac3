import { describe, expect, test } from '@jest/globals';
import { once, type EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { makeCertificate } from '@ws/testing';
import { WebSocket as Ws8 } from 'ws';
import { atEnd, handshake, portOf, shake, startHttp, Wire } from '@ws/testing/peer';
import { nextSocket, SIDES, start } from './sides.js';
import { opened, ws8 } from './support.js';

describe.each(SIDES)('%s', (_name, side) => {
  describe('A-28 verifyClient, both forms', () => {
    type Callback = (result: boolean, code?: number, name?: string) => void;
    const statusOf = async (verifyClient: unknown): Promise<number> =>
      (await shake(portOf(await start(side, { verifyClient })))).status;

    test('A-28 false is 401, true 101', async () => {
      expect([await statusOf((_info: unknown) => false), await statusOf((_info: unknown) => true)]).toEqual([401, 101]);
    });
    test('A-28 later (false, 403, No)', async () => {
      const server = await start(side, {
        verifyClient: (_info: unknown, callback: Callback) => setImmediate(callback, false, 403, 'No'),
      });
      const { status, phrase } = await shake(portOf(server));
      expect([status, phrase]).toEqual([403, 'No']);
    });
    test('A-28 calling back twice', async () => {
      const server = await start(side, {
        verifyClient: (_info: unknown, callback: Callback) => {
          setImmediate(callback, true);
          setImmediate(callback, false, 403);
        },
      });
      const told = nextSocket(server);
      const raw = await Wire.open(portOf(server));
      (await told).send('the only answer');
      expect(await raw.bytes(2)).toBe('810f');
    });
    test('A-28 a client that is gone meanwhile', async () => {
      const asked = new Promise<[IncomingMessage, Callback]>((resolve) => {
        void start(side, {
          verifyClient: ({ req }: { req: IncomingMessage }, callback: Callback) => resolve([req, callback]),
        })
          .then((server) => Wire.to(portOf(server), handshake()))
          .then((raw) => asked.then(() => raw.cut()));
      });
      const [req, callback] = await asked;
      if (!req.socket.destroyed) await once(req.socket, 'close');
      expect(() => callback(true)).not.toThrow();
    });
    test('A-28 info.origin and info.secure, on http and https', async () => {
      const seen: unknown[] = [];
      const verifyClient = ({ origin, secure }: { origin: string; secure: boolean }): boolean =>
        seen.push([origin, secure]) > 0;
      const { key, cert } = makeCertificate();
      for (const [scheme, http] of [
        ['ws', createServer()],
        ['wss', createHttpsServer({ key, cert })],
      ] as [string, HttpServer][]) {
        await startHttp(http);
        const server = side.makeServer({ server: http, verifyClient });
        const url = `${scheme}://127.0.0.1:${portOf(http)}`;
        const peer = new Ws8(url, { origin: 'https://app.example', rejectUnauthorized: false });
        atEnd(() => peer.terminate());
        await opened(peer);
        server.close();
      }
      expect(seen).toEqual([
        ['https://app.example', false],
        ['https://app.example', true],
      ]);
    });
  });

  test('A-29 handleProtocols', async () => {
    const offer = handshake({ 'Sec-WebSocket-Protocol': 'a, b' });
    expect(
      (
        await shake(
          portOf(
            await start(
              side,
              side.choosing(() => false),
            ),
          ),
          offer,
        )
      ).status,
    ).toBe(401);

    const second = await start(
      side,
      side.choosing(([, name = '']) => name),
    );
    const told = nextSocket(second);
    const peer = await opened(ws8(portOf(second), ['a', 'b']));
    expect([peer.protocol, (await told).protocol]).toEqual(['b', 'b']);

    expect((await shake(portOf(await start(side)), offer)).headers['sec-websocket-protocol']).toBe('a');
  });

  test('A-30 handleUpgrade with noServer, by path', async () => {
    const servers = new Map(['/a', '/b'].map((path) => [path, side.makeServer({ noServer: true })]));
    const http = await startHttp(createServer());
    const states: unknown[] = [];
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      servers.get(request.url ?? '')?.handleUpgrade(request, socket, head, (client) => {
        states.push(client.readyState);
        client.send(`this is ${request.url}`);
      });
    });
    const listeners = (): number[] =>
      [...servers.values(), http].flatMap((emitter: EventEmitter) =>
        emitter.eventNames().map((name) => emitter.listenerCount(name)),
      );
    let before: number[] | undefined;
    for (const path of ['/a', '/b', '/a', '/b']) {
      const peer = ws8(portOf(http), [], {}, path);
      expect(String((await once(peer, 'message'))[0])).toBe(`this is ${path}`);
      before ??= listeners();
      peer.terminate();
    }
    expect([states, listeners()]).toEqual([[1, 1, 1, 1], before]);
    for (const server of servers.values()) server.close();
  });

  test('A-31 the headers event', async () => {
    const server = await start(side);
    const lines = ['Set-Cookie: a=b', 'X-More: a\r\nX-Injected: b'];
    server.on('headers', (headers: string[]) => headers.push(lines.shift() ?? ''));
    expect((await shake(portOf(server))).headers['set-cookie']).toBe('a=b');
    const { status, headers } = await shake(portOf(server));
    expect([status, headers['x-injected']]).toEqual([500, undefined]);
  });
});
