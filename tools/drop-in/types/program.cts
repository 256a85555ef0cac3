// The same for a CommonJS module: `require('ws')` is the class, and a namespace.
import WebSocket = require('ws');
import fastifyWebsocket = require('@fastify/websocket');
import graphqlWs = require('graphql-ws/use/ws');
import graphql = require('graphql');
import socketIo = require('socket.io');

const server: WebSocket.Server = new WebSocket.Server({ port: 0, perMessageDeflate: true });
const same: WebSocket.WebSocketServer = new WebSocket.WebSocketServer({ noServer: true });
server.on('connection', (socket: WebSocket, request) => {
  socket.on('message', (data: WebSocket.RawData, isBinary: boolean) =>
    socket.send(data.toString(), { binary: isBinary }),
  );
  WebSocket.createWebSocketStream(socket).end(request.url);
});
graphqlWs.useServer({ schema: graphql.buildSchema('type Query { hello: String }') }, server);
new socketIo.Server({ wsEngine: WebSocket.Server });
const hand = (socket: fastifyWebsocket.WebSocket): WebSocket => socket;
const options: WebSocket.ClientOptions = { perMessageDeflate: false, followRedirects: true };
const client = new WebSocket('ws://localhost', options);
client.onclose = (event: WebSocket.CloseEvent) => event.code + event.reason.length;
const both: WebSocket.WebSocket[] = [client, new WebSocket.WebSocket('ws://localhost')];

// @ts-expect-error -- a code is a number
client.close('1000');
// @ts-expect-error -- no such member
server.nothing();

export { both, hand, same };
