import { pipeline } from 'node:stream/promises';
import { WebSocket, type BroadcastReport, type BroadcastStream, type WebSocketServer } from '@ws/server';

/** A message of so many bytes goes on when it is complete, or not at all; a longer one while it comes in. */
const WHOLE_UP_TO = 1_048_576;

const all = new WeakMap<WebSocketServer, Forwarding>();

/** Sends messages that come in to all clients of a server; who has more to send may wait for room. */
export class Forwarding {
  readonly #server: WebSocketServer;
  /** Clients, while none of them has taken what was sent last. */
  #behind: WebSocket[] = [];
  #waiting: (() => void)[] = [];

  static of(server: WebSocketServer): Forwarding {
    const known = all.get(server) ?? new Forwarding(server);
    all.set(server, known);
    return known;
  }

  private constructor(server: WebSocketServer) {
    this.#server = server;
  }

  /** The stream that one message is written to, which comes from a connection of the core or another source. */
  begin(isText: boolean, source: unknown): BroadcastStream {
    const from = source instanceof WebSocket ? source : undefined;
    const message = this.#server.createBroadcast({ binary: !isText, forward: WHOLE_UP_TO, from });
    return message.on('sent', (report: BroadcastReport) => this.sent(report));
  }

  /** Resolves when all of a message is sent and there is room, or its source has gone and sends no more; rejects if it breaks off. */
  async send(
    payload: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    isText: boolean,
    source: unknown,
  ): Promise<void> {
    await pipeline(payload, this.begin(isText, source));
    const isGone = source instanceof WebSocket && source.readyState === source.CLOSED;
    if (!isGone) await new Promise<void>((resolve) => this.whenRoom(resolve));
  }

  /** Of a message that was sent whole. */
  sent({ sent, queued }: BroadcastReport): void {
    const isBehind = sent === 0 && queued > 0;
    if (isBehind === this.#behind.length > 0) return;
    if (!isBehind) return process.nextTick(this.#goOn);
    this.#behind = [...this.#server.clients];
    this.#server.on('connection', this.#joined);
    for (const client of this.#behind) client.on('drain', this.#goOn).on('close', this.#goOn);
  }

  /** Calls back when one of the clients takes more, or has gone, or another has come: at once if none is behind. */
  whenRoom(proceed: () => void): void {
    if (this.#behind.length === 0) proceed();
    else this.#waiting.push(proceed);
  }

  /** Who is new waits for none of those before him, and they for ever if they like. */
  readonly #joined = (): void => process.nextTick(this.#goOn);

  readonly #goOn = (): void => {
    const waiting = this.#waiting;
    this.#server.off('connection', this.#joined);
    for (const client of this.#behind) client.off('drain', this.#goOn).off('close', this.#goOn);
    this.#behind = [];
    this.#waiting = [];
    for (const proceed of waiting) proceed();
  };
}
