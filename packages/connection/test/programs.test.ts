// The programs of the README, each as it stands there; the rows (A-…) say what must be seen.
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';
import { createPair, WebSocket, type MessageError } from '../src/index.js';
import { framesOf, nextTurn, record, recorded, type Frame } from './streams.js';

const packageFolder = new URL('..', import.meta.url);
const programs = readmePrograms(new URL('README.md', packageFolder), '## Programs');
const ROWS = ['A-25', 'A-33', 'A-26', 'A-19', 'A-27 A-23', 'A-36'];

afterEach(stopPrograms);

test('every program has its row', () => expect(programs).toHaveLength(ROWS.length));

test.each(programs.map((program, i) => ({ row: ROWS[i], ...program })))(
  '$row $intro prints what stands below it',
  async ({ code, output }) => {
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
    expect(output).not.toBe('');
    const program = new Program(packageFolder, code);
    expect(await program.ended).toBe(0);
    expect(program.output).toBe(output);
  },
  25_000,
);

const heads = (frames: readonly Frame[]): unknown[] => frames.map(({ opcode, fin }) => `${opcode}${fin ? ' fin' : ''}`);

test('A-25 a client masks what a server sends plain', async () => {
  const { socket, stream } = recorded({ role: 'client' });
  const message = socket.createOutgoing();
  message.write('a');
  message.write('b');
  message.end('c');
  await once(message, 'finish');
  const frames = framesOf(stream.bytes);
  expect(heads(frames)).toEqual(['1', '0', '0 fin']);
  expect(frames.map(({ payload }) => payload.toString()).join('')).toBe('abc');
  expect(frames.every(({ maskingKey }) => maskingKey !== undefined)).toBe(true);
});

test('A-33 five chunks are five fragments, whatever time lies between them, and an end', async () => {
  const { socket, stream } = recorded();
  await socket.sendStream(
    (async function* () {
      for (let n = 0; n < 5; n++) {
        await nextTurn();
        yield `${n}`;
      }
    })(),
  );
  const frames = framesOf(stream.bytes);
  expect(heads(frames.slice(0, 5))).toEqual(['1', '0', '0', '0', '0']);
  expect(frames.slice(5).map(({ fin, payload }) => [fin, payload.length])).toEqual([[true, 0]]);
});

test('A-19 frames have 512 KiB at least, the last one excepted', async () => {
  const { socket, stream } = recorded({ role: 'client' });
  const parts = Array.from({ length: 81 }, () => Buffer.alloc(65_536));
  await socket.sendStream(parts, { binary: true, fragmentSize: 512 * 1024 });
  const frames = framesOf(stream.bytes);
  expect(heads(frames)).toEqual(['2', ...Array.from({ length: 9 }, () => '0'), '0 fin']);
  expect(frames.map(({ payload }) => payload.length)).toEqual([...Array.from({ length: 10 }, () => 524_288), 65_536]);
});

test('A-23 text behind an open binary message waits for its end', async () => {
  const { client, server } = createPair();
  const events = record(server, ['message']);
  const message = client.createOutgoing({ binary: true });
  message.write(Buffer.of(1));
  client.send('text');
  await setTimeout(10);
  expect(events).toEqual([]);
  message.end(Buffer.of(2));
  client.close();
  await server.closed;
  expect(events).toEqual([
    ['message', Buffer.of(1, 2), true],
    ['message', Buffer.from('text'), false],
  ]);
});

test('A-23 texts of a list come in its order', async () => {
  const { client, server } = createPair();
  const events = record(server, ['message']);
  for (const text of ['a', 'b', 'c']) client.send(text);
  client.close();
  await server.closed;
  expect(events.map(([, data]) => String(data))).toEqual(['a', 'b', 'c']);
});

test('A-27 a ping, a Close frame and a cut come in this order', async () => {
  const { client, server } = createPair();
  const events = record(server, ['ping', 'closing', 'close']);
  client.ping();
  client.close(4000);
  await once(server, 'closing');
  client.terminate();
  expect((await server.closed).code).toBe(4000);
  expect(events.map(([name]) => name)).toEqual(['ping', 'closing', 'close']);
});

test('A-33 behind the end of the connection each form fails', async () => {
  const { client } = createPair();
  client.terminate();
  await client.closed;
  const outgoing = client.createOutgoing();
  const [error] = (await once(outgoing, 'error')) as [MessageError];
  expect(error.code).toBe('WS_ERR_CLOSED');
  expect(client).toBeInstanceOf(WebSocket);
});
