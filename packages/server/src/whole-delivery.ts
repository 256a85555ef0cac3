import { PreparedMessage, type WebSocket } from '@ws/connection';
import { sendToAll, type BroadcastReport } from './broadcast.js';
import type { Delivery } from './fan-out.js';
import type { SlowRule } from './slow-rule.js';

/** One message to many that comes in one part, when all of it is there, and not at all if it has no end. */
export class WholeDelivery implements Delivery {
  readonly isOver = false;
  /** It takes its place when it is complete. */
  readonly isHoldingUp = false;
  report: BroadcastReport | undefined;
  readonly #recipients: readonly WebSocket[];
  readonly #options: { readonly isText: boolean; readonly compress: boolean | undefined };
  readonly #rule: SlowRule | undefined;

  constructor(
    recipients: readonly WebSocket[],
    options: { readonly isText: boolean; readonly compress: boolean | undefined },
    rule: SlowRule | undefined,
  ) {
    this.#recipients = recipients;
    this.#options = options;
    this.#rule = rule;
  }

  take(bytes: Uint8Array, _fin: boolean, done: () => void): void {
    const { isText, compress } = this.#options;
    const message = new PreparedMessage(bytes, { binary: !isText, compress });
    this.report = sendToAll(this.#recipients, message, { slowConsumer: this.#rule ?? false });
    done();
  }

  abort(): void {
    // Nothing of it was sent.
  }
}
