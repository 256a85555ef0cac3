// A TLSSocket may give what it has read in the midst of a call: of a write to the stream below it, or of an empty write to itself.
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { connect, TLSSocket } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket } from '../src/index.js';
import { clientFrame, nextTurn, record, tcpPair } from './streams.js';
import { certificate, tlsPair } from './tls-pair.js';

const open: Duplex[] = [];

afterEach(() => {
  for (const stream of open.splice(0)) stream.destroy();
});

/** TLS over streams in memory; while `held` is set, what the near end writes is kept there. */
async function tunnel(): Promise<{ near: TLSSocket; far: TLSSocket; below: Duplex; hold(): Buffer[] }> {
  let held: Buffer[] | undefined;
  const nearBelow: Duplex = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      if (held) held.push(chunk);
      else below.push(chunk);
      done();
    },
  });
  const below: Duplex = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      nearBelow.push(chunk);
      done();
    },
  });
  const far = new TLSSocket(below, { isServer: true, ...certificate });
  const near = connect({ socket: nearBelow, rejectUnauthorized: false });
  await Promise.all([once(far, 'secure'), once(near, 'secureConnect')]);
  for (let turn = 0; turn < 5; turn++) await nextTurn();
  open.push(near, far);
  return { near, far, below, hold: () => (held = []) };
}

const PART = 5000;
const message = (n: number): Buffer => Buffer.alloc(PART, 0x40 + n);
const frames = (count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, n) => clientFrame(2, message(n))));

async function carried(socket: WebSocket, near: Duplex, count: number, carry: () => void): Promise<boolean[]> {
  const got: Buffer[] = [];
  const closed: unknown[][] = record(socket, ['error', 'close']);
  socket.on('message', (data) => {
    got.push(data as Buffer);
    carry();
  });
  near.write(frames(count));
  for (let i = 0; i < 200 && got.length < count && closed.length === 0; i++) await nextTurn();
  expect(closed).toEqual([]);
  return got.map((bytes, n) => bytes.equals(message(n)));
}

test.each(['tcp', 'tls'] as const)(
  'what a message over %s carries to a TLS connection leaves the bytes behind it alone',
  async (kind) => {
    const inner = await tunnel();
    const cipher = inner.hold();
    const heard: string[] = [];
    WebSocket.from(inner.far, { role: 'server' }).on('message', (data) => heard.push(String(data)[0]!));
    inner.near.write(clientFrame(1, 'secret '.repeat(2000)));
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    const [near, far] = kind === 'tcp' ? await tcpPair() : await tlsPair();
    open.push(near, far);
    const socket = WebSocket.from(far, { role: 'server' });
    const areWhole = await carried(socket, near, 3, () => {
      for (const chunk of cipher.splice(0)) inner.below.push(chunk);
    });
    expect(areWhole).toEqual([true, true, true]);
    expect(heard).toEqual(['s']);
  },
);

test('an empty write to a TLS socket while its message is delivered leaves the bytes behind it alone', async () => {
  const [near, far] = await tlsPair();
  const areWhole = await carried(WebSocket.from(far, { role: 'server' }), near, 12, () => void far.write(''));
  expect(areWhole).toEqual(Array.from({ length: 12 }, () => true));
});
