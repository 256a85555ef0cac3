import type { ExtensionChain } from './extension-chain.js';
import type { Failure } from './extension.js';
import type { MessageOpcode, Occupant, Outlet } from './outlet.js';
import { raise, settle } from './settle.js';
import type { SendCallback, Transport } from './transport.js';

/** A message, or a fragment of one, on its way out. */
export interface Step {
  readonly opcode: MessageOpcode;
  readonly fin: boolean;
  readonly compress: boolean | undefined;
  /** Bytes of the whole message, where they are known before its end. */
  readonly length: number | undefined;
  readonly prepared: Map<unknown, unknown> | undefined;
  readonly callback: SendCallback | undefined;
}

type Send = (rsv: number, encoded: Uint8Array) => void;

/** What extensions make of messages and fragments, and the frames of that. */
export class MessageEncoder {
  readonly #transport: Transport;
  readonly #outlet: Outlet;
  readonly #extensions: ExtensionChain;
  readonly #fragmentSize: number;
  readonly #fail: (error: Failure) => void;

  /** @param fragmentSize most bytes of payload in a frame of a message */
  constructor(
    transport: Transport,
    outlet: Outlet,
    extensions: ExtensionChain,
    fragmentSize: number,
    fail: (error: Failure) => void,
  ) {
    this.#transport = transport;
    this.#outlet = outlet;
    this.#extensions = extensions;
    this.#fragmentSize = fragmentSize;
    this.#fail = fail;
  }

  /** `done` is called once, when the next step may come: at once or later. */
  message(step: Step, payload: Uint8Array, done: () => void): void {
    this.#encode(step, payload, done, (rsv, encoded) => {
      if (encoded.length > this.#fragmentSize) this.#split(step, rsv, encoded, done);
      else this.#frame(step, rsv, encoded, done);
    });
  }

  /** As `message`, but as one frame. */
  fragment(step: Step, payload: Uint8Array, done: () => void): void {
    this.#encode(step, payload, done, (rsv, encoded) => this.#frame(step, rsv, encoded, done));
  }

  /** Settles a step that will not be sent. */
  drop({ callback }: Step, error: Error, done: () => void): void {
    done();
    settle(callback, error);
    this.#transport.dropped();
  }

  #frame({ opcode, fin, callback }: Step, rsv: number, encoded: Uint8Array, done: () => void): void {
    this.#outlet.fragment(opcode, fin, rsv, encoded, callback);
    done();
  }

  #encode(step: Step, payload: Uint8Array, done: () => void, send: Send): void {
    const { opcode, fin, compress, length, prepared } = step;
    const { openMessage } = this.#outlet;
    const first = openMessage === undefined;
    const isWhole = first && fin;
    const fragment = {
      opcode: openMessage ?? opcode,
      first,
      fin,
      compress,
      length,
      prepared: isWhole ? prepared : undefined,
    };
    this.#extensions.encode(payload, fragment, (error, encoded, rsv) => {
      if (error) {
        try {
          this.#fail(error); // tells listeners, who may throw
        } finally {
          this.drop(step, error, done);
        }
      } else {
        this.#guarded(step, done, () => send(rsv, encoded));
      }
    });
  }

  /** Frames of `fragmentSize`, no faster than the transport takes them, so that control frames find a place between them. §5.4 */
  #split(step: Step, rsv: number, payload: Uint8Array, done: () => void): void {
    const { opcode, fin, callback } = step;
    const outlet = this.#outlet;
    let at = 0;
    const room = (): void => {
      while (at < payload.length && this.#transport.hasRoom()) {
        const part = payload.subarray(at, at + this.#fragmentSize);
        const bits = at === 0 ? rsv : 0;
        at += part.length;
        const isLast = at === payload.length;
        outlet.fragment(opcode, fin && isLast, bits, part, isLast ? callback : undefined);
      }
      if (at < payload.length) return;
      outlet.leave(occupant);
      done();
    };
    const occupant: Occupant = {
      room: () => this.#guarded(step, done, room),
      cut: (error) => settle(callback, error),
    };
    outlet.occupy(occupant);
    room();
  }

  /** What the transport throws (a masking key could not be had) is not the connection's: the step fails, and it comes up by itself. */
  #guarded(step: Step, done: () => void, send: () => void): void {
    try {
      send();
    } catch (thrown) {
      this.drop(step, thrown as Error, done);
      raise(thrown);
    }
  }
}
