import { expect, jest, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import fc from 'fast-check';
import { Connection } from '../src/connection.js';
import { WebSocket, type FromOptions, type Outgoing } from '../src/index.js';
import { sweep } from '../src/sleep.js';
import { clientFrame, nextTurn, record, Recorder } from './streams.js';

// The oracle of a connection that sleeps is one that never does: whatever comes and goes, and whenever it is asked to sleep, nobody can tell them apart.

type Step =
  | {
      readonly kind: 'frame';
      readonly opcode: Opcode;
      readonly fin: boolean;
      readonly size: number;
      readonly cut: number;
    }
  | { readonly kind: 'send' | 'ping' | 'write'; readonly size: number }
  | { readonly kind: 'rest' | 'open' | 'end' | 'pause' | 'resume' | 'stall' | 'flow' | 'close' | 'cut' };

const size = fc.oneof({ weight: 4, arbitrary: fc.nat(20) }, fc.constantFrom(125, 126, 3000, 20_000));
const { Text, Binary, Ping, Pong, Continuation } = Opcode;
const opcodes = fc.constantFrom(Text, Binary, Text, Binary, Text, Binary, Ping, Pong, Continuation);
const kinds = fc.constantFrom(
  'rest',
  'rest',
  'open',
  'end',
  'end',
  'pause',
  'resume',
  'resume',
  'stall',
  'flow',
  'flow',
);
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 16,
    arbitrary: fc.record({
      kind: fc.constant('frame' as const),
      opcode: opcodes,
      fin: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.constant(false)),
      size,
      cut: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.nat(20)),
    }),
  },
  {
    weight: 16,
    arbitrary: fc.record({ kind: fc.constantFrom('send' as const, 'ping' as const, 'write' as const), size }),
  },
  { weight: 24, arbitrary: fc.record({ kind: kinds as fc.Arbitrary<'rest'> }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('close' as const, 'cut' as const) }) },
);
const program = fc.record({
  steps: fc.array(anyStep, { maxLength: 30 }),
  incoming: fc.constantFrom('buffer' as const, 'buffer' as const, 'stream' as const),
  maxPayload: fc.constantFrom(1000, 100_000),
});
type Program = Parameters<Parameters<typeof program.map>[0]>[0];

const NAMES = ['message', 'ping', 'pong', 'closing', 'close', 'error', 'drain'];

/** One connection that a program is run on; all that can be seen of it. */
class Run {
  readonly stream = new Recorder();
  readonly seen: unknown[] = [];
  readonly socket: WebSocket;
  readonly #events: unknown[][];
  /** Of a frame that is pushed in two pieces: the second one. */
  #rest: Buffer | undefined;
  #outgoing: Outgoing | undefined;

  constructor(options: Partial<FromOptions>) {
    this.socket = WebSocket.from(this.stream, { role: 'server', memoryLimit: false, ...options });
    this.#events = record(this.socket, NAMES);
    this.socket.on('incoming', (incoming) => {
      incoming.on('data', (piece: Buffer) => this.#events.push(['piece', piece.toString('latin1')]));
      incoming.on('error', () => undefined);
    });
  }

  do(step: Step, at: number): void {
    const { socket, stream } = this;
    const told = (error?: Error | null): void =>
      void this.#events.push(['told', at, (error as { code?: string } | null | undefined)?.code]);
    switch (step.kind) {
      case 'frame': {
        if (stream.destroyed) return;
        const isControl = step.opcode >= Opcode.Close;
        const payload = 'x'.repeat(isControl ? step.size % 126 : step.size);
        const bytes = clientFrame(step.opcode, payload, { fin: isControl || step.fin });
        const all = this.#rest ? Buffer.concat([this.#rest, bytes]) : bytes;
        const end = step.cut === 0 ? all.length : Math.min(step.cut, all.length);
        this.#rest = end === all.length ? undefined : all.subarray(end);
        stream.push(Buffer.from(all.subarray(0, end)));
        return;
      }
      case 'rest':
        if (this.#rest && !stream.destroyed) stream.push(Buffer.from(this.#rest));
        this.#rest = undefined;
        return;
      case 'send':
        socket.send('s'.repeat(step.size), told);
        return;
      case 'ping':
        if (socket.readyState === WebSocket.OPEN) socket.ping('p'.repeat(step.size % 126), undefined, told);
        return;
      case 'open':
        this.#outgoing ??= socket.createOutgoing({ binary: true }).on('error', (error: Error) => told(error));
        return;
      case 'write':
        if (this.#outgoing?.writable) this.#outgoing.write(Buffer.alloc(step.size), told);
        return;
      case 'end':
        this.#outgoing?.end();
        this.#outgoing = undefined;
        return;
      case 'pause':
        socket.pause();
        return;
      case 'resume':
        socket.resume();
        return;
      case 'stall':
        stream.stalled ??= [];
        return;
      case 'flow':
        return this.flow();
      case 'close':
        socket.close(1000, 'enough');
        return;
      case 'cut':
        stream.destroy();
    }
  }

  flow(): void {
    const { stalled } = this.stream;
    this.stream.stalled = undefined;
    for (const written of stalled ?? []) written();
  }

  look(): void {
    const { readyState, bufferedAmount, isPaused, stats } = this.socket;
    this.seen.push([readyState, bufferedAmount, isPaused, stats, this.stream.bytes.length, this.#events.length]);
  }

  async end(): Promise<unknown> {
    this.flow();
    this.socket.resume();
    this.look();
    this.socket.terminate();
    const { code, reason, wasClean, initiator, error, bytesUnsent, frames } = await this.socket.closed;
    const report = [code, reason, wasClean, initiator, (error as { code?: string } | null)?.code, bytesUnsent];
    const logged = frames.map(({ direction, opcode, length }) => [direction, opcode, length]);
    const events = this.#events.map((event) => event.map(comparable));
    return { seen: this.seen, bytes: this.stream.bytes.toString('latin1'), events, report, logged };
  }
}

/** But for times, which are those of two runs. */
function comparable(part: unknown): unknown {
  if (part instanceof Error) return part.message;
  return part !== null && typeof part === 'object' && 'lastActivity' in part ? 'a report' : part;
}

async function run({ steps, ...options }: Program, isSwept: boolean): Promise<unknown> {
  const it = new Run(options);
  for (const [at, step] of steps.entries()) {
    it.do(step, at);
    await nextTurn();
    await nextTurn();
    it.look();
    if (!isSwept) continue;
    sweep();
    sweep();
  }
  return it.end();
}

const RUNS = 300;

test('a connection that is asked to sleep at every step does what one does that never sleeps', async () => {
  const sleep = jest.spyOn(Connection.prototype, 'sleep');
  await fc.assert(
    fc.asyncProperty(program, async (given) => {
      expect(await run(given, true)).toEqual(await run(given, false));
    }),
    { numRuns: RUNS },
  );
  expect(sleep.mock.calls.length).toBeGreaterThan(RUNS / 3); // a property of nobody who sleeps would say nothing
});
