import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { addressKey, clientAddress, type HeaderList } from '@ws/handshake';
import { HandshakeRate } from './handshake-rate.js';
import type { ResolvedServerOptions } from './options.js';
import type { Refusal, RefusalReason } from './refusal.js';

type Limits = Pick<
  ResolvedServerOptions,
  'maxConnections' | 'maxConnectionsPerAddress' | 'memoryLimit' | 'rateLimit' | 'trustProxy'
>;

/** Who asks to be let in. */
export interface Visitor {
  /** The client's address, as far as somebody wants to know it. */
  readonly address: string | undefined;
  /** What limits per address count it by; undefined where there is none. */
  readonly key: string | undefined;
  /** ms until its address may try again; 0: it may now. */
  readonly waitMs: number;
}

/** Come back later. */
export interface LimitRefusal extends Refusal {
  readonly body: string;
  readonly headers: HeaderList;
}

interface Place {
  readonly key: string | undefined;
}
const ANONYMOUS: Place = { key: undefined };

/** Refused together, they are told to come back one after the other: after so many seconds, and up to so many more. */
const RETRY_S = 3;
const RETRY_SPREAD = 8;

/**
 * The places of a server, and who may have one. A place belongs to the stream of its client, from the check of the limits until it is given back
 * or the stream is closed, whatever happens in between: no counter can be left behind.
 */
export class Admission {
  readonly #maxConnections: number;
  readonly #maxPerAddress: number;
  readonly #trustProxy: Limits['trustProxy'];
  readonly #rate: HandshakeRate | undefined;
  readonly #memory: Limits['memoryLimit'];
  /** Under this name each stream with a place has what it is counted by: a table of all of them would take more. */
  readonly #place = Symbol('place');
  #taken = 0;
  readonly #perAddress = new Map<string, number>();
  readonly #onClose: (this: Duplex) => void;
  #turn = 0;

  /** @param now a clock, in ms */
  constructor(limits: Limits, now: () => number = () => performance.now()) {
    this.#maxConnections = limits.maxConnections || Infinity;
    this.#maxPerAddress = limits.maxConnectionsPerAddress || Infinity;
    this.#trustProxy = limits.trustProxy;
    const { handshakes } = limits.rateLimit || {};
    if (handshakes) this.#rate = new HandshakeRate(handshakes, now);
    this.#memory = limits.memoryLimit;
    const leave = (stream: Duplex): void => this.leave(stream);
    this.#onClose = function () {
      leave(this);
    };
  }

  /** Connections, and handshakes that are past the limits. */
  get connections(): number {
    return this.#taken;
  }
  /** Addresses with a connection, as far as they are counted. */
  get addresses(): number {
    return this.#perAddress.size;
  }

  /** For a TCP connection that has not said anything: whether there is any use in listening to it. */
  atDoor(socket: Socket): Refusal | undefined {
    const full = this.#isFull();
    if (full || !this.#countsAddresses || this.#trustProxy !== false) return full;
    const { remoteAddress } = socket;
    const key = remoteAddress === undefined ? undefined : addressKey(remoteAddress);
    return this.#hasTooMany(key) ?? this.#isTooFast(key === undefined ? 0 : (this.#rate?.wait(key) ?? 0));
  }

  /** A handshake begins: it counts towards the rate of its address, whatever becomes of it. Throws what the function `trustProxy` throws. */
  arrive(headers: HeaderList, stream: Duplex): Visitor {
    if (!this.#countsAddresses && this.#trustProxy === false) return NOBODY;
    const { remoteAddress } = stream as Partial<Socket>;
    const address =
      this.#trustProxy === false ? remoteAddress : clientAddress(remoteAddress, headers, this.#trustProxy);
    const key = address === undefined || !this.#countsAddresses ? undefined : addressKey(address);
    const waitMs = key === undefined ? 0 : (this.#rate?.take(key) ?? 0);
    return { address, key, waitMs };
  }

  /** Takes a place. @returns undefined if there was one */
  enter(visitor: Visitor, stream: Duplex): Refusal | undefined {
    const { key, waitMs } = visitor;
    const refusal = this.#isTooFast(waitMs) ?? this.#isFull() ?? this.#hasTooMany(key);
    if (refusal) return refusal;
    if (key !== undefined) this.#perAddress.set(key, (this.#perAddress.get(key) ?? 0) + 1);
    this.#placesOf(stream)[this.#place] = key === undefined ? ANONYMOUS : { key };
    this.#taken++;
    stream.on('close', this.#onClose);
    return undefined;
  }

  /** Somebody else gives the place back when the stream is closed: one listener less, of ten thousands. */
  entrust(stream: Duplex): void {
    stream.off('close', this.#onClose);
  }

  /** Gives the place back, if there is one. */
  leave(stream: Duplex): void {
    const places = this.#placesOf(stream);
    const place = places[this.#place];
    if (place === undefined) return;
    places[this.#place] = undefined;
    this.#taken--;
    stream.off('close', this.#onClose);
    const { key } = place;
    if (key === undefined) return;
    const rest = this.#perAddress.get(key)! - 1;
    if (rest === 0) this.#perAddress.delete(key);
    else this.#perAddress.set(key, rest);
  }

  /** The refusal by a limit of the whole server. */
  refusal(reason: RefusalReason, body: string): Refusal {
    return this.#over(reason, 503, body);
  }

  /** The refusal of whoever comes too late. */
  closing(): LimitRefusal {
    return this.#over('closing', 503, 'the server is closing');
  }

  #placesOf(stream: Duplex): Record<symbol, Place | undefined> {
    return stream as unknown as Record<symbol, Place | undefined>;
  }

  get #countsAddresses(): boolean {
    return this.#maxPerAddress !== Infinity || this.#rate !== undefined;
  }

  #isFull(): Refusal | undefined {
    if (this.#taken >= this.#maxConnections)
      return this.#over('maxConnections', 503, 'the server has as many connections as it takes');
    if (!this.#memory || !this.#memory.isOver) return undefined;
    return this.#over('memoryLimit', 503, 'the server is short of memory');
  }

  #hasTooMany(key: string | undefined): Refusal | undefined {
    if (key === undefined || (this.#perAddress.get(key) ?? 0) < this.#maxPerAddress) return undefined;
    return this.#over('maxConnectionsPerAddress', 429, 'there are as many connections from this address as may be');
  }

  #isTooFast(waitMs: number): Refusal | undefined {
    if (waitMs === 0) return undefined;
    return overLimit('rateLimit', 429, 'too many handshakes from this address', Math.ceil(waitMs / 1000));
  }

  #over(reason: RefusalReason, status: number, body: string): LimitRefusal {
    this.#turn = (this.#turn + 1) % RETRY_SPREAD;
    return overLimit(reason, status, body, RETRY_S + this.#turn);
  }
}

/** Where nobody wants to know. */
export const NOBODY: Visitor = Object.freeze({ address: undefined, key: undefined, waitMs: 0 });

function overLimit(reason: RefusalReason, status: number, body: string, seconds: number): LimitRefusal {
  return { reason, status, body, headers: ['Retry-After', String(seconds)] };
}
