import { expect, test } from '@jest/globals';
import { createPair } from '@ws/connection';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { BroadcastStream, ServerOptions, WebSocket, WebSocketServer } from '../src/index.js';
import { inbox, join, start } from './support.js';

// Whatever is broadcast, streamed, sent and pinged, in whatever order: each recipient gets the messages that are for it, in the order of their first
// writes, whole, unmixed and of the right type.

const MiB = 2 ** 20;
const SIZES = [0, 1, 125, 126, 5000, 70_000];
const stream = fc.nat(2);
const size = fc.constantFrom(...SIZES);
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('broadcast' as const), size, binary: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('write' as const), stream, size, binary: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('end' as const), stream, size }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('abort' as const), stream }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('send' as const), to: fc.nat(3), size, binary: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('ping' as const), to: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pause' as const), to: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('resume' as const), to: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('turn' as const) }) },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A message as it is given to the server, and as it has to come out. */
interface Sent {
  readonly binary: boolean;
  text: string;
  /** Of a message that has no end: what it began with, unlike any other. Whoever got a part of it got a beginning; the others nothing. */
  aborted?: string;
}

const END = 'the end';
let counter = 0;
/** So many characters of one to four bytes, that tell where they are from. */
const textOf = (length: number): string =>
  [...`<${counter++}>${'aß€😀'.repeat(length / 4 + 1)}`].slice(0, length).join('');

class Run {
  readonly #server: WebSocketServer;
  readonly #sockets: readonly WebSocket[];
  readonly #clients: readonly { pause(): void; resume(): void }[];
  readonly expected: Sent[][];
  readonly #open = new Map<number, { stream: BroadcastStream; sent: Sent; beginning: string }>();

  constructor(
    server: WebSocketServer,
    sockets: readonly WebSocket[],
    clients: readonly { pause(): void; resume(): void }[],
  ) {
    this.#server = server;
    this.#sockets = sockets;
    this.#clients = clients;
    this.expected = sockets.map(() => []);
  }

  async take(steps: readonly Step[]): Promise<void> {
    for (const each of steps) await this.#take(each);
    for (const { stream: open, sent } of this.#open.values()) this.#finish(open, sent, 10);
    for (const client of this.#clients) client.resume();
    this.#forAll({ binary: false, text: END });
    this.#server.broadcast(END);
  }

  async #take(each: Step): Promise<void> {
    switch (each.type) {
      case 'broadcast': {
        const text = textOf(each.size);
        this.#forAll({ binary: each.binary, text });
        this.#server.broadcast(text, { binary: each.binary });
        return;
      }
      case 'send': {
        const text = textOf(each.size);
        this.expected[each.to]!.push({ binary: each.binary, text });
        this.#sockets[each.to]!.send(text, { binary: each.binary });
        return;
      }
      case 'write': {
        const open = this.#open.get(each.stream) ?? this.#begin(each.stream, each.binary);
        open.sent.text += this.#write(open.stream, each.size);
        return;
      }
      case 'end': {
        const open = this.#open.get(each.stream) ?? this.#begin(each.stream, true);
        this.#open.delete(each.stream);
        this.#finish(open.stream, open.sent, each.size);
        return;
      }
      case 'abort': {
        const open = this.#open.get(each.stream);
        if (open === undefined) return;
        this.#open.delete(each.stream);
        open.sent.aborted = open.beginning;
        open.stream.destroy();
        return;
      }
      case 'ping':
        return this.#sockets[each.to]!.ping();
      case 'pause':
        return this.#clients[each.to]?.pause();
      case 'resume':
        return this.#clients[each.to]?.resume();
      case 'turn':
        return turn();
    }
  }

  #begin(key: number, binary: boolean): { stream: BroadcastStream; sent: Sent } {
    const beginning = textOf(12);
    const open = { stream: this.#server.createBroadcast({ binary }), sent: { binary, text: beginning }, beginning };
    open.stream.write(beginning);
    this.#open.set(key, open);
    this.#forAll(open.sent);
    return open;
  }

  #write(to: BroadcastStream, length: number): string {
    const text = textOf(length);
    to.write(text);
    return text;
  }

  #finish(open: BroadcastStream, sent: Sent, length: number): void {
    const text = textOf(length);
    sent.text += text;
    open.end(text);
  }

  #forAll(sent: Sent): void {
    for (const list of this.expected) list.push(sent);
  }
}

function check(got: readonly unknown[], expected: readonly Sent[]): void {
  let n = 0;
  for (const { binary, text, aborted } of expected) {
    const message = got[n];
    if (aborted !== undefined && !String(message).startsWith(aborted)) continue;
    expect([n, typeof message]).toEqual([n, binary ? 'object' : 'string']);
    expect(aborted === undefined ? String(message) === text : text.startsWith(String(message))).toBe(true);
    n++;
  }
  expect(got).toHaveLength(n);
}

test.each<[string, ServerOptions]>([
  ['plain', {}],
  ['compressed for some', { perMessageDeflate: { threshold: 0 } }],
  [
    'compressed with context takeover for some, in the thread pool',
    { perMessageDeflate: { threshold: 0, serverNoContextTakeover: false, syncDeflateLimit: 1000 } },
  ],
  ['in frames of at most 1000 bytes', { fragmentSize: 1000 }],
])('any interleaving keeps order, borders and content: %s', async (_name, options) => {
  const server = await start({ ...options, slowConsumer: { limit: 64 * MiB } });
  const tcp = [];
  for (let i = 0; i < 3; i++) {
    const both = await join(server, { perMessageDeflate: i > 0 });
    tcp.push({ ...both, ...inbox(both.client) });
  }
  const pair = createPair();
  server.clients.add(pair.server);
  const boxes = [...tcp, inbox(pair.client as never)];
  const sockets = [...tcp.map(({ socket }) => socket), pair.server];
  const clients = tcp.map(({ client }) => client);

  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const run = new Run(server, sockets, clients);
    await run.take(steps);
    for (const [i, { messages, until }] of boxes.entries()) {
      for (let count = 1; messages.at(-1) !== END; count++) await until(count);
      check(messages.splice(0), run.expected[i]!);
    }
  });
  await fc.assert(property, { numRuns: 60 });
  server.clients.delete(pair.server);
  pair.server.terminate();
  await pair.client.closed;
});
