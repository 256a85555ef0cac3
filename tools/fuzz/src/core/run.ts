import { isUtf8 } from 'node:buffer';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { GuardError, Protocol, type Guards, type ProtocolHandlers } from '@ws/connection/protocol';
import { PerMessageDeflate } from '@ws/deflate';
import { zlibBackend } from '@ws/deflate/node';
import { must } from '../engine/failure.js';
import { isWire, type Step } from '../oracle/script.js';
import type { Report } from '../oracle/messages.js';
import { CountingAccount } from './account.js';
import { checkVerdict, guardsOf, patience } from './guarding.js';
import { Outbox } from './outgoing.js';
import { Reader } from './reader.js';
import { XorExtension } from './xor-extension.js';
import type { CoreSettings, Variant } from './settings.js';
import { RecordingTransport } from './transport.js';

/** What a handler throws: its owner's, and no fault. */
class Thrown extends Error {}

const CLOSE_CODES = [
  undefined,
  1000,
  1001,
  1002,
  1003,
  1007,
  1008,
  1009,
  1010,
  1011,
  1012,
  1013,
  1014,
  3000,
  4000,
  4999,
];
const INITIATORS: readonly string[] = ['local', 'remote', 'transport', 'timeout', 'protocol', 'limit', 'shutdown'];
const OPENED_AT = 1000;
const MOST_LOOKS = 20_000;
const MOST_TURNS = 100_000;

/** One connection, through one script. */
export class CoreRun {
  /** Everything that happened, in order. */
  readonly log: unknown[] = [];
  /** What came from the peer. */
  readonly reports: Report[] = [];
  readonly transport = new RecordingTransport((entry) => this.log.push(entry));
  readonly outbox: Outbox;
  readonly protocol: Protocol;
  /** The script has ended it in a way that the peer did not cause. */
  wasStopped = false;
  readonly #account: CountingAccount;
  readonly #settings: CoreSettings;
  readonly #variant: Variant;
  readonly #xor: XorExtension;
  readonly #reader: Reader;
  #now = OPENED_AT;
  #heardAt = OPENED_AT;
  /** Guards that were on at some time, the last ones last. */
  readonly #guards: Guards[];
  #isPaused = false;
  /** Of memory: nothing is read. */
  #isShort = false;
  #peerEnded = false;
  #isGone = false;
  #failures = 0;
  #closings = 0;
  /** Who began to close, where it was not for an offence. */
  #toldBy: 'local' | 'remote' | undefined;
  #handled = 0;
  #allocated = 0;
  #received = 0;

  constructor(settings: CoreSettings, variant: Variant) {
    this.#settings = settings;
    this.#variant = variant;
    this.#guards = [settings.guards];
    this.#xor = new XorExtension(settings.xor);
    if (settings.xor === 'faulty') this.wasStopped = true;
    // What is collected grows twofold; beside it, with compression, a window and what zlib works with.
    this.#account = new CountingAccount(
      2 * settings.maxPayload + (settings.deflate || settings.xor !== 'none' ? 400_000 : 2048),
    );
    const { role, deflate, fragmentSize, maxPayload, maxFragments } = settings;
    this.#reader = new Reader((isText, content) => this.#message(content, isText), settings.validateUtf8);
    const takeover = deflate?.takeover === true;
    const parameters = { serverNoContextTakeover: !takeover, clientNoContextTakeover: !takeover };
    this.protocol = new Protocol(
      {
        role,
        now: () => this.#now,
        closeTimeoutMs: settings.closeTimeoutMs,
        account: this.#account,
        guards: settings.guards,
        random: () => 0.5,
        limits: { maxPayload, maxFragments, maxBufferedChunks: 100_000 },
        autoPong: settings.autoPong,
        strictLength: settings.strictLength,
        validateUtf8: settings.validateUtf8,
        preserveInput: settings.preserveInput,
        fragmentSize,
        isUtf8: variant.hostUtf8 ? isUtf8 : undefined,
        extensions: [
          ...(deflate ? [new PerMessageDeflate({ role, backend: zlibBackend(), parameters })] : []),
          ...(settings.xor === 'none' ? [] : [this.#xor]),
        ],
        allocate: (length) => this.#allocate(length),
      },
      this.transport,
      this.#handlers(),
    );
    this.#reader.attach(this.protocol);
    this.protocol.keepFragments = settings.keepFragments;
    this.protocol.streams = variant.streams ?? settings.streams;
    this.outbox = new Outbox(this.protocol);
  }

  async play(steps: readonly Step[], wires: ReadonlyMap<Step, Buffer>): Promise<void> {
    let chunk: Buffer[] = [];
    const flush = async (): Promise<void> => {
      const bytes = Buffer.concat(chunk);
      chunk = [];
      if (bytes.length === 0 || this.#peerEnded || this.#isGone) return;
      const pieces = this.#variant.cut === Infinity ? [bytes] : this.#variant.random.cut(bytes, this.#variant.cut);
      for (const piece of pieces) this.#receive(piece);
      await this.#settle();
    };
    for (const step of steps) {
      if (isWire(step)) {
        chunk.push(wires.get(step)!);
        continue;
      }
      await flush();
      this.#attempt(() => this.#act(step));
      await this.#settle();
    }
    await flush();
    await this.#finish();
  }

  /** Everything that was held may go on, then the byte stream ends. */
  async #finish(): Promise<void> {
    const { protocol, transport } = this;
    transport.isCongested = false;
    transport.isFull = false;
    this.#attempt(() => protocol.drained());
    if (this.#isShort) this.#attempt(() => protocol.resume('memory'));
    await this.#goOn();
    if (!this.#isGone) await this.#outlast();
    if (!['open', 'closed'].includes(protocol.state)) {
      const isTimed = this.#settings.closeTimeoutMs !== Infinity;
      must(protocol.hasToClose === isTimed || transport.isDestroyed, `no deadline while ${protocol.state}`);
    }
    if (!this.#isGone) this.#transportEnd();
    await this.#settle();
    must(protocol.state === 'closed' && protocol.nextDeadline() === undefined, `${protocol.state} at the end`);
    must(protocol.queuedBytes === 0, `${protocol.queuedBytes} bytes are queued at the end`);
    must(this.#reader.openMessages === 0, `${this.#reader.openMessages} messages have no end`);
    must(this.#account.bytes === 0, `${this.#account.bytes} bytes are held at the end`);
    must(this.outbox.owed === 0, `${this.outbox.owed} callbacks did not come`);
    const { received, error, initiator } = protocol.closing;
    must(INITIATORS.includes(initiator), `${initiator} has ended it`);
    must(this.#toldBy !== 'remote' || initiator === 'remote', `closed by the peer, and told as ${initiator}`);
    const isOffence =
      error !== null && this.#toldBy === undefined && !this.wasStopped && !(error instanceof GuardError);
    must(!isOffence || ['protocol', 'limit'].includes(initiator), `an offence is told as ${initiator}`);
    if (received) this.reports.push(['close', received.code, received.reason]);
    if (error instanceof GuardError) {
      this.wasStopped = true;
      checkVerdict(error, this.#guards, { now: this.#now, openedAt: OPENED_AT, heardAt: this.#heardAt });
    } else if (error && !received) this.reports.push(['failed', [error.code]]);
    const { bytesReceived } = protocol;
    must(bytesReceived === this.#received, 'bytes are counted wrongly');
    must(protocol.recentFrames().length <= 8, 'too many frames are remembered');
    if (this.#settings.deflate === undefined) {
      const most = 8 * this.#received + 1024 * (this.reports.length + 1);
      must(this.#allocated <= most, `${this.#allocated} bytes allocated for ${this.#received} received`);
    }
  }

  #act({ name, numbers, bytes }: Step): void {
    const { protocol, transport, outbox } = this;
    const [number = 0] = numbers;
    switch (name) {
      case 'time':
        this.#pass(number * number);
        break;
      case 'timeout':
        this.#pass(3000);
        break;
      case 'stall': {
        const deadline = protocol.nextDeadline() ?? Infinity;
        this.#now += number * number;
        if (deadline <= this.#now) this.#timeout(this.#now - deadline);
        break;
      }
      case 'guards':
        this.#guards.push(guardsOf(number));
        protocol.guards = guardsOf(number);
        break;
      case 'pause':
        this.#isPaused = true;
        protocol.pause();
        break;
      case 'resume':
        this.#resume();
        break;
      case 'send':
        if (this.#isOpen) outbox.send(number, bytes);
        break;
      case 'keyed':
      case 'prepared':
      case 'deferred':
        if (this.#isOpen) outbox[name](number, bytes);
        break;
      case 'dropOldest':
        outbox.dropOldest();
        break;
      case 'ping':
      case 'pong':
        if (this.#isOpen) protocol[name](bytes.subarray(0, 125), outbox.callback());
        break;
      case 'close':
        if (this.#isOpen) this.#close(CLOSE_CODES[number & 15], bytes);
        break;
      case 'full':
        transport.isFull = !transport.isFull;
        if (!transport.isFull) protocol.drained();
        break;
      case 'congested':
        transport.isCongested = !transport.isCongested;
        if (!transport.isCongested) protocol.drained();
        break;
      case 'peerEnd':
        if (this.#isGone || this.#peerEnded) break;
        this.#peerEnded = true;
        if (protocol.peerEnd() && (!protocol.isHeld || protocol.isStopped)) {
          protocol.inputEnd();
          transport.end();
        }
        this.wasStopped = true;
        break;
      case 'transportEnd':
        this.wasStopped = true;
        this.#transportEnd();
        break;
      case 'short':
        this.#isShort = !this.#isShort;
        if (this.#isShort) protocol.pause('memory');
        else protocol.resume('memory');
        break;
      case 'relieve':
        protocol.relieve();
        break;
      case 'stop':
        protocol.stop('local');
        transport.destroy();
        this.wasStopped = true;
        break;
      case 'fail':
        this.wasStopped = true;
        protocol.fail(Object.assign(new Error('of the script'), { code: 'WS_ERR_TEST', closeCode: 1011 }));
        break;
      case 'cutOff':
        this.wasStopped = true;
        protocol.cut(Object.assign(new Error('of the script'), { code: 'WS_ERR_TEST', closeCode: 1013 }));
        break;
      case 'open':
        if (this.#isOpen) outbox.open(number, bytes);
        break;
      case 'write':
        outbox.write(number, bytes);
        break;
      case 'giveUp':
        outbox.giveUp();
        this.wasStopped = true;
        break;
      case 'streams':
        protocol.streams = this.#variant.streams ?? !this.#settings.streams;
        break;
      case 'reader':
        this.#reader.mode = number;
        break;
      default:
    }
  }

  /** As `WebSocket` sees it: else it takes nothing to send. */
  get #isOpen(): boolean {
    return this.protocol.state === 'open' && !this.transport.isOver && !this.#isGone;
  }

  #close(code: number | undefined, reason: Uint8Array): void {
    const text = Buffer.from(reason.subarray(0, 60)).toString('latin1');
    this.protocol.close(code, code === undefined ? undefined : text);
  }

  /** So much time: whoever wants to look at the clock meanwhile does. */
  #pass(ms: number): void {
    const until = this.#now + ms;
    for (let looks = 0; ; looks++) {
      const deadline = this.protocol.nextDeadline() ?? Infinity;
      if (deadline > until) break;
      must(looks < MOST_LOOKS, 'it looks at the clock all the time');
      this.#now = Math.max(this.#now, deadline);
      this.#attempt(() => this.#timeout(0));
      if (!this.transport.isFull && !this.#isGone) this.transport.settle();
    }
    this.#now = until;
  }

  #timeout(stalledMs: number): void {
    const hadToClose = this.protocol.hasToClose;
    this.protocol.handleTimeout(this.#now, stalledMs);
    if (hadToClose && this.transport.isDestroyed) this.wasStopped = true;
    const next = this.protocol.nextDeadline();
    must(next === undefined || next > this.#now, `deadline ${next} is not over at ${this.#now}`);
  }

  /** However often a handler stops reading. */
  async #goOn(): Promise<void> {
    do {
      this.#resume();
      await this.#settle();
    } while (this.#isPaused && !this.#isGone);
  }

  /** What waits for a rate comes in the end; and one who says nothing is not kept for ever. */
  async #outlast(): Promise<void> {
    const { protocol, transport } = this;
    for (let looks = 0; protocol.isHeld && !protocol.isStopped && !transport.isDestroyed; looks++) {
      must(looks < MOST_LOOKS, 'what waits does not come');
      const deadline = protocol.nextDeadline();
      must(deadline !== undefined, 'reading is held, and nobody will go on');
      this.#pass(Math.max(0, deadline - this.#now));
      await this.#goOn();
    }
    const ms = patience(this.#guards.at(-1)!);
    const isWriting = this.outbox.messages.some(({ isWhole }) => !isWhole); // a frame of ours may be in a ping's way
    if (protocol.state !== 'open' || transport.isOver || ms === Infinity || isWriting) return;
    this.#pass(ms);
    await this.#settle();
    must(protocol.state !== 'open', `silent for ${ms} ms, and still open`);
  }

  #resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#attempt(() => this.protocol.resume());
  }

  #transportEnd(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.transport.isBroken = true;
    this.transport.settle(new Error('the stream is gone'));
    this.#attempt(() => this.protocol.transportEnd());
  }

  #receive(piece: Uint8Array): void {
    this.#received += piece.length;
    this.#heardAt = this.#now;
    const copy = Uint8Array.from(piece);
    this.#attempt(() => this.protocol.receive(copy));
    if (this.#settings.preserveInput) must(Buffer.from(copy).equals(piece), 'the input was changed');
  }

  /** A handler that throws stops nothing but itself: what follows comes at the next turn. */
  #attempt(step: () => void): void {
    for (let tries = 0, next = step; ; tries++) {
      try {
        return next();
      } catch (error) {
        if (!(error instanceof Thrown)) throw error;
        must(tries < MOST_TURNS, 'handlers throw for ever');
        next = () => this.protocol.proceed();
      }
    }
  }

  /** Until nothing happens any more without somebody's doing. */
  async #settle(): Promise<void> {
    const { protocol, transport } = this;
    for (let turns = 0; ; turns++) {
      must(turns < MOST_TURNS, 'it never comes to rest');
      let isMoving = this.#reader.isFull;
      if (isMoving) this.#attempt(() => void this.#reader.goOn());
      if (protocol.isBusy || this.#xor.pending > 0) {
        isMoving = true;
        await nextTurn();
      }
      this.#attempt(() => {
        if (this.outbox.read()) isMoving = true;
      });
      if (!transport.isFull && !this.#isGone) transport.settle();
      if (transport.isDestroyed && !this.#isGone && !protocol.isBusy) {
        this.wasStopped = true;
        this.#transportEnd();
        isMoving = true;
      }
      if (!isMoving) return;
    }
  }

  #handlers(): ProtocolHandlers {
    const event = (report: Report): void => {
      must(!this.#isPaused || this.#isGone, 'an event while it is paused');
      must(
        !['closed', 'failed', 'closeReceived', 'closeDone'].includes(this.protocol.state),
        `an event while ${this.protocol.state}`,
      );
      this.reports.push(report);
      this.log.push(report);
      this.#handled++;
      if (this.#settings.pausing && this.#handled % 4 === 0) {
        this.#isPaused = true;
        this.protocol.pause();
      }
      this.#throwNowAndThen();
    };
    return {
      message: (data, isText) => {
        must(!isText || !Array.isArray(data), 'text in fragments');
        this.#checkLength(data);
        event(['message', isText, hexOf(data)]);
      },
      incoming: (head) => this.#reader.take(head),
      ping: (payload) => event(['ping', hexOf(payload)]),
      pong: (payload) => event(['pong', hexOf(payload)]),
      closing: (code, reason, initiator) => {
        must(++this.#closings === 1, 'closing is told twice');
        if (this.protocol.state !== 'failed') this.#toldBy = initiator;
        this.log.push(['closing', code, reason, initiator]);
        this.#throwNowAndThen();
      },
      failure: ({ code, closeCode }) => {
        must(++this.#failures === 1, 'a second failure');
        must(typeof code === 'string' && Number.isInteger(closeCode), 'a failure without a code');
        this.log.push(['failure', code, closeCode]);
        this.#throwNowAndThen();
      },
      ready: () => undefined,
      deadline: () => undefined,
    };
  }

  /** A streamed message came to its end. */
  #message(content: Buffer, isText: boolean): void {
    this.#checkLength(content);
    const report: Report = ['message', isText, content.toString('hex')];
    this.reports.push(report);
    this.log.push(report);
  }

  #checkLength(data: Uint8Array | Uint8Array[]): void {
    const length = Array.isArray(data) ? data.reduce((sum, part) => sum + part.length, 0) : data.length;
    must(length <= this.#settings.maxPayload, `a message of ${length} bytes, limit ${this.#settings.maxPayload}`);
  }

  #throwNowAndThen(): void {
    if (this.#settings.throwing && this.log.length % 3 === 0) throw new Thrown();
  }

  #allocate(length: number): Uint8Array {
    const { maxPayload } = this.#settings;
    must(length <= 2 * maxPayload + 256, `${length} bytes in one piece, limit ${maxPayload}`);
    this.#allocated += length;
    return new Uint8Array(length);
  }
}

function hexOf(data: Uint8Array | Uint8Array[]): string {
  return (Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)).toString('hex');
}
