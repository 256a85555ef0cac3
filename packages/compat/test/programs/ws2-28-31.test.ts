import { once, type EventEmitter } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { expect } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { handshake, portOf, shake, startHttp, Wire } from '@ws/testing/peer';
import { WebSocket as Ws } from 'ws';
import { opened } from '../ws2/support.js';
import { program } from './program.js';
import { serve, SIDES, start } from './ws2-sides.js';

type Callback = (result: boolean, code?: number, name?: string) => void;

program('A-28 verifyClient, both forms', {
  ...SIDES,
  async seen(side, peer) {
    await peer.open(await serve(side, { verifyClient: (_info: unknown) => true }));
    await peer.expectRefusal(401, await serve(side, { verifyClient: (_info: unknown) => false }));
    for (const result of [true, false]) {
      const verifyClient = (_info: unknown, callback: Callback): void => void setImmediate(callback, result, 403);
      const port = await serve(side, { verifyClient });
      if (result) await peer.open(port);
      else await peer.expectRefusal(403, port);
    }
  },
  async check(side) {
    const verifyClient = (_info: unknown, callback: Callback): void => void setImmediate(callback, false, 403, 'No');
    const { status, phrase } = await shake(await serve(side, { verifyClient }));
    expect([status, phrase]).toEqual([403, 'No']);
  },
});

program('A-28 verifyClient calls back twice', {
  ...SIDES,
  async check(side) {
    const verifyClient = (_info: unknown, callback: Callback): void => {
      setImmediate(callback, true);
      setImmediate(callback, false, 403);
    };
    const raw = await Wire.open(await serve(side, { verifyClient }, (socket) => socket.send('the only answer')));
    expect(await raw.bytes(2)).toBe('810f');
  },
});

program('A-28 verifyClient, and a client that is gone meanwhile', {
  ...SIDES,
  async check(side) {
    let ask!: (asked: [IncomingMessage, Callback]) => void;
    const asked = new Promise<[IncomingMessage, Callback]>((resolve) => (ask = resolve));
    const verifyClient = ({ req }: { req: IncomingMessage }, callback: Callback): void => ask([req, callback]);
    const raw = Wire.to(await serve(side, { verifyClient }), handshake());
    const [req, callback] = await asked;
    const gone = once(req.socket, 'close');
    raw.cut();
    await gone;
    expect(() => callback(true)).not.toThrow();
  },
});

program('A-28 info.origin and info.secure, on http and https', {
  ...SIDES,
  async check(side) {
    const seen: unknown[] = [];
    const verifyClient = ({ origin, secure }: { origin: string; secure: boolean }): boolean =>
      seen.push([origin, secure]) > 0;
    const { key, cert } = makeCertificate();
    for (const [scheme, http] of [
      ['ws', createServer()],
      ['wss', createHttpsServer({ key, cert })],
    ] as const) {
      await startHttp(http);
      const server = side.makeServer({ server: http, verifyClient });
      const url = `${scheme}://127.0.0.1:${portOf(http)}`;
      const client = await opened(new Ws(url, { origin: 'https://app.example', rejectUnauthorized: false }));
      client.terminate();
      server.close();
    }
    expect(seen).toEqual([
      ['https://app.example', false],
      ['https://app.example', true],
    ]);
  },
});

program('A-29 handleProtocols', {
  ...SIDES,
  async seen(side, peer) {
    const offer = { protocols: ['a', 'b'] };
    const none = side.choosing(() => false);
    await peer.expectRefusal(401, await serve(side, none), offer);

    const second = side.choosing(([, name = '']) => name);
    const agreed: string[] = [];
    const port = await serve(side, second, ({ protocol }) => agreed.push(protocol));
    agreed.push((await peer.open(port, offer)).protocol);
    expect(agreed).toEqual(['b', 'b']);

    expect((await peer.open(await serve(side), offer)).protocol).toBe('a');
  },
});

program('A-30 handleUpgrade with noServer, by path', {
  ...SIDES,
  async seen(side, peer) {
    const servers = new Map(['/a', '/b'].map((path) => [path, side.makeServer({ noServer: true })]));
    const http = await startHttp(createServer());
    const states: unknown[] = [];
    http.on('upgrade', (request, socket, head) => {
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
      const client = await peer.open(portOf(http), { path });
      expect(await client.until(1)).toEqual([`this is ${path}`]);
      before ??= listeners();
      await client.close();
    }
    expect([states, listeners()]).toEqual([[1, 1, 1, 1], before]);
    for (const server of servers.values()) server.close();
  },
});

program('A-31 the headers event', {
  ...SIDES,
  async check(side) {
    const server = await start(side);
    const lines = ['Set-Cookie: a=b', 'X-More: a\r\nX-Injected: b'];
    server.on('headers', (headers: string[]) => headers.push(lines.shift() ?? ''));
    expect((await shake(portOf(server))).headers['set-cookie']).toBe('a=b');
    const { status, headers } = await shake(portOf(server));
    expect([status, headers['x-injected']]).toEqual([500, undefined]);
  },
});
