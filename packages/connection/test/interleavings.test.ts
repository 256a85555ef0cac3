import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { Incoming, WebSocket, type Extension, type FromOptions, type Outgoing } from '../src/index.js';
import { nextTurn } from './streams.js';
import { wire, type WireEnd } from './wire.js';

// Any interleaving of all ways to send keeps borders, order and content; a cut at any byte ends everything, once.

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'] });
});
afterEach(() => {
  jest.useRealTimers();
});

type Step =
  | { readonly kind: 'send' | 'fragment'; readonly size: number }
  | { readonly kind: 'open'; readonly fragmentSize: number; readonly declared: boolean }
  | { readonly kind: 'write'; readonly which: number; readonly size: number }
  | { readonly kind: 'end'; readonly which: number }
  | { readonly kind: 'ping' | 'pause' | 'resume' | 'turn' | 'close' };

const size = fc.oneof({ weight: 4, arbitrary: fc.nat(20) }, fc.constantFrom(0, 125, 126, 5000, 17_000, 70_000));
const which = fc.nat(3);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 32, arbitrary: fc.record({ kind: fc.constant('send' as const), size }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('fragment' as const), size }) },
  {
    weight: 24,
    arbitrary: fc.record({
      kind: fc.constant('open' as const),
      fragmentSize: fc.constantFrom(0, 0, 50, 20_000),
      declared: fc.boolean(),
    }),
  },
  { weight: 48, arbitrary: fc.record({ kind: fc.constant('write' as const), which, size }) },
  { weight: 24, arbitrary: fc.record({ kind: fc.constant('end' as const), which }) },
  {
    weight: 32,
    arbitrary: fc.record({
      kind: fc.constantFrom('ping' as const, 'pause' as const, 'resume' as const, 'turn' as const),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'close' as const }) },
);
const scenario = fc.record({
  steps: fc.array(step, { maxLength: 40 }),
  sizes: fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 3 }),
  incoming: fc.constantFrom('buffer' as const, 'stream' as const, 'binary' as const, 'auto' as const),
  fragmentSize: fc.constantFrom(false as const, false as const, 100, 6000),
  extension: fc.constantFrom('none' as const, 'sync' as const, 'late' as const),
  lazy: fc.boolean(),
});
type Scenario = Parameters<Parameters<typeof scenario.map>[0]>[0];

/** Adds one to every byte; `late`: in a later turn. */
const shifting = (isLate: boolean): Extension => ({
  name: 'shifting',
  rsv: 4,
  encode(payload, { first, compress }, done) {
    const encoded = compress === false ? payload : payload.map((byte) => byte + 1);
    const answer = (): void => done(null, encoded, first && compress !== false ? 4 : 0);
    if (isLate) setImmediate(answer);
    else answer();
  },
  decode(slice, _piece, output, done) {
    const answer = (): void => {
      output(slice.map((byte) => byte - 1));
      done(null);
    };
    if (isLate) setImmediate(answer);
    else answer();
  },
});

interface Message {
  readonly pieces: Buffer[];
  isPlaced: boolean;
}

/** Runs the steps on the client's end, and knows what the other end has to get. */
class Script {
  readonly client: WebSocket;
  readonly server: WebSocket;
  readonly near: WireEnd;
  /** In the order in which places were taken. */
  readonly placed: Message[] = [];
  readonly got: Buffer[] = [];
  readonly pings: string[] = [];
  /** How often each callback, stream and promise ended. */
  readonly ends: number[] = [];
  readonly reading: Promise<void>;
  /** Closed in the midst of it: what is sent from then on comes to nothing. */
  isClosing = false;
  #chain: Message | undefined;
  #behindChain: Message[] = [];
  readonly #open: { out: Outgoing; message: Message; missing: number }[] = [];
  #seed = 0;
  #pinged = 0;

  constructor({ sizes, incoming, fragmentSize, extension, lazy }: Scenario) {
    const [near, far] = wire(sizes);
    this.near = near;
    const extensions = (): Extension[] => (extension === 'none' ? [] : [shifting(extension === 'late')]);
    const options = { maxPayload: 0, maxFragments: 0, incoming, fragmentSize } satisfies Partial<FromOptions>;
    this.client = WebSocket.from(near, { role: 'client', extensions: extensions(), ...options });
    this.server = WebSocket.from(far, { role: 'server', extensions: extensions(), ...options });
    this.server.on('ping', (data) => this.pings.push(data.toString()));
    if (incoming !== 'buffer')
      this.server.on('incoming', (message) => this.once((settle) => void message.on('close', settle)));
    this.reading = this.#read(lazy);
  }

  async run(steps: readonly Step[]): Promise<void> {
    for (const each of steps) await this.#step(each);
  }

  /** Ends what is open, so that all must arrive. */
  async finish(): Promise<void> {
    while (this.#open.length > 0) await this.#step({ kind: 'end', which: 0 });
    if (this.#chain) await this.#step({ kind: 'send', size: 1 });
    this.server.resume();
    await this.#step({ kind: 'close' });
  }

  /** A promise to be counted; what comes of it does not matter. */
  once(register: (settle: () => void) => void): void {
    const index = this.ends.push(0) - 1;
    register(() => this.ends[index]!++);
  }

  async #step(each: Step): Promise<void> {
    const { client, server } = this;
    switch (each.kind) {
      case 'send':
      case 'fragment': {
        const piece = this.#bytes(each.size);
        const fin = each.kind === 'send';
        if (this.isClosing) return this.once((settle) => void client.send(piece, { fin }, settle));
        const message = this.#chain ?? { pieces: [], isPlaced: true };
        if (!this.#chain) this.placed.push(message);
        message.pieces.push(piece);
        this.#chain = fin ? undefined : message;
        if (fin) this.placed.push(...this.#behindChain.splice(0));
        this.once((settle) => void client.send(piece, { fin }, settle));
        return;
      }
      case 'open': {
        if (this.#open.length > 3 || this.isClosing) return;
        const missing = each.declared ? 40_000 : Infinity;
        const length = each.declared ? { length: 40_000 } : {};
        const out = client.createOutgoing({ binary: true, fragmentSize: each.fragmentSize, ...length });
        this.once((settle) => void out.on('close', settle));
        this.#open.push({ out, message: { pieces: [], isPlaced: false }, missing });
        return;
      }
      case 'write': {
        const open = this.#open[each.which];
        if (open) this.#write(open, Math.min(each.size, open.missing));
        return;
      }
      case 'end': {
        const [open] = this.#open.splice(each.which, 1);
        if (!open) return;
        if (open.missing < Infinity) this.#write(open, open.missing);
        this.#place(open.message);
        open.out.end();
        return;
      }
      case 'close':
        if (this.isClosing) return;
        this.isClosing = true;
        client.close(1000);
        // What has begun is ended; a message whose fragments are sent one by one is not, and what waits for its end neither. RFC 6455 §5.4
        if (this.#chain) this.placed.splice(this.placed.indexOf(this.#chain), 1);
        this.#chain = undefined;
        this.#behindChain = [];
        return;
      case 'ping':
        this.once((settle) => client.ping(`${this.#pinged++}`, true, settle));
        return;
      case 'pause':
        return server.pause();
      case 'resume':
        return server.resume();
      case 'turn':
        return nextTurn();
    }
  }

  #write(open: { out: Outgoing; message: Message; missing: number }, byteLength: number): void {
    const piece = this.#bytes(byteLength);
    open.missing -= byteLength;
    open.message.pieces.push(piece);
    this.once((settle) => void open.out.write(piece, settle));
    this.#place(open.message);
  }

  #place(message: Message): void {
    if (message.isPlaced) return;
    message.isPlaced = true;
    if (this.isClosing) return; // behind the Close frame
    (this.#chain ? this.#behindChain : this.placed).push(message);
  }

  #bytes(byteLength: number): Buffer {
    return Buffer.alloc(byteLength, ++this.#seed % 251);
  }

  async #read(lazy: boolean): Promise<void> {
    try {
      for await (const message of this.server) {
        if (lazy) await nextTurn();
        if (!(message instanceof Incoming)) {
          this.got.push(Buffer.from(message as Buffer));
          continue;
        }
        const parts: Buffer[] = [];
        for await (const part of message) {
          parts.push(part);
          if (lazy) await nextTurn();
        }
        this.got.push(Buffer.concat(parts));
      }
    } catch {
      // a cut connection: what came before was given
    }
  }
}

/** Turns until `isDone`, with the clock running where the connection waits for its close timeout. */
async function until(isDone: () => boolean, turns = 20_000): Promise<void> {
  for (let i = 0; i < turns && !isDone(); i++) await nextTurn();
  expect(isDone()).toBe(true);
}

async function closed(socket: WebSocket): Promise<void> {
  let isClosed = false;
  void socket.closed.then(() => (isClosed = true));
  await until(() => isClosed);
}

test('any interleaving keeps borders, order and content', async () => {
  await fc.assert(
    fc.asyncProperty(scenario, async (given) => {
      const script = new Script(given);
      await script.run(given.steps);
      await script.finish();
      await Promise.all([closed(script.client), closed(script.server), script.reading]);
      await until(() => script.ends.every((count) => count > 0));
      expect(script.got.map((bytes) => bytes.length)).toEqual(
        script.placed.map(({ pieces }) => pieces.reduce((sum, piece) => sum + piece.length, 0)),
      );
      script.placed.forEach(({ pieces }, i) => expect(script.got[i]!.equals(Buffer.concat(pieces))).toBe(true));
      expect(script.pings).toEqual(script.pings.map((_, i) => `${i}`));
      expect(script.ends.every((count) => count === 1)).toBe(true);
      expect((await script.server.closed).wasClean).toBe(true);
      if (!given.steps.some(({ kind }) => kind === 'close')) expect(script.client.bufferedAmount).toBe(0);
    }),
    { numRuns: 200 },
  );
}, 60_000);

test('a cut at any byte ends every stream, promise and callback once; whole messages before it are as they were sent', async () => {
  const cut = fc.record({ scenario, at: fc.oneof(fc.nat(300), fc.nat(20_000), fc.nat(200_000)), isFar: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(cut, async ({ scenario: given, at, isFar }) => {
      const script = new Script(given);
      (isFar ? script.near.peer! : script.near).budget = at;
      await script.run(given.steps);
      await script.finish();
      await nextTurn();
      jest.advanceTimersByTime(30_000);
      script.near.destroy();
      await Promise.all([closed(script.client), closed(script.server), script.reading]);
      await until(() => script.ends.every((count) => count > 0));
      for (let i = 0; i < 3; i++) await nextTurn();
      expect(script.ends.filter((count) => count !== 1)).toEqual([]);
      script.got.forEach((bytes, i) => expect(bytes.equals(Buffer.concat(script.placed[i]!.pieces))).toBe(true));
    }),
    { numRuns: 200 },
  );
}, 60_000);
