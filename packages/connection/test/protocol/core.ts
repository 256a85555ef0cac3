import { encodeFrame, encodeHeader, mask, type Opcode } from '@ws/frame';
import { FakeClock } from '@ws/testing';
import {
  Protocol,
  type Extension,
  type Failure,
  type ProtocolHandlers,
  type ProtocolOptions,
  type ReceiveLimits,
  type SendCallback,
  type Transport,
} from '../../src/protocol/index.js';

const NO_LIMITS: ReceiveLimits = { maxPayload: Infinity, maxFragments: Infinity, maxBufferedChunks: Infinity };
const encoder = new TextEncoder();
const decodeText = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** What happened, in order: handlers' names with their arguments as plain values. */
export type Happening = readonly [name: string, ...values: unknown[]];

export interface CoreOptions extends Partial<Omit<ProtocolOptions, 'limits'>> {
  readonly limits?: Partial<ReceiveLimits>;
  readonly extensions?: readonly Extension[];
  /** Called for each event before it is noted. */
  readonly onEvent?: (name: string) => void;
  /** Who takes messages as they come. */
  readonly incoming?: NonNullable<ProtocolHandlers['incoming']>;
  /** Called when much of a turn is used. @default nobody tells of turns */
  readonly turnUsed?: () => void;
}

/** One core with everything around it recorded: the bytes it sends, what it reports, whether it ended the stream. */
export class Core implements Transport {
  readonly clock: FakeClock;
  readonly protocol: Protocol;
  readonly happened: Happening[] = [];
  /** Frames on their way out, one each. */
  outgoing: Uint8Array[] = [];
  isCongested = false;
  isFull = false;
  isBroken = false;
  hasRoom = (): boolean => !this.isFull;
  hasBacklog = false;
  progress = 0;
  /** While set, the callbacks of frames wait here: the operating system has not taken them. */
  untaken: SendCallback[] | undefined;
  #partOffset = 0;
  isEnded = false;
  /** Calls of `dropped`. */
  drops = 0;
  /** The deadlines that were announced. */
  readonly deadlines: (number | undefined)[] = [];
  isDestroyed = false;
  readonly #isClient: boolean;

  constructor(options: CoreOptions = {}) {
    const { limits, onEvent, incoming, turnUsed, ...rest } = options;
    this.clock = new FakeClock();
    this.#isClient = options.role === 'client';
    const note = (name: string, ...values: unknown[]): void => {
      this.happened.push([name, ...values]);
      onEvent?.(name);
    };
    const handlers: ProtocolHandlers = {
      message: (data, isText) =>
        note('message', isText ? decodeText(data as Uint8Array) : Array.isArray(data) ? data.map(plain) : plain(data)),
      ...(incoming && { incoming }),
      ...(turnUsed && { turnUsed }),
      ping: (payload) => note('ping', decodeText(payload)),
      pong: (payload) => note('pong', decodeText(payload)),
      closing: (code, reason, initiator) => note('closing', code, reason, initiator),
      failure: (error: Failure) => note('failure', error.code),
      ready: () => note('ready'),
      deadline: () => this.deadlines.push(this.protocol.nextDeadline()),
    };
    this.protocol = new Protocol(
      {
        role: 'server',
        now: this.clock.now,
        closeTimeoutMs: 30_000,
        ...rest,
        limits: { ...NO_LIMITS, ...limits },
      },
      this,
      handlers,
    );
    if (incoming) this.protocol.streams = true;
  }

  frame(
    opcode: Opcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    callback: SendCallback | undefined,
  ): number {
    const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload;
    this.outgoing.push(encodeFrame({ opcode, fin, rsv, maskingKey: this.#isClient ? 0x01020304 : undefined }, bytes));
    if (callback && this.untaken) this.untaken.push(callback);
    else callback?.();
    return bytes.length;
  }

  frameHead(opcode: Opcode, payloadLength: number): void {
    this.outgoing.push(encodeHeader({ opcode, payloadLength, maskingKey: this.#isClient ? 0x01020304 : undefined }));
    this.#partOffset = 0;
  }

  framePart(payload: Uint8Array, callback: SendCallback | undefined): void {
    const part = new Uint8Array(payload);
    if (this.#isClient) mask(part, 0x01020304, this.#partOffset);
    this.#partOffset += part.length;
    this.outgoing.push(part);
    callback?.();
  }

  dropped(): void {
    this.drops++;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }

  /** Takes what was sent since the last call. */
  take(): Uint8Array[] {
    const frames = this.outgoing;
    this.outgoing = [];
    return frames;
  }
}

const plain = (bytes: Uint8Array): number[] => [...bytes];

/** A client and a server whose bytes reach each other when `settle` is called. */
export function corePair(options: { client?: CoreOptions; server?: CoreOptions } = {}): {
  client: Core;
  server: Core;
  settle(): void;
} {
  const client = new Core({ ...options.client, role: 'client' });
  const server = new Core({ ...options.server, role: 'server' });
  const settle = (): void => {
    for (;;) {
      const [toServer, toClient] = [client.take(), server.take()];
      if (toServer.length + toClient.length === 0) return;
      for (const frame of toServer) server.protocol.receive(frame);
      for (const frame of toClient) client.protocol.receive(frame);
    }
  };
  return { client, server, settle };
}

/** A frame as a client sends it. */
export const masked = (
  opcode: Opcode,
  payload: Uint8Array | string,
  head: { fin?: boolean; rsv?: number } = {},
): Uint8Array =>
  encodeFrame(
    { opcode, maskingKey: 0x37fa213d, ...head },
    typeof payload === 'string' ? encoder.encode(payload) : payload,
  );

/** `bytes` one after the other. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
