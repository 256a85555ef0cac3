import { PreparedMessage, type WebSocket } from '@ws/connection';
import { ProtocolError } from '@ws/frame';
import { sendToAll } from './broadcast.js';
import { ByteCollector } from './byte-collector.js';
import type { Delivery } from './fan-out.js';
import type { SlowRule } from './slow-rule.js';

/** One message to many that is sent when all of it is there, and not at all if it has no end. */
export class WholeDelivery implements Delivery {
  readonly #recipients: readonly WebSocket[];
  readonly #options: { readonly isText: boolean; readonly compress: boolean | undefined };
  readonly #rule: SlowRule | undefined;
  readonly #maxPayload: number;
  readonly #collector = new ByteCollector();

  constructor(
    recipients: readonly WebSocket[],
    options: { readonly isText: boolean; readonly compress: boolean | undefined },
    rule: SlowRule | undefined,
    maxPayload: number,
  ) {
    this.#recipients = recipients;
    this.#options = options;
    this.#rule = rule;
    this.#maxPayload = maxPayload;
  }

  take(bytes: Buffer, fin: boolean, done: (error?: Error) => void): void {
    const length = this.#collector.byteLength + bytes.length;
    if (length > this.#maxPayload) {
      const detail = `${length} bytes, limit ${this.#maxPayload}`;
      return done(new ProtocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', detail));
    }
    this.#collector.append(bytes);
    if (fin) this.#send();
    done();
  }

  abort(): void {
    this.#collector.take();
  }

  #send(): void {
    const { isText, compress } = this.#options;
    const message = new PreparedMessage(this.#collector.take(), { binary: !isText, compress });
    sendToAll(this.#recipients, message, { slowConsumer: this.#rule ?? false });
  }
}
