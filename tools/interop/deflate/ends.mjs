// The ends of a connection that run in this process: a server and a client with the API of `ws` 8 (ours, and `ws` itself), undici's client.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { WebSocket as OurWebSocket } from '@ws/client';
import { WebSocketServer as OurWebSocketServer } from '@ws/server';
import { WebSocket as UndiciWebSocket } from 'undici';
import { WebSocket as WsWebSocket, WebSocketServer as WsWebSocketServer } from 'ws';
import { Conversation } from './conversation.mjs';
import { converse } from './web-client.mjs';

/** @typedef {import('./messages.mjs').Message} Message */
/** @typedef {import('./conversation.mjs').Outcome} Outcome */
/** What a server got, told when its connection is over. @typedef {{ count: number, digest: string, error?: string, extensions?: string }} Received */
/** @typedef {{ options: import('./cells.mjs').Negotiation, threshold: number, codec: Record<string, unknown> }} ServeTask */
/** @typedef {ServeTask & { url: string, seed: string, count: number, messages: readonly Message[] }} ConverseTask */
/** @typedef {{ port: number, received: Promise<Received>, close(): Promise<void> }} Serving */
/** Whoever can be an end of a cell's connection; an echo server where it serves. @typedef {{ serve?(task: ServeTask): Promise<Serving>, converse(task: ConverseTask): Promise<Outcome>, close?(): Promise<void> }} End */

/** As the digests of both ends take it: kind, length in 32 bits, payload. @param {Message} message */
export const packHead = ({ binary, bytes }) => {
  const head = Buffer.alloc(5, binary ? 2 : 1);
  head.writeUInt32BE(bytes.length, 1);
  return head;
};

/** @param {readonly Message[]} messages */
export const digestOf = (messages) => {
  const hash = createHash('sha256');
  for (const message of messages) hash.update(packHead(message)).update(message.bytes);
  return hash.digest('hex');
};

/**
 * @typedef {object} Socket what is used of a connection
 * @property {string} extensions
 * @property {(data: Buffer, options: { binary: boolean, compress?: boolean }) => void} send
 * @property {(code: number) => void} close
 * @property {() => void} terminate
 * @property {(event: string, listener: (...args: any[]) => void) => unknown} on
 */
/** An echo server's answer; a test of the harness gives another. @typedef {(socket: Socket, data: Buffer, binary: boolean, index: number) => void} Reply */

/** @type {Reply} */
const echo = (socket, data, binary) => socket.send(data, { binary });

/**
 * @param {any} WebSocketServer
 * @param {Record<string, unknown>} more options
 * @param {Reply} reply
 * @returns {(task: ServeTask) => Promise<Serving>}
 */
export const serveWith =
  (WebSocketServer, more = {}, reply = echo) =>
  async ({ options, threshold }) => {
    const perMessageDeflate = { ...options, threshold };
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate, ...more });
    await once(server, 'listening');
    const received = once(server, 'connection').then(([socket]) => receive(socket, reply));
    return {
      port: server.address().port,
      received,
      async close() {
        for (const socket of server.clients) socket.terminate();
        await new Promise((resolve) => server.close(resolve));
      },
    };
  };

/** @param {Socket} socket @param {Reply} reply @returns {Promise<Received>} */
function receive(socket, reply) {
  const hash = createHash('sha256');
  let count = 0;
  /** @type {string | undefined} */
  let error;
  socket.on('message', (data, binary) => {
    hash.update(packHead({ binary, bytes: data })).update(data);
    reply(socket, data, binary, count++);
  });
  socket.on('error', ({ code, message }) => (error = `${code ?? ''} ${message}`));
  return new Promise((resolve) => {
    socket.on('close', (code) => {
      if (code !== 1000) error ??= `closed with ${code}`;
      const { extensions } = socket;
      resolve({ count, digest: hash.digest('hex'), extensions, ...(error !== undefined && { error }) });
    });
  });
}

/** @param {any} WebSocket @returns {(task: ConverseTask) => Promise<Outcome>} */
const converseWith =
  (WebSocket) =>
  ({ url, options, threshold, messages }) =>
    new Promise((resolve) => {
      /** @type {Socket} */
      const socket = new WebSocket(url, { perMessageDeflate: { ...options, threshold } });
      const conversation = new Conversation(messages, ({ binary, bytes }) =>
        socket.send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { binary }),
      );
      /** @type {string | undefined} */
      let error;
      socket.on('open', () => conversation.start());
      socket.on('message', (data, binary) => {
        conversation.receive(binary, data);
        if (conversation.isOver) socket.close(1000);
      });
      socket.on('error', ({ code, message }) => (error = `${code ?? ''} ${message}`));
      socket.on('close', (code) => {
        if (code !== 1000) error ??= `closed with ${code}`;
        const { extensions } = socket;
        resolve({ ...conversation.outcome, extensions, ...(error !== undefined && { error }) });
      });
    });

/** @template {ServeTask} T @param {T} task @returns {T} */
const withCodec = (task) => ({ ...task, options: { ...task.options, ...task.codec } });
const serveOurs = serveWith(OurWebSocketServer, { origins: 'any' });
const converseOurs = converseWith(OurWebSocket);

/** Pages are of another origin than the server. @satisfies {End} */
export const ours = {
  serve: (/** @type {ServeTask} */ task) => serveOurs(withCodec(task)),
  converse: (/** @type {ConverseTask} */ task) => converseOurs(withCodec(task)),
};

/** @satisfies {End} */
export const ws = { serve: serveWith(WsWebSocketServer), converse: converseWith(WsWebSocket) };

/** @satisfies {End} */
export const undici = {
  converse: (/** @type {ConverseTask} */ { url, messages }) =>
    converse(/** @type {any} */ (UndiciWebSocket), url, messages),
};
