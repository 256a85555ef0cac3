import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { atEnd } from '@ws/testing/peer';
import adapter, { type Connection, type InStream } from '../../src/nodejs-websocket/index.js';
import { original, portOfOld } from './original.js';

const BOTH = [
  ['a client of nodejs-websocket', adapter, original],
  ['a server of nodejs-websocket', original, adapter],
] as const;

/** Both ends of a connection of old programs, one of them the old library's. */
async function pair(
  server: typeof original,
  client: typeof original,
): Promise<{ conn: Connection; remote: Connection }> {
  const listener = server.createServer();
  const port = await portOfOld(listener);
  const arrival = once(listener, 'connection') as Promise<[Connection]>;
  const conn = client.connect(`ws://127.0.0.1:${port}/path?query`);
  atEnd(() => conn.socket.destroy());
  await once(conn, 'connect');
  return { conn, remote: (await arrival)[0] };
}

async function whole(message: InStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test.each(BOTH)('with %s: texts, binary messages and pings in both directions', async (_name, server, client) => {
  const { conn, remote } = await pair(server, client);
  expect([conn.path, remote.path, conn.readyState, remote.readyState]).toEqual(['/path?query', '/path?query', 1, 1]);
  for (const [from, to] of [
    [conn, remote],
    [remote, conn],
  ] as const) {
    for (const text of ['', 'é€😀', 'x'.repeat(70_000)]) {
      const arrival = once(to, 'text');
      from.sendText(text);
      expect(await arrival).toEqual([text]);
    }
    for (const bytes of [Buffer.alloc(0), Buffer.of(0, 255), Buffer.alloc(1_500_000, 'abc')]) {
      const arrival = once(to, 'binary') as Promise<[InStream]>;
      from.sendBinary(bytes);
      expect((await whole((await arrival)[0])).equals(bytes)).toBe(true);
    }
    const arrival = once(to, 'binary') as Promise<[InStream]>;
    const out = from.beginBinary()!;
    for (let count = 0; count < 30; count++) out.write(Buffer.alloc(50_000, 'part'));
    out.end();
    expect((await whole((await arrival)[0])).equals(Buffer.alloc(1_500_000, 'part'))).toBe(true);
    const pong = once(from, 'pong');
    from.sendPing('data');
    expect(await pong).toEqual(['data']);
  }
});

test.each(BOTH)('with %s: either end closes', async (_name, server, client) => {
  for (const closes of ['conn', 'remote'] as const) {
    const ends = await pair(server, client);
    const [near, far] = closes === 'conn' ? [ends.conn, ends.remote] : [ends.remote, ends.conn];
    const closed = [once(near, 'close'), once(far, 'close')];
    near.close(4000, 'bye');
    expect(await Promise.all(closed)).toEqual([
      [4000, 'bye'],
      [4000, 'bye'],
    ]);
  }
});
