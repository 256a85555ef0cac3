import type { Opcode } from '@ws/frame';

/** Settles a send: without an error once the bytes are out of our hands. */
export type SendCallback = (error?: Error & { readonly code?: string }) => void;

/** A payload that is not there yet: `read` calls back once, at once or later. */
export interface DeferredPayload {
  readonly byteLength: number;
  read(done: (error: Error | null, payload: Uint8Array) => void): void;
}

/** The owner of the byte stream, as the core sees it. It serializes and, as a client, masks. */
export interface Transport {
  /**
   * Takes one frame; a string is sent as UTF-8. A `Uint8Array` may be kept until `callback`, a control frame's is copied at once.
   * @returns bytes of payload
   */
  frame(
    opcode: Opcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    callback: SendCallback | undefined,
  ): number;
  /** Takes the head of a final frame whose payload follows in parts. No other frame comes before the last of them. */
  frameHead(opcode: Opcode, payloadLength: number): void;
  /** Takes the next bytes of that payload, as `frame` takes a payload. */
  framePart(payload: Uint8Array, callback: SendCallback | undefined): void;
  /** So much waits that messages had better wait in the core, where control frames overtake them; as of the last look. `Protocol.drained` ends it. */
  readonly isFull: boolean;
  /** Looks: for whoever sends several frames in a row. */
  hasRoom(): boolean;
  /** More is waiting than should: answers to pings are held back, the newest excepted. */
  readonly isCongested: boolean;
  /** The byte stream is gone, though its end may not have been told yet: nothing goes out any more. */
  readonly isBroken: boolean;
  /** The byte stream has not taken all that it was given. */
  readonly hasBacklog: boolean;
  /** Changes whenever it has taken some of that, even a part of one write. */
  readonly progress: number;
  /** Something that waited will not be sent after all: less is waiting, without a write. */
  dropped(): void;
  /** Nothing follows. */
  end(): void;
  /** Cut, now. */
  destroy(): void;
}
