import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { collectGarbage, makeCertificate } from '@ws/testing';
import { WebSocket as PeerSocket } from 'ws';
import {
  HandshakeError,
  WebSocket,
  WebSocketServer,
  type AcceptedUpgrade,
  type ServerOptions,
  type UpgradeCallback,
  type UpgradeRequest,
} from '../src/index.js';
import {
  closed,
  connection,
  exchange,
  first,
  handshake,
  isAlive,
  manage,
  opened,
  peer,
  portOf,
  RawPeer,
  shake,
  start,
  startHttp,
} from './support.js';

const close = (server: WebSocketServer): Promise<Error | undefined> => new Promise((resolve) => server.close(resolve));

test('WS-006 clients: in it before connection, out of it before the close listeners of the user (NW-024)', async () => {
  const server = await start();
  const sizes: number[] = [];
  const gone = new Promise<void>((resolve) => {
    server.on('connection', (socket) => {
      sizes.push(server.clients.size);
      expect(server.clients.has(socket)).toBe(true);
      socket.on('close', () => {
        sizes.push(server.clients.size);
        resolve();
      });
    });
  });
  (await opened(peer(portOf(server)))).close();
  await gone;
  expect(sizes).toEqual([1, 0]);
});

test('NW-024 closing everybody while iterating skips nobody', async () => {
  const server = await start();
  const peers = await Promise.all(Array.from({ length: 5 }, () => opened(peer(portOf(server)))));
  const closes = peers.map((client) => once(client, 'close'));
  server.clients.forEach((client) => client.close(4000));
  expect((await Promise.all(closes)).map(([code]) => code)).toEqual([4000, 4000, 4000, 4000, 4000]);
});

test('clientTracking: false has no clients, and close waits for the port alone', async () => {
  const server = await start({ clientTracking: false });
  expect(server.clients).toBeUndefined();
  const next = connection(server);
  await opened(peer(portOf(server)));
  setImmediate((socket: WebSocket) => socket.terminate(), await next);
  expect(await close(server)).toBeUndefined();
});

test('X-05 close leaves clients alone, and is done when the last one is gone', async () => {
  const server = await start();
  const port = portOf(server);
  const next = connection(server);
  const client = await opened(peer(port));
  const socket = await next;
  const onClose = jest.fn();
  server.on('close', onClose);
  const done = close(server);

  expect(server.address()).toBeNull();
  await expect(fetch(`http://127.0.0.1:${port}`)).rejects.toThrow('fetch failed');
  const echo = once(client, 'message');
  socket.send('still here');
  expect(String((await echo)[0])).toBe('still here');
  expect(onClose).not.toHaveBeenCalled();

  client.close();
  expect(await done).toBeUndefined();
  expect([onClose.mock.calls.length, server.clients.size]).toEqual([1, 0]);
});

test('NW-022 a second close: while closing it waits too, afterwards its callback gets an error', async () => {
  const server = await start();
  expect(await Promise.all([close(server), close(server)])).toEqual([undefined, undefined]);
  expect(await close(server)).toEqual(new Error('The server is not running'));
  server.close();
});

test('WS-003 close detaches from an http server of somebody else, and leaves it open', async () => {
  const http = await startHttp(createServer((_, response) => void response.end('page')));
  const counts = (): number[] => ['upgrade', 'listening', 'error'].map((name) => http.listenerCount(name));
  const before = counts();
  const server = new WebSocketServer({ server: http });
  expect(counts()).not.toEqual(before);
  expect(await isAlive(server, portOf(http))).toBe(true);
  for (const client of server.clients) client.terminate();
  await close(server);
  expect(counts()).toEqual(before);
  expect(http.listening).toBe(true);
  expect((await fetch(`http://127.0.0.1:${portOf(http)}`)).status).toBe(200);
});

test('close works with noServer, with and without clients', async () => {
  await close(new WebSocketServer({ noServer: true }));
  const http = await startHttp(createServer());
  const server = new WebSocketServer({ noServer: true });
  http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head, () => {}));
  const client = await opened(peer(portOf(http)));
  const done = close(server);
  client.close();
  expect(await done).toBeUndefined();
});

test('close answers the handshakes that are under way with 503, and those that come later', async () => {
  const http = await startHttp(createServer());
  const server = new WebSocketServer({ noServer: true, verifyClient: () => new Promise<boolean>(() => {}) });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void =>
    server.handleUpgrade(request, socket, head, () => {});
  http.on('upgrade', upgrade);
  const reasons: string[] = [];
  server.on('refused', (reason) => reasons.push(reason));
  const asked = once(http, 'upgrade');
  const answer = exchange(portOf(http), handshake());
  await asked;
  await close(server);
  expect(await answer).toMatchObject({ status: 503, headers: { 'retry-after': expect.any(String) } });
  expect((await exchange(portOf(http), handshake())).status).toBe(503);
  expect(reasons).toEqual(['closing', 'closing']);
});

test('a server that is closed by its own callback refuses the client that was asked about', async () => {
  const server: WebSocketServer = await start({
    verifyClient: () => {
      server.close();
      return true;
    },
  });
  expect((await exchange(portOf(server), handshake())).status).toBe(503);
});

test('await using: closes the clients with 1001, and waits for them', async () => {
  const server = await start();
  const client = await opened(peer(portOf(server)));
  const closing = once(client, 'close');
  await server[Symbol.asyncDispose]();
  expect((await closing)[0]).toBe(1001);
  await server[Symbol.asyncDispose]();
});

test('await using without clientTracking waits for the port and for the clients', async () => {
  const server = await start({ clientTracking: false });
  const client = await opened(peer(portOf(server)));
  const closing = once(client, 'close');
  await server[Symbol.asyncDispose]();
  expect([server.address(), server.metrics().connections]).toEqual([null, 0]);
  expect((await closing)[0]).toBe(1001);
});

test('address(): null before an http server listens, throws with noServer', async () => {
  const http = createServer();
  const server = manage(new WebSocketServer({ server: http }));
  expect(server.address()).toBeNull();
  const listening = once(server, 'listening');
  await startHttp(http);
  await listening;
  expect(server.address()).toEqual(http.address());
  expect(() => new WebSocketServer({ noServer: true }).address()).toThrow('The server is operating in "noServer" mode');
});

test('WS-027 an error of the http server is an error of ours', async () => {
  const http = createServer();
  const server = manage(new WebSocketServer({ server: http }));
  const event = once(server, 'error').catch((error: unknown) => [error]);
  http.emit('error', new Error('EMFILE'));
  expect(String((await event)[0])).toContain('EMFILE');
});

test('wss: over an https server', async () => {
  const certificate = makeCertificate();
  const https = await startHttp(createHttpsServer(certificate));
  const server = manage(new WebSocketServer({ server: https }));
  server.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary })),
  );
  const client = new PeerSocket(`wss://localhost:${portOf(https)}`, { ca: certificate.cert, perMessageDeflate: false });
  await once(client, 'open');
  for (const text of ['', 'x', 'ü'.repeat(50_000)]) {
    const echo = once(client, 'message');
    client.send(text);
    expect(String((await echo)[0])).toBe(text);
  }
  client.terminate();
});

test('wsClientError: who listens owns the socket', async () => {
  const server = await start();
  const refused = jest.fn();
  server.on('refused', refused);
  server.on('wsClientError', (error, socket, request) => {
    expect(error).toBeInstanceOf(HandshakeError);
    expect(request.url).toBe('/');
    socket.end(`HTTP/1.1 418 Mine\r\nConnection: close\r\n\r\n${(error as HandshakeError).code}`);
  });
  const answer = await exchange(portOf(server), handshake({ 'Sec-WebSocket-Key': 'x' }));
  expect(answer).toMatchObject({ status: 418, phrase: 'Mine', body: 'WS_ERR_INVALID_KEY' });
  expect(refused.mock.calls.map(([reason]) => reason)).toEqual(['handshake']);
});

test('wsClientError is not for what callbacks refuse; RST of a socket that its listener keeps harms nobody', async () => {
  const server = await start({ path: '/a' });
  const sockets: Socket[] = [];
  const given = new Promise<void>((resolve) =>
    server.on('wsClientError', (_error, socket) => {
      sockets.push(socket as Socket);
      resolve();
    }),
  );
  expect((await exchange(portOf(server), handshake())).status).toBe(400);
  expect(sockets).toHaveLength(0);
  const raw = new RawPeer(portOf(server)).write(handshake({ 'Sec-WebSocket-Key': 'x' }, 'GET /a HTTP/1.1'));
  await given;
  const gone = new Promise((resolve) => first(sockets).on('close', resolve));
  raw.socket.resetAndDestroy();
  await gone;
});

test('the option WebSocket: connections are of that class', async () => {
  class Player extends WebSocket {
    score = 0;
  }
  const server = await start({ WebSocket: Player });
  const next = connection(server);
  await opened(peer(portOf(server)));
  const player = await next;
  expect([player instanceof Player, (player as Player).score]).toEqual([true, 0]);
});

test('the option WebSocket: a class that does not pass the options on is guarded all the same', async () => {
  class Silent extends WebSocket {
    constructor() {
      super(null);
    }
  }
  class Generous extends WebSocket {
    constructor() {
      super(null);
      this.limits.update({ idleTimeout: 5000 });
      this.incoming = 'auto';
    }
  }
  class Own extends WebSocket {
    constructor() {
      super(null, undefined, { maxPayload: 7 });
    }
  }
  const options: ServerOptions = { maxPayload: 100, heartbeat: { interval: 1000, timeout: 2000 }, incoming: 'stream' };
  const accept = async (Class: unknown): Promise<{ server: WebSocketServer; socket: WebSocket; far: PeerSocket }> => {
    const server = await start({ ...options, WebSocket: Class as typeof WebSocket });
    const next = connection(server);
    const far = await opened(peer(portOf(server)));
    return { server, socket: await next, far };
  };
  const { server, socket, far } = await accept(Silent);
  expect(socket.limits).toMatchObject({ maxPayload: 100, heartbeat: options.heartbeat, messageTimeout: 120_000 });
  expect([socket.limits.slowConsumer, socket.incoming]).toMatchObject([{ limit: 16_777_216 }, 'stream']);
  far.send(Buffer.alloc(101));
  const info = await socket.closed;
  expect([info.initiator, info.sent?.code]).toEqual(['limit', 1009]);
  expect(server.metrics().closed).toMatchObject({ limit: { 1009: 1 } });

  const generous = (await accept(Generous)).socket;
  expect([generous.limits.maxPayload, generous.limits.idleTimeout, generous.incoming]).toEqual([100, 5000, 'auto']);
  const own = (await accept(Own)).socket;
  expect([own.limits.maxPayload, own.limits.heartbeat, own.incoming]).toEqual([7, false, 'buffer']);
});

test('completeUpgrade is overridable: the last word before the 101', async () => {
  class Counting extends WebSocketServer<number> {
    protected override completeUpgrade(
      accepted: AcceptedUpgrade<number>,
      request: IncomingMessage,
      socket: Duplex,
      head: Uint8Array,
      callback: UpgradeCallback<number>,
    ): void {
      setImmediate(() => super.completeUpgrade({ ...accepted, data: 7 }, request, socket, head, callback));
    }
  }
  const server = manage(new Counting({ port: 0, host: '127.0.0.1' }));
  await once(server, 'listening');
  const next = connection(server);
  await opened(peer(portOf(server)));
  expect((await next).data).toBe(7);
});

test('handshakeOf is overridable: a handshake is read from it, and callbacks get the request as it is; what it throws is a 500', async () => {
  class Gateway extends WebSocketServer {
    override handshakeOf(request: IncomingMessage): UpgradeRequest {
      if (request.url === '/broken') throw new Error('no list');
      const { headers, ...rest } = super.handshakeOf(request);
      return { ...rest, headers: [...headers, 'Sec-WebSocket-Protocol', 'added', 'X-Forwarded-For', '192.0.2.7'] };
    }
  }
  const seen: unknown[] = [];
  const server = manage(
    new Gateway({
      port: 0,
      host: '127.0.0.1',
      trustProxy: 1,
      verifyClient: ({ req }) => seen.push(req.headers['sec-websocket-protocol']) > 0,
    }),
  );
  await once(server, 'listening');
  const next = connection(server);
  const { status, headers } = await shake(portOf(server), handshake());
  expect([status, headers['sec-websocket-protocol']]).toEqual([101, 'added']);
  expect([(await next).remoteAddress, ...seen]).toEqual(['192.0.2.7', undefined]);

  const refused = once(server, 'refused');
  expect((await shake(portOf(server), handshake({}, 'GET /broken HTTP/1.1'))).status).toBe(500);
  const [reason, , error] = (await refused) as [string, IncomingMessage, Error];
  expect([reason, error.message]).toEqual(['handshake', 'no list']);
});

test('listener: what listens, of the own port or of the first http server attached; undefined where nothing does', async () => {
  const server = await start();
  expect(server.listener?.address()).toEqual(server.address());
  expect(server.listener?.unref().listening).toBe(true);
  await close(server);
  expect(server.listener).toBeUndefined();

  const [one, other] = [await startHttp(createServer()), await startHttp(createServer())];
  const attached = manage(new WebSocketServer({ server: one }));
  expect(attached.attach(other).listener).toBe(one);
  expect(manage(new WebSocketServer({ noServer: true })).listener).toBeUndefined();
});

/** Completes a handshake when it is told to. */
class Late extends WebSocketServer {
  complete = (): void => {};

  protected override completeUpgrade(
    accepted: AcceptedUpgrade<unknown>,
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    callback: UpgradeCallback<unknown>,
  ): void {
    this.complete = () => super.completeUpgrade(accepted, request, socket, head, callback);
    this.emit('headers', [], request);
  }
}

test('completeUpgrade that comes too late finds the client gone', async () => {
  const http = await startHttp(createServer());
  const server = manage(new Late({ server: http }));
  const accepted = once(server, 'headers');
  const raw = new RawPeer(portOf(http)).write(handshake());
  const [, { socket }] = await accepted;
  const gone = closed(socket);
  raw.socket.resetAndDestroy();
  await gone;
  server.complete();
  expect(server.clients.size).toBe(0);
});

test('completeUpgrade that comes too late finds the server closing', async () => {
  const http = await startHttp(createServer());
  const server = manage(new Late({ server: http }));
  const accepted = once(server, 'headers');
  const answer = exchange(portOf(http), handshake());
  await accepted;
  server.close();
  server.complete();
  expect((await answer).status).toBe(503);
});

/** What `handleUpgrade` throws for a good handshake, and what the client gets. */
async function throwing(
  options: ServerOptions,
  prepare: (server: WebSocketServer) => unknown,
  callback: () => void = () => {},
): Promise<{ error: unknown; reasons: string[]; status: number }> {
  const http = await startHttp(createServer());
  const server = manage(new WebSocketServer({ noServer: true, ...options }));
  const reasons: string[] = [];
  server.on('refused', (reason) => reasons.push(reason));
  prepare(server);
  let error: unknown;
  http.on('upgrade', (request, socket, head) => {
    try {
      server.handleUpgrade(request, socket, head, callback);
    } catch (thrown) {
      error = thrown;
    }
  });
  const { status } = await shake(portOf(http), handshake());
  return { error, reasons, status };
}

const oops = (): never => {
  throw new Error('oops');
};

test('the exception of a headers listener goes its way, and the peer has its answer', async () => {
  const result = await throwing({}, (server) => server.on('headers', oops));
  expect(result).toEqual({ error: new Error('oops'), reasons: ['headers'], status: 500 });
});

test('so does that of the constructor of the option WebSocket', async () => {
  class Broken extends WebSocket {
    broken = oops();
  }
  const result = await throwing({ WebSocket: Broken }, () => {});
  expect(result).toEqual({ error: new Error('oops'), reasons: ['WebSocket'], status: 500 });
});

test('that of the callback is not taken for a refusal, whoever was asked before', async () => {
  const result = await throwing({ verifyClient: (_info, cb) => cb(true), origins: 'any' }, () => {}, oops);
  expect(result).toEqual({ error: new Error('oops'), reasons: [], status: 101 });
});

test('a callback that destroys the socket and refuses', async () => {
  const result = await throwing({ verifyClient: ({ req }) => !req.socket.destroy().destroyed }, () => {}).catch(String);
  expect(result).toMatchObject({ reasons: ['verifyClient'], status: NaN });
});

test('handleUpgrade of a subclass sees every request', async () => {
  const seen: (string | undefined)[] = [];
  class Logging extends WebSocketServer {
    override handleUpgrade(
      request: IncomingMessage,
      socket: Duplex,
      head: Uint8Array,
      callback: UpgradeCallback<unknown>,
    ): void {
      seen.push(request.url);
      super.handleUpgrade(request, socket, head, callback);
    }
  }
  const server = manage(new Logging({ port: 0, host: '127.0.0.1' }));
  await once(server, 'listening');
  await opened(peer(portOf(server), '/x'));
  expect(seen).toEqual(['/x']);
});

test('a timeout that an http server has set for requests does not cut a WebSocket', async () => {
  const http = createServer();
  http.timeout = 30;
  await startHttp(http);
  const server = manage(new WebSocketServer({ server: http }));
  const next = connection(server);
  const client = await opened(peer(portOf(http)));
  expect(((await next).duplex as Socket).timeout).toBe(0);
  client.terminate();
});

test('what connections are told by the options of the server', async () => {
  const server = await start({ maxPayload: 10, autoPong: false });
  const next = connection(server);
  const client = await opened(peer(portOf(server)));
  const pings = jest.fn();
  client.on('pong', pings);
  const ping = once(await next, 'ping');
  client.ping('x');
  await ping;
  const closing = once(client, 'close');
  client.send('x'.repeat(11));
  expect((await closing)[0]).toBe(1009);
  expect(pings).not.toHaveBeenCalled();
});

test('maxPayload is 1 MiB where nothing is said', async () => {
  const server = await start();
  const client = await opened(peer(portOf(server)));
  const closing = once(client, 'close');
  client.send(Buffer.alloc(1_048_577));
  expect((await closing)[0]).toBe(1009);
});

test('new WebSocket by address names @ws/client', () => {
  expect(() => new WebSocket('ws://localhost' as unknown as null)).toThrow(/@ws\/client/);
});

test('an own port beside which requests are handed over by hand', async () => {
  const http = await startHttp(createServer());
  const server = await start();
  http.on('upgrade', (request, socket, head) =>
    server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client, request)),
  );
  expect([await isAlive(server, portOf(http)), await isAlive(server)]).toEqual([true, true]);
});

test('a refused peer that never closes is cut', async () => {
  const http = await startHttp(createServer());
  manage(new WebSocketServer({ server: http, verifyClient: () => false }));
  const accepted = once(http, 'connection');
  const raw = connect({ port: portOf(http), host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  raw.write(handshake());
  const [socket] = await accepted;
  await closed(socket);
  raw.destroy();
  expect(socket.bytesWritten).toBeGreaterThan(0);
});

test('no IncomingMessage is kept behind connection', async () => {
  const server = await start({ verifyClient: async () => true, origins: async () => true });
  const requests: WeakRef<IncomingMessage>[] = [];
  server.on('connection', (_socket, request) => requests.push(new WeakRef(request)));
  const clients = [await opened(peer(portOf(server))), await opened(peer(portOf(server)))];
  await shake(portOf(server), handshake({ Origin: 'https://a.example' }));
  // Node keeps the newest for a moment, so one of several may stay.
  for (let turn = 0; turn < 50 && requests.filter((ref) => ref.deref()).length > 0; turn++) {
    await new Promise(setImmediate);
    collectGarbage();
  }
  expect(requests.filter((ref) => ref.deref())).toHaveLength(0);
  expect(server.clients.size).toBe(3);
  expect(clients.map((client) => client.readyState)).toEqual([1, 1]);
});
