// @discordjs/ws: a shard, and a gateway by hand: identify, heartbeats, compressed payloads, resuming behind each kind of end, the last word.
import { createServer } from 'node:http';
import { constants, createDeflate } from 'node:zlib';
import { closeOf, deferred, listen, stop } from './parts.mjs';

export const users = [['@discordjs/ws']];

const HELLO = 10;
const [DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, ACKNOWLEDGED] = [0, 1, 2, 6, 7, 11];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const { CompressionMethod, WebSocketManager } = cjs('@discordjs/ws');
  const { WebSocketServer } = cjs('ws');
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  let url = '';
  let sessions = 0;
  const heard = /** @type {unknown[]} */ ([]);
  const closes = /** @type {Promise<string>[]} */ ([]);
  /** What the gateway does at the next heartbeat. */
  let act = /** @type {((socket: any, send: (payload: object) => void) => void) | undefined} */ (undefined);
  server.on('connection', (/** @type {any} */ socket, /** @type {any} */ request) => {
    heard.push(request.url);
    closes.push(closeOf(socket));
    const send = sender(socket, request.url.includes('compress=zlib-stream'));
    send({ op: HELLO, d: { heartbeat_interval: 20 } });
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ isBinary) => {
      const { op, d } = JSON.parse(String(data));
      if (op === HEARTBEAT) {
        send({ op: ACKNOWLEDGED });
        act?.(socket, send);
        act = undefined;
      } else heard.push([op, d?.session_id ?? d?.token, isBinary]);
      const user = { id: '1', username: 'größe' };
      if (op === IDENTIFY)
        send({
          op: DISPATCH,
          t: 'READY',
          s: 1,
          d: { session_id: `s${++sessions}`, resume_gateway_url: url, guilds: [], user },
        });
      if (op === RESUME) send({ op: DISPATCH, t: 'RESUMED', s: 2, d: {} });
    });
  });
  url = `ws://127.0.0.1:${await listen(http)}/gateway`;
  const limits = { total: 1000, remaining: 1000, reset_after: 1000, max_concurrency: 1 };

  const seen = [];
  for (const compression of [null, CompressionMethod.ZlibNative]) {
    const manager = new WebSocketManager({
      token: 'token',
      intents: 0,
      rest: { get: async () => ({ url, shards: 1, session_start_limit: limits }) },
      compression,
      helloTimeout: 5000,
      readyTimeout: 5000,
    });
    const events = /** @type {string[]} */ ([]);
    let next = deferred();
    for (const event of ['ready', 'resumed', 'closed', 'error', 'socketError'])
      manager.on(event, () => {
        events.push(event);
        if (event === 'ready' || event === 'resumed') next.resolve();
      });
    const resumedAfter = async (/** @type {NonNullable<typeof act>} */ end) => {
      next = deferred();
      act = end;
      await next.promise;
    };
    await manager.connect();
    await resumedAfter((socket) => socket.close(4000, 'unknown error'));
    await resumedAfter((_socket, send) => send({ op: RECONNECT }));
    await resumedAfter((socket) => socket.terminate());
    await manager.destroy({ code: 1000, reason: 'good night' });
    seen.push(events);
  }
  const ends = await Promise.all(closes);
  await stop(http);
  return { seen, heard, ends };
}

/** Sends payloads as text, or as pieces of one zlib stream. @param {any} socket @param {boolean} isCompressed */
function sender(socket, isCompressed) {
  if (!isCompressed) return (/** @type {object} */ payload) => socket.send(JSON.stringify(payload));
  const deflate = createDeflate({ flush: constants.Z_SYNC_FLUSH });
  deflate.on('data', (piece) => socket.send(piece));
  return (/** @type {object} */ payload) => void deflate.write(JSON.stringify(payload));
}

export const expected = {
  seen: [
    ['ready', 'closed', 'resumed', 'closed', 'resumed', 'closed', 'resumed', 'closed'],
    ['ready', 'closed', 'resumed', 'closed', 'resumed', 'closed', 'resumed', 'closed'],
  ],
  heard: [
    '/gateway?v=10&encoding=json',
    [2, 'token', false],
    '/gateway?v=10&encoding=json',
    [6, 's1', false],
    '/gateway?v=10&encoding=json',
    [6, 's1', false],
    '/gateway?v=10&encoding=json',
    [6, 's1', false],
    '/gateway?v=10&encoding=json&compress=zlib-stream',
    [2, 'token', false],
    '/gateway?v=10&encoding=json&compress=zlib-stream',
    [6, 's2', false],
    '/gateway?v=10&encoding=json&compress=zlib-stream',
    [6, 's2', false],
    '/gateway?v=10&encoding=json&compress=zlib-stream',
    [6, 's2', false],
  ],
  ends: [
    '4000 unknown error',
    '4200 Told to reconnect by Discord',
    '1006',
    '1000 good night',
    '4000 unknown error',
    '4200 Told to reconnect by Discord',
    '1006',
    '1000 good night',
  ],
};
