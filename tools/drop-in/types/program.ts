// Compiled in the folder of each install, with what is installed there as `ws`: the types that the programs take and hand out fit those of `ws`.
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import websocketPlugin, { type WebSocket as FastifySocket } from '@fastify/websocket';
import { createNodeWebSocket } from '@hono/node-ws';
import { WsAdapter } from '@nestjs/platform-ws';
import { initTRPC } from '@trpc/server';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { WebSocketProvider } from 'ethers';
import express from 'express';
import expressWs from 'express-ws';
import Fastify from 'fastify';
import { buildSchema } from 'graphql';
import { createClient } from 'graphql-ws';
import { useServer, type Extra } from 'graphql-ws/use/ws';
import { Hono } from 'hono';
import mqtt from 'mqtt';
import { Server as IoServer } from 'socket.io';
import WebSocket, {
  createWebSocketStream,
  WebSocket as NamedWebSocket,
  WebSocketServer,
  type ClientOptions,
  type RawData,
  type ServerOptions,
} from 'ws';

const http = createServer();
const options: ServerOptions = {
  server: http,
  perMessageDeflate: { threshold: 1024, zlibDeflateOptions: { level: 3 } },
  verifyClient: ({ origin, req, secure }, done) => done(origin !== '' && secure, 401, req.url, { 'X-Why': 'not you' }),
  handleProtocols: (protocols: Set<string>, request: IncomingMessage) =>
    request.url === '/' ? [...protocols][0]! : false,
};
const server = new WebSocketServer(options);
const older = new WebSocketServer({ noServer: true, clientTracking: false });
server.on('connection', (socket, request) => {
  socket.on('message', (data: RawData, isBinary: boolean) =>
    socket.send(data as Buffer, { binary: isBinary }, (error) => error?.message),
  );
  socket.on('close', (code, reason) => [code.toFixed(), reason.toString('utf8')]);
  const alive: boolean = socket.readyState === WebSocket.OPEN && request.headers.upgrade === 'websocket';
  if (!alive) socket.terminate();
});
for (const client of server.clients) client.ping();
http.on('upgrade', (request, socket: Duplex, head: Buffer) => {
  older.handleUpgrade(request, socket, head, (webSocket) => older.emit('connection', webSocket, request));
});

// Theirs with ours: each takes, or hands out, a type of `ws`.
useServer(
  {
    schema: buildSchema('type Query { hello: String }'),
    onConnect: ({ extra }: { extra: Extra }) => extra.socket.protocol !== '',
  },
  server,
);
createClient({ url: 'ws://localhost', webSocketImpl: WebSocket });

const app = Fastify();
void app.register(websocketPlugin, { options: { maxPayload: 1024, perMessageDeflate: true } });
app.get('/', { websocket: true }, (socket: FastifySocket, request) => {
  const same: WebSocket = socket;
  same.on('message', (data: RawData) => socket.send(data.toString() + request.url));
  createWebSocketStream(socket, { encoding: 'utf8' }).pipe(process.stdout);
});
void app.after(() => {
  for (const client of app.websocketServer.clients) client.close(1001, 'away');
});

const ws = expressWs(express(), http, { wsOptions: { maxPayload: 10 } });
ws.app.ws('/', (socket) => {
  const same: WebSocket = socket;
  same.send('hello');
});
const wss: WebSocketServer = ws.getWss();

new IoServer(http, { wsEngine: WebSocketServer, perMessageDeflate: { threshold: 1 } });
const { wss: honos } = createNodeWebSocket({ app: new Hono() });
const both: WebSocketServer[] = [wss, honos, server];
const clientOptions: ClientOptions = {
  headers: { authorization: 'me' },
  handshakeTimeout: 1000,
  maxPayload: 10,
  followRedirects: true,
};
mqtt.connect('ws://localhost', { wsOptions: clientOptions });
const provider = new WebSocketProvider('ws://localhost');

const { procedure, router } = initTRPC.create();
applyWSSHandler({
  wss: server,
  router: router({ hello: procedure.query(() => 'hello') }),
  createContext: ({ req, res }) => ({ url: req.url, protocol: res.protocol, alive: res.readyState === WebSocket.OPEN }),
}).broadcastReconnectNotification();
const adapter = new WsAdapter();
adapter.bindErrorHandler(server);

const client = new NamedWebSocket('ws://localhost', ['one'], clientOptions);
client.onmessage = ({ data, type, target }) => target.send(type + String(data));
client.addEventListener('close', ({ code, reason, wasClean }) => [code, reason, wasClean], { once: true });
new WebSocketProvider(() => client);

// And they are types, not `any`.
// @ts-expect-error -- a code is a number
client.close('1000');
// @ts-expect-error -- no such option
new WebSocketServer({ nothing: true });
// @ts-expect-error -- a socket of express-ws is one of ours
ws.app.ws('/', (socket) => socket.nothing());
// @ts-expect-error -- a socket of @fastify/websocket too
app.get('/x', { websocket: true }, (socket) => socket.nothing());

export { both, provider };
