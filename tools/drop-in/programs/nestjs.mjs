// @nestjs/platform-ws: gateways on several paths of one port and on a port of its own, answers from values and streams, handlers of its life cycle, refusal, the end.
import { once } from 'node:events';
import { closeOf, readerOf, refusalOf } from './parts.mjs';

export const users = [['@nestjs/platform-ws']];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  cjs('reflect-metadata');
  const { Module } = cjs('@nestjs/common');
  const { NestFactory } = cjs('@nestjs/core');
  const { WsAdapter } = cjs('@nestjs/platform-ws');
  const { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } =
    cjs('@nestjs/websockets');
  const { from } = cjs('rxjs');
  const WebSocket = cjs('ws');
  const told = /** @type {unknown[]} */ ([]);
  const gone = /** @type {Promise<unknown>[]} */ ([]);

  class Chat {
    /** @type {any} */ server;
    afterInit(/** @type {any} */ server) {
      told.push(['init', server instanceof WebSocket.Server]);
    }
    handleConnection(/** @type {any} */ client, /** @type {any} */ request) {
      told.push(['in', request.url, client.protocol]);
      gone.push(closeOf(client));
    }
    handleDisconnect(/** @type {any} */ client) {
      told.push(['out', client.readyState]);
    }
    echo(/** @type {unknown} */ data) {
      return { event: 'echo', data };
    }
    count() {
      return from([1, 2, 3].map((data) => ({ event: 'count', data })));
    }
    all(/** @type {string} */ text) {
      for (const each of this.server.clients) each.send(text);
    }
    leave(/** @type {any} */ client) {
      client.close(4001, 'as you wish');
    }
  }
  subscribe(Chat, { echo: MessageBody, count: undefined, all: MessageBody, leave: ConnectedSocket });
  property(WebSocketServer(), Chat, 'server');
  WebSocketGateway({ path: '/chat', maxPayload: 1000 })(Chat);

  class News {
    echo(/** @type {string} */ data) {
      return { event: 'news', data };
    }
  }
  subscribe(News, { echo: MessageBody });
  WebSocketGateway({ path: '/news' })(News);

  class App {}
  Module({ providers: [Chat, News] })(App);
  const app = await NestFactory.create(App, { logger: false });
  app.useWebSocketAdapter(new WsAdapter(app));
  await app.listen(0, '127.0.0.1');
  const url = (await app.getUrl()).replace('http', 'ws');
  const open = async (/** @type {string} */ path) => {
    const socket = new WebSocket(url + path);
    const [read, close] = [readerOf(socket), closeOf(socket)];
    socket.on('error', () => undefined);
    await once(socket, 'open');
    const send = (/** @type {string} */ event, /** @type {unknown} */ data) =>
      socket.send(JSON.stringify({ event, data }));
    return { socket, read, close, send };
  };

  const [ann, bob, reader] = [await open('/chat'), await open('/chat'), await open('/news')];
  ann.send('echo', { size: 'größe' });
  const echo = await ann.read();
  ann.send('count', undefined);
  const counted = [await ann.read(), await ann.read(), await ann.read()];
  ann.socket.send('not JSON');
  ann.send('nothing', 'that anybody handles');
  ann.socket.send(Buffer.from(JSON.stringify({ event: 'echo', data: 'bytes' })));
  const bytes = await ann.read();
  bob.send('all', 'to all');
  const all = [await ann.read(), await bob.read()];
  reader.send('echo', 'other path');
  const other = await reader.read();

  bob.send('leave', undefined);
  const left = await bob.close;
  ann.send('echo', 'x'.repeat(1000));
  const tooLong = await ann.close;
  const ends = await Promise.all(gone);
  const refused = await refusalOf(new WebSocket(`${url}/nowhere`));
  await app.close();
  const down = await reader.close;
  return { echo, counted, bytes, all, other, left, tooLong, ends, refused, down, told };

  /** Decorators, by hand. @param {new () => any} gateway @param {Record<string, undefined | (() => any)>} handlers */
  function subscribe(gateway, handlers) {
    for (const [name, parameter] of Object.entries(handlers)) {
      parameter?.()(gateway.prototype, name, 0);
      property(SubscribeMessage(name), gateway, name);
    }
  }
}

/** @param {any} decorate @param {new () => any} gateway @param {string} name */
function property(decorate, { prototype }, name) {
  decorate(prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
}

export const expected = {
  echo: '{"event":"echo","data":{"size":"größe"}}',
  counted: ['{"event":"count","data":1}', '{"event":"count","data":2}', '{"event":"count","data":3}'],
  bytes: '{"event":"echo","data":"bytes"}',
  all: ['to all', 'to all'],
  other: '{"event":"news","data":"other path"}',
  left: '4001 as you wish',
  tooLong: '1009',
  ends: ['1006', '4001 as you wish'],
  refused: ['socket hang up', '1006'],
  down: '1006',
  told: [
    ['init', true],
    ['in', '/chat', ''],
    ['in', '/chat', ''],
    ['out', 3],
    ['out', 3],
  ],
};
