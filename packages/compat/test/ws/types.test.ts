import { expect, test } from '@jest/globals';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type WS from 'ws';
import WebSocket, {
  createWebSocketStream,
  WebSocket as Named,
  WebSocketServer,
  type ClientOptions,
  type RawData,
  type ServerOptions,
} from '../../src/ws/index.js';

// What is shown here is shown by the type check; the run only builds the values.

test('the names of @types/ws', () => {
  const close: WebSocket.CloseEvent['code'] = 1000;
  const kinds: (WebSocket.Data | RawData)[] = ['', Buffer.of(), new ArrayBuffer(0), [Buffer.of()]];
  const finish: WebSocket.FinishRequestCallback = (request, websocket) => request.end(() => websocket.url);
  const sync: WebSocket.VerifyClientCallbackSync = ({ origin, secure, req }) => secure || origin === req.url;
  const async: WebSocket.VerifyClientCallbackAsync = (info, callback) =>
    callback(info.secure, 401, 'no', { 'X-A': 'b' });
  const deflate: WebSocket.PerMessageDeflateOptions = { threshold: 5, zlibDeflateOptions: { level: 3 } };
  const once: WebSocket.EventListenerOptions = { once: true };
  const map: Partial<WebSocket.WebSocketEventMap> = {};
  const cert: WebSocket.CertMeta = ['a'];
  const failed = (event: WebSocket.ErrorEvent): string => event.message;
  expect([close, kinds.length, sync, async, finish, deflate, once, map, cert, failed]).toHaveLength(10);
});

test('options as they are written for ws', () => {
  const server = {
    noServer: true,
    path: '/x',
    maxPayload: 5,
    perMessageDeflate: { threshold: 5 },
  } satisfies WS.ServerOptions;
  const client = {
    headers: { a: 'b' },
    handshakeTimeout: 5,
    followRedirects: true,
    protocolVersion: 13,
  } satisfies WS.ClientOptions;
  const all: [ServerOptions, ClientOptions] = [server, client];
  expect(new WebSocketServer({ ...all[0], heartbeat: { interval: 5000 } }).options.path).toBe('/x');
  // @ts-expect-error there is no such option
  expect(() => new WebSocketServer({ noServer: true, maxPayLoad: 5 })).not.toThrow();
  // @ts-expect-error a port is none
  const wrong: ServerOptions = { port: {} };
  expect(() => new WebSocketServer(wrong)).toThrow(TypeError);
  // @ts-expect-error no such address
  expect(() => new WebSocket(5)).toThrow(Error);
  // @ts-expect-error what is it?
  expect(() => new WebSocket('ws://localhost', { followRedirects: 'yes', headers: 5 })).toThrow(TypeError);
});

test('both words for each', () => {
  const socket: WebSocket = new WebSocket.WebSocket(null);
  const named: Named = new Named(null);
  const server: WebSocket.WebSocketServer = new WebSocket.Server({ noServer: true });
  const listener: HttpServer | undefined = undefined;
  expect([socket.readyState, named.readyState, server.clients.size, listener]).toEqual([0, 0, 0, undefined]);
  expect(createWebSocketStream).toBe(WebSocket.createWebSocketStream);
});

test('listeners, whatever way they are added', () => {
  const socket = new WebSocket(null);
  socket.on('message', function (data: WebSocket.RawData, isBinary: boolean) {
    this.send(data, { binary: isBinary, compress: true, fin: true, mask: false }, (error?: Error) => error?.message);
  });
  socket.once('close', (code: number, reason: Buffer) => [code, reason.length]);
  socket.addListener('unexpected-response', (request, response: IncomingMessage) =>
    request.destroy(response.errored ?? undefined),
  );
  socket.on('mine', (anything: string) => anything.length);
  socket.addEventListener('message', (event) => String(event.data), { once: true });
  socket.addEventListener('message', ({ data, target }: WebSocket.MessageEvent) => [
    data satisfies WebSocket.Data,
    target,
  ]);
  socket.addEventListener('close', (event: WebSocket.CloseEvent) => event.code);
  socket.addEventListener('error', (event: WebSocket.ErrorEvent) => event.message);
  socket.addEventListener('close', { handleEvent: ({ wasClean }) => void wasClean });
  socket.onerror = (event) => event.error;
  const told: WebSocket.Data[] = [];
  socket.onmessage = ({ data }) => told.push(data);
  /** As the DOM declares it: its streams are others than Node's. */
  interface DomBlob extends Pick<Blob, 'size' | 'type' | 'arrayBuffer' | 'text'> {
    stream(): { readonly locked: boolean };
  }
  const whenOpen = (blob: DomBlob): void => {
    socket.send(blob);
    socket.ping('', true, (error: Error) => error.message);
    socket.pong(Buffer.of(), (error?: Error) => error?.message);
  };
  expect(whenOpen).toHaveLength(1);
  // @ts-expect-error there is no such event
  socket.addEventListener('closed', () => {});
  const server = new WebSocketServer({ noServer: true });
  server.on('connection', (client, request) => client.send(request.url ?? ''));
  server.on('wsClientError', (error, duplex) => duplex.destroy(error));
  server.on('headers', (lines: string[]) => lines.push('X-A: b'));
  server.handleUpgrade satisfies (
    request: IncomingMessage,
    socket: import('node:stream').Duplex,
    head: Buffer,
    done: (client: WebSocket) => void,
  ) => void;
  expect([socket.eventNames().length, server.eventNames().length]).toEqual([5, 3]);
});

test('send in a function that answers nothing', () => {
  type Handler = (socket: WebSocket) => void | Promise<void>;
  const handlers: Handler[] = [(socket) => socket.send('a'), async (socket): Promise<void> => socket.send('b', {})];
  const answers = (socket: WebSocket): boolean => socket.send('c') || socket.send('d', { binary: true }, () => {});
  class Quiet extends WebSocket {
    override send(): void {}
  }
  const mock: Partial<WebSocket> = { send: () => {} };
  expect([...handlers, answers, Quiet, mock]).toHaveLength(5);
});

test('requests and sockets of classes of their own', () => {
  class Player extends WebSocket {
    score = 0;
  }
  const player = new Player(null);
  player.onmessage = ({ data }: WebSocket.MessageEvent) => void (data satisfies WebSocket.Data);
  player.onmessage = ({ target }) => target.score.toFixed();
  player.addEventListener('message', ({ data }: WebSocket.MessageEvent) => void (data satisfies WebSocket.Data));
  const server = new WebSocketServer<typeof Player>({ noServer: true, WebSocket: Player });
  server.on('connection', ({ score }) => score.toFixed());
  for (const { score } of server.clients) score.toFixed();
  // @ts-expect-error it has no such member
  server.on('connection', ({ goals }) => goals);
  expect(server.clients.size).toBe(0);
});
