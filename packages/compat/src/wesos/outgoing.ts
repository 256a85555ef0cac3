import { MessageWriter, type Outgoing as Message, type WriteCallback } from '@ws/connection';
import { Socket } from './socket.js';

/** Of these `opcode` and `length` have an effect: all else is as the connection's role and the writes have it. */
export interface OutgoingHeader {
  final?: boolean | undefined;
  masked?: boolean | undefined;
  /** 1 for text, 2 for binary. @default by the first write: text if it is a string */
  opcode?: number | undefined;
  /** Bytes of the whole message: where it is known, one frame is sent, and its payload as it is written. */
  length?: number | undefined;
  masking?: Buffer | undefined;
}

/** One message: each write is a fragment, sent at once; `end` is the last one, or all of it. An error that nobody listens for is not thrown. */
export class Outgoing extends MessageWriter {
  /** May be set until the first write. */
  header: OutgoingHeader = {};
  readonly #socket: Socket;
  #message: Message | undefined;
  /** Of the first write. */
  #opcode: number | undefined;

  /** @throws {TypeError} without a Socket */
  constructor(socket: Socket) {
    if (!(socket instanceof Socket)) throw new TypeError('an Outgoing needs the Socket that it is sent on');
    super({ binary: true, fragmentSize: 0 }); // so that nothing is checked here that the message itself checks
    this.#socket = socket;
  }

  override write(data: string | Uint8Array, callback?: WriteCallback): boolean;
  override write(data: string | Uint8Array, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(data: string | Uint8Array, ...rest: unknown[]): boolean {
    return super.write(data, ...(rest as [BufferEncoding, WriteCallback]));
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback): void {
    this.#opcode ??= typeof chunk === 'string' ? 1 : 2;
    super._write(chunk, encoding, callback);
  }

  protected override begin(): void {
    const { opcode = this.#opcode ?? 1, length } = this.header;
    if (opcode !== 1 && opcode !== 2) throw new RangeError(`header.opcode is ${opcode}, expected 1 or 2`);
    this.#message = this.#socket.webSocket.createOutgoing({ binary: opcode === 2, length });
    this.#message.on('error', (error) => this.destroy(error));
  }

  protected override send(bytes: Uint8Array, fin: boolean): void {
    const done = (error?: Error | null): void => this.settle(error);
    if (fin) this.#message!.end(bytes, done);
    else this.#message!.write(bytes, done);
  }

  protected override giveUp(isComplete: boolean): void {
    if (!isComplete) this.#message?.destroy();
  }
}
