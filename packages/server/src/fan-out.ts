import type { WebSocket } from '@ws/connection';
import type { BroadcastReport } from './broadcast.js';
import { MessageShare, type Part, type SharedMessage } from './message-share.js';
import type { SlowRule } from './slow-rule.js';

const EMPTY = new Uint8Array(0);
/** After so many bytes, those who are behind have a turn of the event loop to catch up. */
const TURN_BYTES = 65_536;

/** Takes the parts of one message. */
export interface Delivery {
  /** `done` is called when the next part may come. */
  take(bytes: Uint8Array, fin: boolean, done: () => void): void;
  /** The last part will not come. */
  abort(): void;
  /** It has nobody to give anything. */
  readonly isOver: boolean;
  /** Somebody has got all there is, and messages wait behind it. */
  readonly isHoldingUp: boolean;
  /** Of a message that went out whole. */
  readonly report?: BroadcastReport | undefined;
}

/**
 * One message to many, part by part. Each part is kept once, in a list on which every recipient has its own place; what all of them have been
 * given is gone. Parts are asked for at the pace of the fastest; who is further behind than the rule allows loses the message, or the connection.
 */
export class FanOut implements Delivery {
  readonly #shares = new Map<WebSocket, MessageShare>();
  readonly #message: SharedMessage;
  readonly #rule: SlowRule | undefined;
  readonly #whenOver: () => void;
  #last: Part | undefined;
  #done: (() => void) | undefined;
  #isFanningOut = false;
  #isAnyoneBehind = false;
  #bytesInTurn = 0;
  #isComplete = false;
  #isAborted = false;
  /** Somebody has got all of it. */
  #isTaken = false;

  /** Takes the message's place among those of each recipient. */
  constructor(
    recipients: Iterable<WebSocket>,
    options: { readonly isText: boolean; readonly compress: boolean | undefined },
    rule: SlowRule | undefined,
    whenOver: () => void,
  ) {
    this.#rule = rule;
    this.#whenOver = whenOver;
    const progress = (): void => this.#proceed();
    const left = (share: MessageShare, isComplete: boolean): void => this.#left(share, isComplete);
    this.#message = { ...options, byteLength: 0, parts: 0, progress, left };
    for (const socket of recipients) {
      const share = new MessageShare(this.#message, socket);
      if (share.join()) this.#shares.set(socket, share);
    }
  }

  get isOver(): boolean {
    return this.#shares.size === 0;
  }

  get isHoldingUp(): boolean {
    for (const share of this.#shares.values()) if (share.isHoldingUp) return true;
    return false;
  }

  take(bytes: Uint8Array, fin: boolean, done: () => void): void {
    this.#done = done;
    if (bytes.length > 0 || fin) this.#append(bytes, fin);
    this.#proceed();
  }

  /** Ends it for those who have got a part of it: the protocol has no other word. The others never hear of it. RFC 6455 §5.4 */
  abort(): void {
    this.#done = undefined;
    this.#isAborted = true;
    if (this.#isComplete || this.#isFanningOut) return;
    for (const share of this.#shares.values()) if (!share.isBegun) share.giveUp();
    this.#append(EMPTY, true);
  }

  /** This one is leaving. */
  drop(socket: WebSocket): void {
    this.#shares.get(socket)?.end();
  }

  #append(bytes: Uint8Array, fin: boolean): void {
    const message = this.#message;
    const part: Part = { bytes, fin, next: undefined };
    if (this.#last) this.#last.next = part;
    this.#last = fin ? undefined : part;
    message.byteLength += bytes.length;
    message.parts++;
    this.#isComplete = fin;
    this.#bytesInTurn += bytes.length;
    this.#isFanningOut = true;
    this.#isAnyoneBehind = false;
    for (const share of this.#shares.values()) {
      share.offer(part);
      if (this.#rule) share.apply(this.#rule, bytes.length);
      this.#isAnyoneBehind ||= !share.isReady;
    }
    this.#isFanningOut = false;
    if (this.#isAborted && !fin) this.abort(); // by a listener
  }

  #left(share: MessageShare, isComplete: boolean): void {
    this.#shares.delete(share.socket);
    this.#isTaken ||= isComplete;
    this.#proceed();
    if (this.#shares.size === 0) this.#whenOver();
  }

  /** The next part may come if anybody can take it, or there is nobody. */
  #proceed(): void {
    const done = this.#done;
    if (done === undefined || this.#isFanningOut) return;
    if (this.#shares.size > 0 && !this.#isTaken && !this.#isAnyoneReady()) return;
    this.#done = undefined;
    // A source that always has more would have the fastest outrun those who are no slower than it in the long run.
    if (!this.#isAnyoneBehind || this.#bytesInTurn < TURN_BYTES) return done();
    this.#bytesInTurn = 0;
    setImmediate(done);
  }

  #isAnyoneReady(): boolean {
    if (this.#isComplete) return false;
    for (const share of this.#shares.values()) if (share.isReady) return true;
    return false;
  }
}
