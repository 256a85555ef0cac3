import { isControl, Opcode, ProtocolError, Utf8Validator, type FrameHandlers, type FrameHead } from '@ws/frame';
import type { Account } from './account.js';
import type { AssemblerEvents } from './assembler-events.js';
import type { ExtensionChain } from './extension-chain.js';
import type { Failure } from './extension.js';
import { MessageBuffer } from './message-buffer.js';
import { MessageDecoder, type DecodedTaker } from './message-decoder.js';
import type { MessageSink } from './message-sink.js';
import type { ReceiveLimits } from './receive-limits.js';

export interface AssemblerOptions {
  readonly limits: ReceiveLimits;
  readonly extensions: ExtensionChain;
  /** Text is checked unless this is false. §8.1 */
  readonly validateUtf8: boolean;
  readonly isUtf8: ((bytes: Uint8Array) => boolean) | undefined;
  readonly allocate: (byteLength: number) => Uint8Array;
  /** A message that is complete, for the user. */
  readonly copy: (memory: Uint8Array, from: number, to: number) => Uint8Array;
  readonly account: Account | undefined;
}

/** What an unfinished message costs beside its bytes. */
const MESSAGE_BYTES = 256;

const EMPTY: Uint8Array = new Uint8Array(0);

/** Frames to messages: order of fragments, limits, extensions, UTF-8. RFC 6455 §5.4, §8.1. Throws {@link ProtocolError}. */
export class Assembler implements FrameHandlers, DecodedTaker {
  readonly #events: AssemblerEvents;
  readonly #options: AssemblerOptions;
  readonly #buffer: MessageBuffer;
  #utf8: Utf8Validator | undefined;
  /** From the next frame on. */
  limits: ReceiveLimits;
  /** Ask for each message whether it is wanted as it comes. */
  streams = false;

  /** Type of the message that is open, `Continuation` while there is none. */
  #opcode: Opcode = Opcode.Continuation;
  #encoded = false;
  #finalFrame = false;
  /** Payload of the message's frames so far, as declared. */
  #declared = 0;
  #fragments = 0;
  #chunks = 0;
  /** Who takes the message that is open as it comes, the bytes he was given, and what is wrong with them. */
  #sink: MessageSink | undefined;
  #given = 0;
  #offence: Failure | null = null;
  #decoder: MessageDecoder | undefined;
  /** `maxPayload` as it was when the piece came that is being decoded. */
  #maxDecoded = 0;

  #control: Opcode | undefined;
  #controlPayload: Uint8Array = EMPTY;
  readonly #account: Account | undefined;
  /** What the account knows of. */
  #counted = 0;

  constructor(options: AssemblerOptions, events: AssemblerEvents) {
    this.#options = options;
    this.limits = options.limits;
    this.#events = events;
    this.#buffer = new MessageBuffer(options.allocate);
    this.#account = options.account;
  }

  /** Give binary messages as a list of buffers, large fragments uncopied. */
  set keepFragments(keep: boolean) {
    this.#buffer.keepFragments = keep;
  }

  /** Between two messages, of which none was given as it came, or in parts. */
  get isQuiet(): boolean {
    const isDecoding = this.#decoder?.isBusy === true;
    return !this.isOpen && !this.streams && !this.#buffer.keepFragments && this.#control === undefined && !isDecoding;
  }

  get isOpen(): boolean {
    return this.#opcode !== Opcode.Continuation;
  }

  /** The message that is open is given as it comes. */
  get isStreamed(): boolean {
    return this.#sink !== undefined;
  }

  /** The straight line: a frame that lay whole in its chunk. */
  frame(head: FrameHead, payload: Uint8Array): void {
    const { opcode } = head;
    this.#events.frame(head);
    if (isControl(opcode)) return this.#events.control(opcode, payload);
    if (head.fin && opcode !== Opcode.Continuation && !this.isOpen && !this.#decodes(head)) {
      if (payload.length > this.limits.maxPayload) throw tooBig(payload.length, this.limits.maxPayload);
      if (this.streams && this.#streamsWhole(head, payload)) return;
      const isText = opcode === Opcode.Text;
      if (isText && !this.#isText(payload)) throw new ProtocolError('WS_ERR_INVALID_UTF8');
      return this.#events.message(this.#buffer.keepFragments && !isText ? [payload] : payload, isText);
    }
    this.#open(head);
    if (!this.isOpen) return; // discarded meanwhile
    this.payload(payload, 0, true);
    if (!head.fin || !this.isOpen) return;
    if (this.#decoder?.isBusy) this.#decoder.endAfterwards();
    else this.messageEnd();
  }

  head(head: FrameHead): void {
    this.#events.frame(head);
    if (isControl(head.opcode)) {
      this.#control = head.opcode;
      this.#controlPayload = EMPTY;
    } else {
      this.#open(head);
    }
  }

  payload(slice: Uint8Array, _offset: number, isLast: boolean): void {
    if (this.#control !== undefined) {
      this.#controlPayload = joined(this.#controlPayload, slice);
      return;
    }
    this.#admit(slice);
    if (this.#encoded) this.#decode(slice, isLast && this.#finalFrame);
    else this.#keep(slice);
  }

  /** Only what is gathered in one block is taken from where it lies: everybody else gets a copy that is his. */
  lentPayload(slice: Uint8Array, offset: number, isLast: boolean): void {
    const isGathered = this.#control === undefined && this.#sink === undefined && !this.#encoded;
    if (!isGathered || this.#buffer.keepFragments) return this.payload(this.#copy(slice), offset, isLast);
    this.#admit(slice);
    this.#checkText(slice);
    this.#buffer.append(slice);
  }

  /** Fragments are joined where they would be gathered anyway, and where no limit can be in the way. */
  joins(count: number, byteLength: number): boolean {
    if (this.#sink !== undefined || this.streams || this.#buffer.keepFragments) return false;
    if (!this.#options.extensions.isEmpty) return false;
    const { maxPayload, maxFragments } = this.limits;
    const [declared, fragments] = this.isOpen ? [this.#declared, this.#fragments] : [0, 0];
    return (
      declared + byteLength <= maxPayload && fragments + count <= maxFragments && this.#events.mayContinue(count + 1)
    );
  }

  /** As one by one, but looked at and kept as one; text fails at its first bad byte, before later frames are told of. */
  lentFragments(payload: Uint8Array, _offset: number, lengths: ArrayLike<number>, count: number, fin: boolean): void {
    const checksText = this.#opcode === Opcode.Text && this.#options.validateUtf8;
    let more = 0;
    for (let i = 0; i < count; i++) more += lengths[i]!;
    let at = payload.length - more;
    this.#admit(payload);
    if (checksText) this.#checkText(payload.subarray(0, at));
    for (let i = 0; i < count; i++) {
      const length = lengths[i]!;
      this.#events.continuation(fin && i === count - 1, length);
      if (checksText) this.#checkText(payload.subarray(at, at + length));
      at += length;
    }
    this.#declared += more;
    this.#fragments += count;
    if (count > 0) this.#chunks = 1;
    this.#finalFrame = fin;
    if (fin && this.#buffer.byteLength === 0) return this.#buffer.adopt(this.#options.copy(payload, 0, payload.length));
    if (count > 0) this.#buffer.expect(payload.length, fin);
    this.#buffer.append(payload);
  }

  frameEnd(): void {
    const opcode = this.#control;
    if (opcode === undefined) return;
    this.#control = undefined;
    this.#events.control(opcode, this.#controlPayload);
  }

  messageEnd(): void {
    const isText = this.#opcode === Opcode.Text;
    this.#opcode = Opcode.Continuation;
    const utf8 = this.#utf8;
    if (this.#options.isUtf8) this.#utf8 = undefined; // what is idle keeps none
    if (isText && this.#options.validateUtf8 && utf8?.end() === false)
      throw this.offends(new ProtocolError('WS_ERR_INVALID_UTF8'));
    const sink = this.#sink;
    if (sink !== undefined) {
      this.#sink = undefined;
      return this.#events.ended(sink, this.#given);
    }
    const { keepFragments } = this.#buffer;
    this.#events.message(keepFragments && !isText ? this.#buffer.takeParts() : this.#buffer.takeWhole(), isText);
  }

  /** Drops what was kept; nothing more comes. */
  discard(): void {
    this.#opcode = Opcode.Continuation;
    this.#buffer.clear();
    this.count();
    const sink = this.#sink;
    this.#sink = undefined;
    if (sink !== undefined) this.#events.aborted(sink, this.#offence);
  }

  /** A message that lies whole in its chunk, for whoever wants messages as they come. @returns false if nobody wants it so */
  #streamsWhole(head: FrameHead, payload: Uint8Array): boolean {
    this.#opcode = head.opcode;
    this.#encoded = false;
    this.#ask(head);
    if (!this.isOpen) return true; // discarded meanwhile
    if (this.#sink === undefined) {
      this.#opcode = Opcode.Continuation;
      return false;
    }
    this.#begin(head);
    this.payload(payload, 0, true);
    if (this.isOpen) this.messageEnd();
    return true;
  }

  #ask(header: FrameHead): void {
    const isText = header.opcode === Opcode.Text;
    const isEncoded = this.#encoded;
    const length = header.fin && !isEncoded ? header.payloadLength : undefined;
    const sink = this.#events.incoming({ isText, header, isEncoded, length });
    if (this.isOpen) this.#sink = sink;
    else if (sink !== undefined) this.#events.aborted(sink, null); // discarded meanwhile
  }

  /** A data frame: is it in order, and within the limits as declared? */
  #open(head: FrameHead): void {
    const { opcode, fin, payloadLength } = head;
    if (opcode === Opcode.Continuation) {
      if (!this.isOpen) throw new ProtocolError('WS_ERR_INVALID_OPCODE', 'continuation of no message');
      if (head.rsv !== 0) throw unexpectedRsv(head.rsv); // RFC 7692 §6: on the first frame only
    } else {
      if (this.isOpen) throw new ProtocolError('WS_ERR_INVALID_OPCODE', 'new message inside a fragmented one');
      this.#begin(head);
    }
    const { maxPayload, maxFragments } = this.limits;
    this.#declared += payloadLength;
    if (this.#declared > maxPayload) throw this.offends(tooBig(this.#declared, maxPayload));
    if (++this.#fragments > maxFragments)
      throw this.offends(new ProtocolError('WS_ERR_TOO_MANY_BUFFERED_PARTS', `${maxFragments} fragments`));
    this.#finalFrame = fin;
    this.#chunks = 0;
    if (this.streams && opcode !== Opcode.Continuation) this.#ask(head);
    if (!this.#encoded && this.#sink === undefined) this.#buffer.expect(payloadLength, fin);
  }

  #begin(head: FrameHead): void {
    this.#opcode = head.opcode;
    this.#encoded = this.#decodes(head);
    if (this.#encoded) (this.#decoder ??= new MessageDecoder(this.#options.extensions, this, this.#events)).begin(head);
    this.#events.begins();
    this.#declared = 0;
    this.#fragments = 0;
    this.#chunks = 0;
    this.#given = 0;
    this.#offence = null;
    if (head.opcode === Opcode.Text && this.#options.validateUtf8) {
      this.#utf8 ??= new Utf8Validator(this.#options.isUtf8);
      this.#utf8.reset();
    }
  }

  #decodes(head: FrameHead): boolean {
    return !this.#options.extensions.isEmpty && this.#options.extensions.decodes(head.rsv);
  }

  #isText(payload: Uint8Array): boolean {
    const { validateUtf8, isUtf8 } = this.#options;
    if (!validateUtf8) return true;
    if (isUtf8) return isUtf8(payload);
    this.#utf8 ??= new Utf8Validator();
    this.#utf8.reset();
    return this.#utf8.push(payload) && this.#utf8.end();
  }

  #admit(slice: Uint8Array): void {
    this.#events.piece(slice.length);
    const { maxBufferedChunks } = this.limits;
    const isBuffered = this.#sink === undefined || this.#encoded;
    if (isBuffered && ++this.#chunks > maxBufferedChunks)
      throw this.offends(new ProtocolError('WS_ERR_TOO_MANY_BUFFERED_PARTS', `${maxBufferedChunks} chunks`));
  }

  #copy(slice: Uint8Array): Uint8Array {
    const copy = this.#options.allocate(slice.length);
    copy.set(slice);
    return copy;
  }

  #decode(slice: Uint8Array, last: boolean): void {
    const length = this.#finalFrame ? this.#declared : undefined;
    this.#maxDecoded = this.limits.maxPayload;
    const remaining = this.#maxDecoded - this.#decodedLength;
    this.#decoder!.decode(slice, last, length, remaining, this.#sink);
  }

  takeDecoded(part: Uint8Array, isLate: boolean): void {
    const length = this.#decodedLength + part.length;
    if (length > this.#maxDecoded) throw tooBig(length, this.#maxDecoded);
    this.#checkText(part);
    if (this.#sink !== undefined) return this.#give(this.#sink, part);
    this.#buffer.adopt(part);
    if (isLate) this.count();
  }

  /** Notes what is thrown as the message's own offence. */
  offends<Offence extends Failure>(offence: Offence): Offence {
    this.#offence = offence;
    return offence;
  }

  #keep(slice: Uint8Array): void {
    this.#checkText(slice);
    if (this.#sink !== undefined) return this.#give(this.#sink, slice);
    this.#buffer.append(slice);
  }

  /** Tells the account what the unfinished message holds by now: for whoever has parsed something. A message that ends in the chunk it began in is not told of. */
  count(): void {
    if (this.#account === undefined) return;
    const bytes = this.isOpen ? this.#buffer.retainedBytes + MESSAGE_BYTES : 0;
    if (bytes !== this.#counted) this.#account.add(bytes - this.#counted);
    this.#counted = bytes;
  }

  #give(sink: MessageSink, piece: Uint8Array): void {
    if (piece.length === 0) return;
    this.#given += piece.length;
    this.#events.give(sink, piece);
  }

  get #decodedLength(): number {
    return this.#sink === undefined ? this.#buffer.byteLength : this.#given;
  }

  #checkText(slice: Uint8Array): void {
    if (this.#opcode === Opcode.Text && this.#options.validateUtf8 && this.#utf8?.push(slice) === false) {
      throw this.offends(new ProtocolError('WS_ERR_INVALID_UTF8'));
    }
  }
}

const tooBig = (length: number, limit: number): ProtocolError =>
  new ProtocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', `${length} bytes, limit ${limit}`);

const unexpectedRsv = (rsv: number): ProtocolError =>
  new ProtocolError((rsv & 4) !== 0 ? 'WS_ERR_UNEXPECTED_RSV_1' : 'WS_ERR_UNEXPECTED_RSV_2_3');

/** Control payloads are at most 125 bytes. */
function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
