import {
  kStats,
  Meter,
  type CloseInfo,
  type Histogram,
  type Initiator,
  type SocketStats,
  type WebSocket,
} from '@ws/connection';
import type { RefusalReason } from './refusal.js';

/** What a server has to tell of itself at one moment; counters are those of all its connections, the ones that are gone included. */
export interface ServerMetrics extends SocketStats {
  /** Open connections, and those whose end is not through. */
  readonly connections: number;
  /** On the way to a connection: see the option `maxPending`. */
  readonly pending: number;
  /** Connections that there ever were. */
  readonly accepted: number;
  /** Clients that were turned away, by reason: also those of whom there was no request yet, and no event `'refused'`. */
  readonly refused: Readonly<Partial<Record<RefusalReason, number>>>;
  /** Connections that are gone, by who ended them, and the code of his Close frame: 1006 where there was none. */
  readonly closed: Readonly<Partial<Record<Initiator, Readonly<Record<number, number>>>>>;
  /** Bytes that wait to be sent. */
  readonly bytesQueued: number;
  /** Bytes that count towards `memoryLimit`: of all that share the budget. 0 without a limit. */
  readonly memory: number;
  /** ms from each ping of the heartbeat to its pong. */
  readonly latency: Histogram;
  /** Payload bytes of the messages received, after decompression. */
  readonly sizes: Histogram;
}

/** What is as it is at the moment. */
export interface Gauges extends Pick<ServerMetrics, 'pending' | 'memory'> {
  /** The connections that are not gone. */
  readonly open: Iterable<Pick<WebSocket, typeof kStats | 'bufferedAmount'>> & { readonly size: number };
}

/** What became of a server's connections. What they count by themselves is added up when somebody asks, so that it costs nothing before. */
export class Metrics {
  /** Counts sizes and latencies for all of them. */
  readonly meter = new Meter();
  readonly #past = { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };
  readonly #refused = new Map<RefusalReason, number>();
  readonly #closed = new Map<Initiator, Map<number, number>>();
  #accepted = 0;

  accepted(): void {
    this.#accepted++;
  }

  /** A connection is gone: its counters are what they will be. */
  gone(socket: Pick<WebSocket, typeof kStats>, { initiator, sent, received }: CloseInfo): void {
    const { code } = (initiator === 'remote' ? received : sent) ?? { code: 1006 };
    addStats(this.#past, socket[kStats]);
    const codes = this.#closed.get(initiator) ?? new Map<number, number>();
    codes.set(code, (codes.get(code) ?? 0) + 1);
    this.#closed.set(initiator, codes);
  }

  refused(reason: RefusalReason): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  report({ open, pending, memory }: Gauges): ServerMetrics {
    const stats = { ...this.#past };
    let bytesQueued = 0;
    for (const socket of open) {
      addStats(stats, socket[kStats]);
      bytesQueued += socket.bufferedAmount;
    }
    const { sizes, latencies } = this.meter;
    return {
      connections: open.size,
      pending,
      accepted: this.#accepted,
      refused: Object.fromEntries(this.#refused),
      closed: Object.fromEntries(
        Array.from(this.#closed, ([initiator, codes]) => [initiator, Object.fromEntries(codes)]),
      ),
      ...stats,
      bytesQueued,
      memory,
      latency: latencies,
      sizes,
    };
  }
}

function addStats(sum: { -readonly [Name in keyof SocketStats]: number }, more: SocketStats): void {
  sum.bytesReceived += more.bytesReceived;
  sum.bytesSent += more.bytesSent;
  sum.messagesReceived += more.messagesReceived;
  sum.messagesSent += more.messagesSent;
}
