import { now } from './close-report.js';
import type { SlowRule } from './options.js';
import { MessageError, type Failure } from './protocol/index.js';
import type { SlowInfo } from './types.js';

/** What becomes of a message: it is on its way, it waits with others because the recipient is behind, or it is left out. */
export type Outcome = 'sent' | 'queued' | 'dropped';

/** The connection to a recipient, as the rule sees it. */
export interface Backlog {
  /** Bytes that the recipient has not taken. */
  readonly bufferedAmount: number;
  /** Messages that wait with us: each costs more than its bytes. */
  readonly queueLength: number;
  dropOldest(): boolean;
  cut(error: Failure): void;
  slow(info: SlowInfo): void;
  recovered(info: SlowInfo): void;
}

/** What a message that waits costs beside its bytes: measured, 200 to 280. */
const ENTRY_BYTES = 256;

/** A recipient that is behind, from the first sign of it until it has caught up. */
export class SlowRecipient {
  readonly #backlog: Backlog;
  readonly #highWaterMark: number;
  #since: number | undefined;
  #dropped = 0;

  constructor(backlog: Backlog, highWaterMark: number) {
    this.#backlog = backlog;
    this.#highWaterMark = highWaterMark;
  }

  /** May one more message wait? Makes room for it, or ends the connection, as `rule` says. `isWhole`: it is no fragment, which cannot be left out. */
  admits(rule: SlowRule, isWhole: boolean): boolean {
    const backlog = this.#backlog;
    if (cost(backlog) <= rule.limit) return true;
    const policy = isWhole ? rule.policy : 'close';
    if (policy === 'drop-oldest') {
      while (cost(backlog) > rule.limit && backlog.dropOldest()) this.#dropped++;
      if (cost(backlog) <= rule.limit) return true;
    } else if (policy !== 'drop-newest') {
      const error = new MessageError(
        'WS_ERR_SLOW_CONSUMER',
        `${backlog.bufferedAmount} bytes wait, limit ${rule.limit}`,
      );
      backlog.cut(Object.assign(error, { closeCode: 1013 }));
    }
    this.#dropped++;
    return false;
  }

  /** A message took the place of an older one. */
  conflated(): void {
    this.#dropped++;
  }

  /** Something waits that did not before. */
  grown(): void {
    const { bufferedAmount } = this.#backlog;
    if (this.#since !== undefined || bufferedAmount < this.#highWaterMark) return;
    this.#since = now();
    this.#backlog.slow({ bufferedAmount, dropped: this.#dropped, ms: 0 });
  }

  /** Less waits. @returns whether the recipient has caught up */
  shrunk(): boolean {
    const { bufferedAmount } = this.#backlog;
    if (bufferedAmount > this.#highWaterMark / 2) return false;
    const since = this.#since;
    if (since === undefined) return true;
    this.#since = undefined;
    this.#backlog.recovered({ bufferedAmount, dropped: this.#dropped, ms: Math.round(now() - since) });
    return true;
  }
}

const cost = ({ bufferedAmount, queueLength }: Backlog): number => bufferedAmount + ENTRY_BYTES * queueLength;
