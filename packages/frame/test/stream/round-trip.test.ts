import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { FrameDuplex } from '../../src/stream/index.js';

/** A message as its fragments, each in the writes that fill it; a fragment of several writes has a declared length. */
interface Message {
  opcode: 1 | 2;
  fragments: string[][];
  /** Pings before fragments. */
  pings: boolean[];
}

const messages = fc.array(
  fc.record({
    opcode: fc.constantFrom<1 | 2>(1, 2),
    fragments: fc.array(fc.array(fc.string({ unit: 'grapheme', maxLength: 200 }), { minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 4,
    }),
    pings: fc.array(fc.boolean(), { maxLength: 4 }),
  }),
  { maxLength: 6 },
);

function send(duplex: FrameDuplex, { opcode, fragments, pings }: Message): void {
  duplex.writeHead({ opcode });
  fragments.forEach((writes, i) => {
    if (pings[i]) duplex.writeHead({ opcode: 9 }).writeEnd(`${i}`);
    const length = Buffer.byteLength(writes.join(''));
    const isLast = i === fragments.length - 1;
    duplex.writeHead({ length, fin: isLast });
    // An empty frame has no bytes to wait for: it is one write.
    for (const part of length === 0 ? [''] : writes.filter((write) => write !== '')) duplex.write(part);
  });
}

const textOf = ({ fragments }: Message): string => fragments.flat().join('');

/** What one end receives: messages with their opcodes, the ends of pings' rounds, and how it ended. */
async function received(duplex: FrameDuplex): Promise<unknown> {
  const texts: string[] = [];
  const opcodes: number[] = [];
  const pings: string[] = [];
  let text: Buffer[] = [];
  let pongs = 0;
  duplex.on('head', ({ opcode }) => {
    if (opcode === 1 || opcode === 2) opcodes.push(opcode);
  });
  duplex.on('data', (chunk: Buffer) => text.push(chunk));
  duplex.on('messageEnd', () => {
    texts.push(Buffer.concat(text).toString());
    text = [];
  });
  duplex.on('ping', (payload) => pings.push(payload.toString())).on('pong', () => pongs++);
  await once(duplex, 'end');
  return { texts, opcodes, pings, pongs };
}

async function roundTrip(ends: [Duplex, Duplex], sent: [Message[], Message[]]): Promise<void> {
  const duplexes = [new FrameDuplex(ends[0], { role: 'server' }), new FrameDuplex(ends[1], { role: 'client' })];
  const results = duplexes.map(received);
  duplexes.forEach((duplex, i) => sent[i]!.forEach((message) => send(duplex, message)));
  // Everybody has everything, pongs too, before either half ends.
  const counts = sent.map(
    (list) => list.flatMap(({ fragments, pings }) => pings.slice(0, fragments.length)).filter(Boolean).length,
  );
  duplexes.forEach((duplex) => duplex.writeHead({ opcode: 2 }).writeEnd('last'));
  await Promise.all(duplexes.map(async (duplex) => lastMessage(duplex)));
  duplexes.forEach((duplex) => duplex.end());
  const expected = sent.map((list, i) => ({
    texts: [...list.map(textOf), 'last'],
    opcodes: [...list.map(({ opcode }) => opcode), 2],
    pings: list.flatMap(({ fragments, pings }) => fragments.flatMap((_, k) => (pings[k] ? [`${k}`] : []))),
    pongs: counts[1 - i],
  }));
  const [atServer, atClient] = await Promise.all(results);
  expect(atServer).toEqual(expected[1]);
  expect(atClient).toEqual(expected[0]);
}

function lastMessage(duplex: FrameDuplex): Promise<void> {
  let text = '';
  return new Promise((resolve) => {
    duplex.on('data', (chunk: Buffer) => (text = (text + chunk.toString('latin1')).slice(-4)));
    duplex.on('messageEnd', () => {
      if (text === 'last') resolve();
    });
  });
}

test('two of them over a pair in memory understand each other', async () => {
  await fc.assert(
    fc.asyncProperty(messages, messages, async (left, right) => roundTrip(duplexPair(), [left, right])),
    { numRuns: 100 },
  );
});

test('so they do over TCP', async () => {
  const listener = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  await fc.assert(
    fc.asyncProperty(messages, messages, async (left, right) => {
      const client = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      const [server] = (await once(listener, 'connection')) as [Socket];
      await roundTrip([server, client], [left, right]);
    }),
    { numRuns: 10 },
  );
  listener.close();
});
