import type { BufferLike, PreparedMessage, WebSocket } from '@ws/connection';
import { prepare, sendToAll, type BroadcastOptions, type BroadcastReport } from './broadcast.js';
import { BroadcastStream, type BroadcastStreamOptions } from './broadcast-stream.js';
import { FanOut, type Delivery } from './fan-out.js';
import { MessageSink, type Broadcasting } from './message-sink.js';
import { checkBroadcastOptions, checkBroadcastStreamOptions } from './option-rules.js';
import type { ResolvedServerOptions } from './options.js';
import { checkRecipients, selectRecipients } from './recipients.js';
import { slowRule } from './slow-rule.js';
import { WholeDelivery } from './whole-delivery.js';

/** What it needs of its server. */
interface Host<Data> {
  readonly options: ResolvedServerOptions<Data>;
  /** Not there with `clientTracking: false`. */
  readonly clients: Set<WebSocket<Data>>;
}

/** What a server sends to all its clients. */
export class Broadcaster<Data> {
  readonly #server: Host<Data>;
  /** Streamed messages that not everybody has got all of. */
  readonly #deliveries = new Set<FanOut>();
  #broadcasting: Broadcasting | undefined;
  #sink: MessageSink | undefined;

  constructor(server: Host<Data>) {
    this.#server = server;
  }

  /** Somebody is there who is not behind; its 'connection' comes first. */
  joins(): void {
    const broadcasting = this.#broadcasting;
    if (broadcasting?.joined) process.nextTick(() => broadcasting.joined?.());
  }

  /** Who is leaving is not kept waiting for the end of a message that is for everybody. */
  leaves(socket: WebSocket): void {
    for (const delivery of this.#deliveries) delivery.drop(socket);
  }

  send(data: BufferLike | PreparedMessage, options: BroadcastOptions<Data>): BroadcastReport {
    const clients = this.#tracked('broadcast');
    checkRecipients(options);
    checkBroadcastOptions(options);
    const message = prepare(data, options);
    return sendToAll(selectRecipients(clients, options), message, options);
  }

  /** @param isAwaited others wait for the end of the stream, whether it has begun or not */
  stream(options: BroadcastStreamOptions<Data>, isAwaited?: () => boolean): BroadcastStream {
    this.#tracked('createBroadcast');
    checkRecipients(options);
    checkBroadcastStreamOptions(options);
    const fragmentSize = options.fragmentSize ?? this.#server.options.fragmentSize;
    const limit = this.#server.options.maxPayload || Infinity;
    return new BroadcastStream(
      (isText, isWhole) => this.#deliver(isText, isWhole, options),
      options,
      fragmentSize || 0,
      limit,
      isAwaited,
    );
  }

  get sink(): MessageSink {
    this.#tracked('messages');
    this.#broadcasting ??= {
      clients: this.#server.clients,
      broadcast: (message) => this.send(message, {}),
      createBroadcast: (options, isAwaited) => this.stream(options, isAwaited),
      joined: undefined,
    };
    return (this.#sink ??= new MessageSink(this.#broadcasting));
  }

  #deliver(isText: boolean, isWhole: boolean, options: BroadcastStreamOptions<Data>): Delivery {
    const { clients, options: ofServer } = this.#server;
    const recipients = selectRecipients(clients, options);
    const message = { isText, compress: options.compress };
    const rule = slowRule(options, ofServer.slowConsumer);
    if (isWhole) return new WholeDelivery(recipients, message, rule);
    const delivery = new FanOut(recipients, message, rule, () => this.#deliveries.delete(delivery));
    if (!delivery.isOver) this.#deliveries.add(delivery);
    return delivery;
  }

  #tracked(name: string): Set<WebSocket<Data>> {
    const { options, clients } = this.#server;
    if (options.clientTracking) return clients;
    throw new TypeError(`${name} needs to know the clients: it cannot be used with clientTracking: false`);
  }
}
