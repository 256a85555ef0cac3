import { expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import type WS from 'ws';
import {
  WebSocket,
  WebSocketServer,
  type Extension,
  type Histogram,
  type LimitOptions,
  type Limits,
  type Meter,
  type RawData,
  type ServerMetrics,
  type ServerOptions,
  type ShutdownOptions,
  type ShutdownReport,
  type TrustedProxies,
  type VerifyClientCallbackAsync,
  type VerifyClientCallbackSync,
} from '../src/index.js';

// What is shown here is shown by the type check; the run only builds the values.

interface User {
  readonly name: string;
}

test('data has the type that verifyClient gives, or the one that is named', () => {
  const inferred = new WebSocketServer({
    noServer: true,
    verifyClient: ({ req }) => ({ accept: true, data: { name: req.url } }),
  });
  inferred.on('connection', (socket) => {
    const name: string | undefined = socket.data.name;
    // @ts-expect-error data has no such member
    return [name, socket.data.age];
  });
  const named = new WebSocketServer<User>({
    noServer: true,
    verifyClient: async () => ({ accept: true, data: { name: 'ann' } }),
  });
  named.on('connection', (socket, request) => [socket.data.name.length, request.url]);
  for (const { data } of named.clients) expect(data.name).toBe('nobody is here');
  // @ts-expect-error data is a User
  const wrong = new WebSocketServer<User>({ noServer: true, verifyClient: () => ({ accept: true, data: 5 }) });
  const anybody: WebSocketServer[] = [inferred, named, wrong];
  expect(anybody).toHaveLength(3);
});

test('the listeners of server.messages have typed arguments', () => {
  const { messages } = new WebSocketServer({ noServer: true });
  const told: string[] = [];
  messages.once('failed', (error, item: unknown) => told.push(error.message, String(item)));
  messages.on('drain', () => told.push('drain')).on('mine', (anything: string) => told.push(anything));
  // @ts-expect-error it is an Error
  messages.on('failed', (error) => error.nonsense);
  messages.emit('failed', new Error('broken'), 'item');
  messages.emit('mine', 'own');
  expect(told).toEqual(['broken', 'item', 'own']);
});

test('verifyClient as it is written for ws', () => {
  type Info = { origin: string; secure: boolean; req: IncomingMessage };
  const sync: VerifyClientCallbackSync = ({ secure }) => secure;
  const async: VerifyClientCallbackAsync = ({ req }, callback) => callback(req.url === '/', 401, 'no', { 'X-A': 'b' });
  const forms: ServerOptions['verifyClient'][] = [
    sync,
    async,
    (info) => info.secure,
    (info: Info) => info.origin === 'https://a.example',
    (info: Info, done: (accept: boolean, code?: number) => void) => done(info.secure, 403),
    async ({ req }) => req.headers.cookie !== undefined,
  ];
  expect(forms.map((form) => form?.length)).toEqual([1, 2, 1, 1, 2, 1]);
});

test('listeners and options as they are written for ws', () => {
  class Player extends WebSocket {
    score = 0;
  }
  const options = {
    noServer: true,
    path: '/x',
    clientTracking: true,
    maxPayload: 100,
    skipUTF8Validation: false,
  } satisfies WS.ServerOptions;
  const server = new WebSocketServer({ ...options, WebSocket: Player });
  server.on('connection', (socket: WebSocket, request: IncomingMessage) => {
    socket.on('message', (data: RawData, isBinary: boolean) => [data, isBinary, request]);
    socket.on('close', (code: number, reason: Buffer) => [code, reason]);
  });
  server.on('headers', (headers: string[], _request: IncomingMessage) => void headers.push('X-A: b'));
  server.on('wsClientError', (error: Error, socket) => socket.destroy(error));
  // @ts-expect-error there is no such option
  void new WebSocketServer({ noServer: true, maxPayLoad: 5 });
  expect(server.listenerCount('connection')).toBe(1);
});

test('what a program passes on with connection, as it is written for ws', () => {
  const server = new WebSocketServer({ noServer: true });
  const seen: string[] = [];
  server.on('connection', (_socket, { url }, user: string) => seen.push(`${url} ${user}`));
  const socket = new WebSocket(null);
  server.emit('connection', socket, { url: '/chat' } as IncomingMessage, 'ann');
  expect(seen).toEqual(['/chat ann']);
});

test('what shutdown and metrics give', async () => {
  const server = new WebSocketServer({ noServer: true });
  const { closed, latency, sizes, refused }: ServerMetrics = server.metrics();
  const goingAway: number | undefined = closed.shutdown?.[1001];
  const [bucket]: Histogram['buckets'] = latency.buckets;
  const tooMany: number | undefined = refused.maxConnections;
  expect([goingAway, bucket?.count, sizes.sum, tooMany]).toEqual([undefined, 0, 0, undefined]);
  // @ts-expect-error there is no such initiator
  expect(closed.nobody).toBeUndefined();

  const options: ShutdownOptions = {
    code: 1012,
    reason: 'x',
    timeout: false,
    spread: 5,
    signal: AbortSignal.timeout(1000),
  };
  const report: Promise<ShutdownReport> = server.shutdown(options);
  const { closed: answered, cut, bytesUnsent, ms } = await report;
  expect([answered, cut, bytesUnsent, typeof ms]).toEqual([0, 0, 0, 'number']);
});

test('what sockets, options and events hand out has a name', () => {
  const trustProxy: TrustedProxies = (address, hop) => hop === 0 && address === '127.0.0.1';
  const server = new WebSocketServer({ noServer: true, trustProxy, rateLimit: { handshakes: { rate: 1 } } });
  server.on('acceptPaused', ({ code, syscall }) => [code, syscall]);
  const changes: LimitOptions = { maxPayload: 1024 };
  const limitsOf = ({ limits }: WebSocket): Limits => limits;
  server.on('connection', (socket) => limitsOf(socket).update(changes));
  const meter: Meter | undefined = undefined;
  const extensions: readonly Extension[] = [];
  expect([server.options.trustProxy, meter, extensions]).toEqual([trustProxy, undefined, []]);
  // @ts-expect-error there is nothing that may wait
  const rateLimit: ServerOptions['rateLimit'] = { handshakes: { rate: 1, exceeded: 'wait' } };
  const act = (): unknown => new WebSocketServer({ noServer: true, rateLimit });
  expect(act).toThrow('rateLimit.handshakes.exceeded is not an option');
});
