// TLS sockets, which give what they have read record by record.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { expect, test } from '@jest/globals';
import { headerLength } from '@ws/frame';
import { WebSocket } from '../src/index.js';
import { clientFrame, framesOf, nextTurn } from './streams.js';
import { certificate, tlsPair } from './tls-pair.js';

/** Three records, for which one read is enough. */
const QUESTIONS = 40;
const questions = Buffer.concat(Array.from({ length: QUESTIONS }, () => clientFrame(2, randomBytes(1000))));

/** Until so many bytes are there: each record that came, which a TLSSocket without `onread` gives as a chunk. */
async function recordsOf(socket: TLSSocket, byteLength: number): Promise<Buffer[]> {
  const records: Buffer[] = [];
  let missing = byteLength;
  for await (const chunk of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    records.push(chunk);
    if ((missing -= chunk.length) <= 0) return records;
  }
  throw new Error(`${missing} bytes less`);
}

const ANSWERS: { name: string; answer: (this: WebSocket) => void }[] = [
  {
    name: 'at once',
    answer() {
      this.send('ok');
    },
  },
  {
    name: 'in a promise',
    answer() {
      void Promise.resolve().then(() => this.send('ok'));
    },
  },
];

test.each(ANSWERS)('what many records are answered with, $name, is one record', async ({ answer }) => {
  const [near, far] = await tlsPair();
  const turns = new Set<unknown>();
  const socket = WebSocket.from(far, { role: 'server' });
  socket.on('message', answer).on('message', () => turns.add(far.bytesRead));
  near.write(questions);
  const records = await recordsOf(near, 4 * QUESTIONS);
  expect(turns.size).toBeGreaterThan(1); // there were several
  expect(records.map(({ length }) => length)).toEqual([4 * QUESTIONS]);
  expect(framesOf(records[0]!)).toHaveLength(QUESTIONS);
});

test('an answer does not wait for the end of the reads where another connection has something to read', async () => {
  const [[near, far], [near2, far2]] = [await tlsPair(), await tlsPair()];
  const [first, second] = [WebSocket.from(far, { role: 'server' }), WebSocket.from(far2, { role: 'server' })];
  /** Bytes that the streams have been given. */
  const seen: number[][] = [];
  for (const socket of [first, second])
    socket.on('message', () => {
      seen.push([first.bytesSent, second.bytesSent]);
      socket.send('ok');
    });
  near.write(clientFrame(1, 'a'));
  near2.write(clientFrame(1, 'b'));
  await Promise.all([recordsOf(near, 4), recordsOf(near2, 4)]);
  expect(seen).toContainEqual([0, 0]);
  expect(seen.filter(([a, b]) => a === 4 || b === 4)).toHaveLength(1);
});

test('what is sent outside of a turn, and the end, leave without anything to read', async () => {
  const [near, far] = await tlsPair();
  const socket = WebSocket.from(far, { role: 'server' });
  socket.send('unasked');
  expect(framesOf(Buffer.concat(await recordsOf(near, 9)))[0]!.payload.toString()).toBe('unasked');
  socket.once('message', () => {
    socket.send('last');
    socket.close(1000);
  });
  near.write(clientFrame(1, 'end'));
  const frames = framesOf(Buffer.concat(await recordsOf(near, 10)));
  expect(frames.map(({ opcode }) => opcode)).toEqual([1, 8]);
});

const SIZES = [5, 200, 9000, 16_000, 30_000, 70_000];
const ROUNDS = 60;
/** What one connection sends: as many of each size. */
const WIRE_BYTES = (ROUNDS / SIZES.length) * SIZES.reduce((sum, size) => sum + headerLength(size, false) + size, 0);

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  '%s: the memory of one message is the next one’s, and each arrives as it is',
  async (version) => {
    const pairs = await Promise.all(Array.from({ length: 6 }, () => tlsPair(version)));
    const sockets = pairs.map(([, far]) => WebSocket.from(far, { role: 'server' }));
    const sent: Buffer[][] = pairs.map(() => []);
    const received = pairs.map(([near], i) => (i % 2 === 0 ? undefined : recordsOf(near, WIRE_BYTES)));
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, socket] of sockets.entries()) {
        const bytes = randomBytes(SIZES[(round + i) % SIZES.length]!);
        sent[i]!.push(bytes);
        if (round === 1 && version === 'TLSv1.2') pairs[i]![0].renegotiate({}, () => undefined); // messages wait for it
        socket.send(bytes);
        if (round % 7 === 0) await nextTurn();
      }
    }
    for (const [i, [near]] of pairs.entries()) {
      const records = await (received[i] ?? recordsOf(near, WIRE_BYTES)); // behind a reader that is slow, messages wait
      const payloads = framesOf(Buffer.concat(records)).map(({ payload }) => payload);
      expect(payloads.length).toBe(ROUNDS);
      expect(payloads.every((payload, n) => payload.equals(sent[i]![n]!))).toBe(true);
    }
  },
);

test('what was sent before process.exit() goes out over TLS too', () => {
  const child = `
    import { connect } from 'node:tls';
    import { WebSocket } from '@ws/connection';
    const stream = connect({ port: Number(process.argv[1]), host: '127.0.0.1', rejectUnauthorized: false }, () => {
      WebSocket.from(stream, { role: 'client' }).on('message', function () { this.send('report'); process.exit(0); });
    });`;
  const parent = `
    import { spawn } from 'node:child_process';
    import { createServer } from 'node:tls';
    import { WebSocket } from '@ws/connection';
    const listener = createServer(${JSON.stringify(certificate)}, (stream) => {
      const socket = WebSocket.from(stream, { role: 'server' });
      socket.on('message', (data) => console.log('got ' + data)).on('error', () => {}).on('close', () => listener.close()).send('go');
    }).listen(0, '127.0.0.1', () => {
      spawn(process.execPath, ['--input-type=module', '-e', ${JSON.stringify(child)}, String(listener.address().port)], { stdio: 'inherit' });
    });`;
  const cwd = new URL('..', import.meta.url);
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', parent], { cwd, encoding: 'utf8' })).toBe(
    'got report\n',
  );
});

test('behind an empty write, with which TLS is not done at once, a message keeps its memory', async () => {
  const [[near, far], [, other]] = [await tlsPair(), await tlsPair()];
  const [socket, neighbour] = [far, other].map((stream) => WebSocket.from(stream, { role: 'server' }));
  near.resume();
  for (let turn = 0; turn < 5; turn++) await nextTurn(); // tickets are out
  near.pause();
  far.write('');
  socket!.send('for the first');
  process.nextTick(() => neighbour!.send('of the second'));
  const [frame] = framesOf(Buffer.concat(await recordsOf(near, 15)));
  expect(frame!.payload.toString()).toBe('for the first');
});
