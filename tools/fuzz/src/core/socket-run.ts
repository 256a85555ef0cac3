import { setImmediate as nextTurn } from 'node:timers/promises';
import { Incoming, MemoryBudget, WebSocket, type CloseInfo, type Outgoing } from '@ws/connection';
import { PerMessageDeflate } from '@ws/deflate';
import { zlibBackend } from '@ws/deflate/node';
import { must } from '../engine/failure.js';
import type { Report } from '../oracle/messages.js';
import { isWire, type Step } from '../oracle/script.js';
import type { Random } from '../random.js';
import { ByteStream } from './byte-stream.js';
import { coreSettings, type CoreSettings } from './settings.js';

/** Who takes the messages. */
export const TAKERS = ['events', 'iterator', 'readable', 'streams'] as const;

export interface SocketSettings extends CoreSettings {
  readonly taker: (typeof TAKERS)[number];
  readonly incoming: 'buffer' | 'stream' | 'auto';
  readonly allowSynchronousEvents: boolean;
  readonly highWaterMark: number;
  readonly binaryType: 'nodebuffer' | 'arraybuffer' | 'fragments';
}

/** The core's settings, and those of the third octet. */
export function socketSettings(octets: readonly number[]): SocketSettings {
  const third = octets[2] ?? 0;
  const taker = TAKERS[third & 3]!;
  return {
    ...coreSettings(octets),
    xor: 'none',
    taker,
    incoming: taker === 'streams' ? (['stream', 'auto'] as const)[(third >> 2) & 1]! : 'buffer',
    allowSynchronousEvents: (third & 8) === 0,
    highWaterMark: (third & 16) === 0 ? 65_536 : 64,
    binaryType: (['nodebuffer', 'arraybuffer', 'fragments', 'nodebuffer'] as const)[(third >> 5) & 3]!,
  };
}

const MOST_TURNS = 50_000;
const QUIET_TURNS = 3;
const CODES = [undefined, 1000, 1001, 3000];

/** One WebSocket over a stream of ours, through one script. */
export class SocketRun {
  readonly controls: Report[] = [];
  readonly stream = new ByteStream();
  /** The script has ended it in a way that the peer did not cause. */
  wasStopped = false;
  readonly #settings: SocketSettings;
  readonly #socket: WebSocket;
  readonly #budget = new MemoryBudget(100_000_000);
  /** `undefined`: a stream that has not come to its end. */
  readonly #messages: (Report | undefined)[] = [];
  #events = 0;
  #errors: Error[] = [];
  #closes: CloseInfo[] = [];
  #callbacks = 0;
  #outgoing: Outgoing | undefined;
  #taking: Promise<void> = Promise.resolve();
  #isEnded = false;

  constructor(settings: SocketSettings) {
    this.#settings = settings;
    const { role, deflate, taker, maxPayload, maxFragments, fragmentSize } = settings;
    const takeover = deflate?.takeover === true;
    const parameters = { serverNoContextTakeover: !takeover, clientNoContextTakeover: !takeover };
    const socket = WebSocket.from(this.stream, {
      role,
      maxPayload: maxPayload === Infinity ? 0 : maxPayload,
      maxFragments,
      autoPong: settings.autoPong,
      strictLength: settings.strictLength,
      skipUTF8Validation: !settings.validateUtf8,
      fragmentSize: fragmentSize === Infinity ? 0 : fragmentSize,
      allowSynchronousEvents: settings.allowSynchronousEvents,
      highWaterMark: settings.highWaterMark,
      incoming: settings.incoming,
      streamThreshold: 20,
      closeTimeout: 5000,
      memoryLimit: this.#budget,
      extensions: deflate ? [new PerMessageDeflate({ role, backend: zlibBackend(), parameters })] : [],
    });
    this.#socket = socket;
    socket.binaryType = settings.binaryType;
    const control = (report: Report): void => {
      must(this.#closes.length === 0, 'an event behind close');
      this.#events++;
      this.controls.push(report);
    };
    socket.on('ping', (data) => control(['ping', data.toString('hex')]));
    socket.on('pong', (data) => control(['pong', data.toString('hex')]));
    socket.on('error', (error) => {
      must(this.#errors.push(error) === 1, 'a second error');
      must(this.#closes.length === 0, 'an error behind close');
    });
    socket.on('close', (code, _reason, info) => {
      must(this.#closes.push(info) === 1 && info.code === code, 'close is told twice, or as two things');
    });
    if (taker === 'iterator') this.#taking = this.#iterate(socket);
    else if (taker === 'readable') this.#taking = this.#iterate(socket.messages());
    else {
      socket.on('message', (data, isBinary) => this.#take(data, !isBinary));
      if (taker === 'streams') socket.on('incoming', (message) => this.#stream(message));
    }
  }

  /** Whole ones, in the order of their beginnings. */
  get messages(): Report[] {
    return this.#messages.filter((report) => report !== undefined);
  }

  async play(steps: readonly Step[], wires: ReadonlyMap<Step, Buffer>, cut: number, random: Random): Promise<void> {
    let chunk: Buffer[] = [];
    const flush = async (): Promise<void> => {
      const bytes = Buffer.concat(chunk);
      chunk = [];
      if (bytes.length === 0 || this.#isEnded || this.stream.destroyed) return;
      for (const piece of cut === Infinity ? [bytes] : random.cut(bytes, cut)) this.stream.push(Buffer.from(piece));
      await this.#quiet();
    };
    for (const step of steps) {
      if (isWire(step)) {
        chunk.push(wires.get(step)!);
        continue;
      }
      await flush();
      this.#act(step);
      await this.#quiet();
    }
    await flush();
    await this.#finish();
  }

  async #finish(): Promise<void> {
    this.stream.isFull = false;
    this.#socket.resume();
    await this.#quiet();
    const info = this.#socket.readyState === 3 ? await this.#socket.closed : undefined;
    this.#end();
    await this.#quiet();
    this.stream.destroy();
    for (let turns = 0; this.#closes.length === 0; turns++) {
      must(turns < MOST_TURNS, 'it is not closed');
      await nextTurn();
    }
    await this.#taking;
    await nextTurn();
    const [told] = this.#closes;
    const closed = await this.#socket.closed;
    must(closed === told && (info === undefined || info === told), 'two reports of one end');
    must(this.#socket.readyState === 3 && this.#socket.listenerCount('close') > 0, 'not closed at the end');
    must(this.#budget.used === 0, `${this.#budget.used} bytes are charged at the end`);
    must(this.#callbacks === 0, `${this.#callbacks} callbacks did not come`);
    must(
      this.stream.listenerCount('data') === 0 && this.stream.listenerCount('end') === 0,
      'listeners are left on the stream',
    );
    must(this.#outgoing === undefined || this.#outgoing.destroyed, 'a message is still being written');
    if (this.#outgoing?.errored) this.wasStopped = true; // a part of a frame cannot be taken back
    const { received, error, wasClean } = closed;
    must(!wasClean || (received !== null && closed.sent !== null), 'clean without both Close frames');
    const code = (error as { code?: string } | null)?.code;
    must(error === null || typeof code === 'string', `an error without a code: ${String(error)}`);
    if (received) this.controls.push(['close', received.code, received.reason]);
    else if (error) this.controls.push(['failed', [code ?? '']]);
  }

  #act({ name, numbers, bytes }: Step): void {
    const socket = this.#socket;
    const [number = 0] = numbers;
    switch (name) {
      case 'pause':
        socket.pause();
        break;
      case 'resume':
        socket.resume();
        break;
      case 'send':
        socket.send(Buffer.from(bytes), { binary: (number & 1) === 0, compress: (number & 2) !== 0 }, this.#callback());
        break;
      case 'open':
        if (socket.readyState !== 1 || this.#outgoing?.closed === false) break;
        this.#outgoing = socket.createOutgoing({
          binary: (number & 1) === 0,
          ...((number & 8) === 0 ? {} : { length: 2 * bytes.length }),
        });
        this.#outgoing.write(Buffer.from(bytes));
        break;
      case 'write':
        if (this.#outgoing?.writable !== true) break;
        if ((number & 1) === 0) this.#outgoing.write(Buffer.from(bytes));
        else this.#outgoing.end(Buffer.from(bytes));
        break;
      case 'giveUp':
        this.wasStopped = true;
        this.#outgoing?.destroy();
        break;
      case 'ping':
      case 'pong':
        socket[name](Buffer.from(bytes.subarray(0, 125)), undefined, this.#callback());
        break;
      case 'close':
        socket.close(CODES[number & 3], Buffer.from(bytes.subarray(0, 60)).toString('latin1'));
        break;
      case 'full':
        this.stream.isFull = !this.stream.isFull;
        break;
      case 'peerEnd':
        this.wasStopped = true;
        this.#end();
        break;
      case 'transportEnd':
        this.wasStopped = true;
        this.stream.destroy();
        break;
      case 'fail':
        this.wasStopped = true;
        this.stream.destroy(Object.assign(new Error('of the script'), { code: 'ECONNRESET' }));
        break;
      case 'stop':
        this.wasStopped = true;
        socket.terminate();
        break;
      case 'reader':
        if (this.#settings.taker === 'streams') socket.incoming = (['buffer', 'stream', 'auto'] as const)[number % 3]!;
        break;
      default:
    }
  }

  #end(): void {
    if (this.#isEnded || this.stream.destroyed) return;
    this.#isEnded = true;
    this.stream.push(null);
  }

  /** Until nothing happens any more. */
  async #quiet(): Promise<void> {
    let before = -1;
    for (let quiet = 0, turns = 0; quiet < QUIET_TURNS; turns++) {
      must(turns < MOST_TURNS, 'it never comes to rest');
      await nextTurn();
      const now = this.#events + this.stream.readableLength + this.#closes.length;
      quiet = now === before ? quiet + 1 : 0;
      before = now;
    }
  }

  async #iterate(source: AsyncIterable<unknown>): Promise<void> {
    try {
      for await (const message of source) this.#take(message, typeof message === 'string');
    } catch (error) {
      must(
        typeof (error as { code?: unknown }).code === 'string' || (error as Error).name === 'ClosedError',
        `an iteration failed with ${String(error)}`,
      );
    }
  }

  #stream(message: Incoming): void {
    const parts: Buffer[] = [];
    const at = this.#messages.push(undefined) - 1; // its place is that of its beginning
    let isOver = false;
    message.on('data', (part: Buffer | string) => {
      must(!isOver, 'data behind the end');
      this.#events++;
      parts.push(Buffer.from(part as string));
    });
    message.on('end', () => {
      isOver = true;
      this.#events++;
      this.#messages[at] = ['message', !message.isBinary, Buffer.concat(parts).toString('hex')];
    });
    message.on('error', (error: Error) => {
      must(!isOver && typeof (error as { code?: unknown }).code === 'string', `a message failed with ${String(error)}`);
    });
  }

  #take(data: unknown, isText: boolean): void {
    this.#events++;
    must(this.#closes.length === 0 || this.#settings.taker !== 'events', 'a message behind close');
    if (data instanceof Incoming) return this.#stream(data);
    const bytes = Array.isArray(data) ? Buffer.concat(data as Buffer[]) : Buffer.from(data as Buffer);
    must(bytes.length <= this.#settings.maxPayload || isText, 'a message over its limit');
    this.#messages.push(['message', isText, bytes.toString('hex')]);
    const isArrayBuffer = data instanceof ArrayBuffer;
    if (!isText && this.#settings.taker === 'events')
      must(isArrayBuffer === (this.#settings.binaryType === 'arraybuffer'), 'another binaryType');
  }

  #callback(): () => void {
    let isCalled = false;
    this.#callbacks++;
    return () => {
      must(!isCalled, 'a callback is called twice');
      isCalled = true;
      this.#callbacks--;
    };
  }
}
