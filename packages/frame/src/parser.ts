import { ByteQueue } from './byte-queue.js';
import { sliceOf, unmaskedCopy, viewClass, type ViewClass } from './chunk-slice.js';
import type { ProtocolError } from './errors.js';
import { FragmentRun, MAX_JOINED } from './fragment-run.js';
import type { FrameHandlers } from './frame-handlers.js';
import { uint16, uint32, uint64, type FrameHead } from './header.js';
import { maskBytes, maskWords, rotateKey, wordsOf, WORDS_PAY_FROM } from './mask.js';
import type { MaskingMemory } from './masking-memory.js';
import type { Opcode } from './opcode.js';
import { PartialHeader } from './partial-header.js';
import { FrameRules, type FrameParserOptions } from './rules.js';

/** What comes next. All but the header belongs to the frame of `#head`. */
const HEADER = 0;
const PAYLOAD = 1;
const FRAME_END = 2;
const MESSAGE_END = 3;

/** Shorter payloads are unmasked byte by byte: what words need before and after their borders costs more. */
const SHORT = 48;

/** In lent memory: a whole message of so many bytes is copied by itself, and a fragment given where it lies; from a shorter one on, all the rest is parsed in one copy. */
const APART_FROM = 4096;

/** What a chunk costs beside its bytes: the view, its memory's own object, and the place in the queue. */
const CHUNK_BYTES = 256;

const NOTHING: Uint8Array = new Uint8Array(0);

/** For all parsers: what is in it is used before anything else is parsed. */
const run = new FragmentRun();

/**
 * Frames out of a byte stream that is cut anywhere. RFC 6455 §5.2. Checks what a frame says on its own (opcode, RSV,
 * mask, length, rules of control frames) at the octet that decides; the order of frames is the caller's to check.
 * Gathers no payload: pieces are handed over as they arrive, and whole frames inside a chunk without a copy.
 */
export class FrameParser {
  readonly #handlers: FrameHandlers;
  readonly #rules: FrameRules;
  readonly #preserveInput: boolean;
  readonly #copy: (memory: Uint8Array, from: number, to: number) => Uint8Array;

  #running = false;
  #paused = false;
  #isDiscarded = false;

  /** The chunk in work, how far it is parsed, and what is needed to unmask and slice it, made when it is first needed. */
  #chunk = NOTHING;
  #at = 0;
  #end = 0;
  /** What the chunk lies in, if it is somebody else's: until `pushLent` returns. */
  #lent: MaskingMemory | undefined;
  #words: Int32Array | undefined;
  #memory: ArrayBufferLike | undefined;
  #base = 0;
  #Chunk: unknown = Uint8Array;
  #View: ViewClass = Uint8Array;
  readonly #waiting = new ByteQueue();

  #phase = HEADER;
  #partialHeader: PartialHeader | undefined;
  #head: FrameHead | undefined;
  #offset = 0;

  /**
   * @throws {TypeError} for an option of the wrong type, or handlers that are no object
   * @throws {RangeError} for `allowedRsv` or `maxFramePayload` out of range
   */
  constructor(options: FrameParserOptions, handlers: FrameHandlers) {
    this.#rules = new FrameRules(options);
    const { preserveInput = false, copy = sliceOf } = options;
    if (typeof preserveInput !== 'boolean')
      throw new TypeError(`preserveInput is ${String(preserveInput)}, expected a boolean`);
    if (typeof copy !== 'function') throw new TypeError('copy is not a function');
    if (typeof handlers !== 'object' || handlers === null) throw new TypeError('handlers is not an object');
    this.#preserveInput = preserveInput;
    this.#copy = copy;
    this.#handlers = handlers;
  }

  /**
   * Parses the next bytes of the stream. They belong to the parser until it has handed them over: while it is paused,
   * or when called from one of its own handlers, the chunk waits.
   * @throws {ProtocolError} the peer broke the framing rules; `error` is set and later input ignored
   */
  push(chunk: Uint8Array): void {
    if (chunk?.[Symbol.toStringTag] !== 'Uint8Array') throw new TypeError('chunk is not a Uint8Array');
    if (this.#rules.violation !== undefined || this.#isDiscarded) return;
    if (this.#running || this.#paused || this.bufferedBytes > 0) this.#waiting.add(chunk);
    else this.#open(chunk);
    this.#run();
  }

  /**
   * Parses `memory.bytes[0, length)` as the next bytes of the stream. They are changed (unmasked), and the caller's again when this returns: what a
   * handler gets, and what waits, is a copy, but for `lentPayload`. Memory that is volatile is parsed in a copy, unless all of it is payload of one frame: then nothing is left in it when it is handed over.
   * @throws {ProtocolError} as `push`
   */
  pushLent(memory: MaskingMemory, length: number): void {
    const { bytes } = memory;
    if (this.#rules.violation !== undefined || this.#isDiscarded) return;
    if (this.#running || this.#paused || this.bufferedBytes > 0) return this.push(sliceOf(bytes, 0, length));
    if (memory.isVolatile && !this.#isPayload(length)) {
      this.#open(this.#copy(bytes, 0, length));
    } else {
      this.#open(bytes, length);
      this.#lent = memory;
    }
    try {
      this.#run();
    } finally {
      if (this.#lent !== undefined || this.#paused) this.#keepRest();
    }
  }

  /** Stops before the next handler call; the rest of the chunk, and chunks pushed meanwhile, are kept. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on, synchronously unless called from a handler. @throws {ProtocolError} as `push` */
  resume(): void {
    if (this.#isDiscarded) return;
    this.#paused = false;
    this.#run();
  }

  /** Drops what was pushed and not parsed, and stays paused for good: nothing that is pushed from now on is kept. */
  discard(): void {
    this.#paused = true;
    this.#isDiscarded = true;
    this.#waiting.clear();
    this.#open(NOTHING);
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes that were pushed and not yet parsed. */
  get bufferedBytes(): number {
    return this.#end - this.#at + this.#waiting.byteLength;
  }

  /** Memory that is kept for them: chunks are kept whole, and each is an object. */
  get retainedBytes(): number {
    const { length } = this.#chunk;
    const waiting = this.#waiting;
    if (length === 0 && waiting.length === 0) return 0;
    return (length === 0 ? 0 : length + CHUNK_BYTES) + waiting.byteLength + waiting.length * CHUNK_BYTES;
  }

  /** A frame has begun, if only with the first byte of its header, and not ended: the stream may not end here. */
  get insideFrame(): boolean {
    return this.#head !== undefined || this.#partialHeader !== undefined || this.bufferedBytes > 0;
  }

  /** What ended the parsing, if something did. */
  get error(): ProtocolError | undefined {
    return this.#rules.violation;
  }

  #open(chunk: Uint8Array, length = chunk.length): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#end = length;
    this.#lent = undefined;
    this.#words = undefined;
    this.#memory = undefined;
  }

  /** The next so many bytes are payload of the frame that is open. */
  #isPayload(byteLength: number): boolean {
    return this.#phase === PAYLOAD && this.#head!.payloadLength - this.#offset >= byteLength;
  }

  /** The turn of the next chunk. Without one, the memory of the last is let go. */
  #openNext(): boolean {
    const chunk = this.#waiting.take();
    this.#open(chunk ?? NOTHING);
    return chunk !== undefined;
  }

  /** What waits is a copy of its own: with one that shares memory with others, it would keep that. */
  #keepRest(): void {
    this.#open(this.#at === this.#end ? NOTHING : sliceOf(this.#chunk, this.#at, this.#end));
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#paused && (this.#step() || this.#openNext()));
      if (this.#paused && this.#at === this.#end) this.#open(NOTHING); // its memory is let go
    } finally {
      this.#running = false;
      if (this.#rules.violation !== undefined) {
        this.#waiting.clear();
        this.#open(NOTHING);
      }
    }
  }

  /**
   * Makes the next handler call, or several of `frame`; the state is that of afterwards before a handler is called.
   * @returns false if that takes more bytes
   */
  #step(): boolean {
    switch (this.#phase) {
      case HEADER:
        return this.#partialHeader === undefined ? this.#parseFrames() : this.#parsePartialHeader();
      case PAYLOAD:
        return this.#parsePayload();
      case FRAME_END:
        return this.#endFrame();
      default:
        this.#phase = HEADER;
        this.#handlers.messageEnd?.();
        return true;
    }
  }

  /** The straight line: whole headers, and whole frames if somebody listens for them. */
  #parseFrames(): boolean {
    const chunk = this.#chunk;
    const end = this.#end;
    const rules = this.#rules;
    const handlers = this.#handlers;
    while (this.#at + 2 <= end) {
      let at = this.#at;
      const first = chunk[at]!;
      const second = chunk[at + 1]!;
      rules.checkFirst(first);
      rules.checkSecond(first, second);
      at += 2;
      let payloadLength = second & 0x7f;
      if (payloadLength === 126) {
        if (at + 2 > end) break;
        payloadLength = uint16(chunk, at);
        rules.checkLength(126, payloadLength, 1);
        at += 2;
      } else if (payloadLength === 127) {
        if (at + 8 > end) break;
        payloadLength = uint64(chunk, at);
        rules.checkLength(127, payloadLength, 1);
        at += 8;
      }
      let maskingKey: number | undefined;
      if (second >= 0x80) {
        if (at + 4 > end) break;
        maskingKey = uint32(chunk, at);
        at += 4;
      }
      const head: FrameHead = {
        fin: first >= 0x80,
        rsv: (first >> 4) & 0x7,
        opcode: (first & 0xf) as Opcode,
        maskingKey,
        payloadLength,
      };
      const isInPieces = at + payloadLength > end || (this.#lent !== undefined && this.#isLentFragment(head));
      if (handlers.frame === undefined || isInPieces) {
        this.#at = at;
        this.#begin(head);
        return true;
      }
      if (this.#lent !== undefined && payloadLength < APART_FROM && head.opcode < 0x8) {
        this.#open(this.#copy(chunk, this.#at, end)); // and on with the same frame
        return true;
      }
      this.#at = at + payloadLength;
      handlers.frame(head, this.#takeOwn(at, at + payloadLength, maskingKey, 0));
      if (this.#paused) return true;
    }
    return this.#parsePartialHeader();
  }

  #parsePartialHeader(): boolean {
    const chunk = this.#chunk;
    while (this.#at < this.#end) {
      this.#partialHeader ??= new PartialHeader(this.#rules);
      const head = this.#partialHeader.add(chunk[this.#at++]!);
      if (head === undefined) continue;
      this.#partialHeader = undefined;
      this.#begin(head);
      return true;
    }
    return false;
  }

  #begin(head: FrameHead): void {
    this.#head = head;
    this.#offset = 0;
    this.#phase = PAYLOAD;
    this.#handlers.head?.(head);
  }

  #parsePayload(): boolean {
    const { payloadLength, maskingKey } = this.#head!;
    const from = this.#at;
    const offset = this.#offset;
    const left = payloadLength - offset;
    const here = Math.min(left, this.#end - from);
    if (here === 0 && left > 0) return false;
    const handlers = this.#handlers;
    if (here === left && this.#joins(from, here)) return this.#joinFragments(from, from + here, maskingKey, offset);
    this.#at = from + here;
    this.#offset = offset + here;
    if (here === left) this.#phase = FRAME_END;
    if (this.#lent !== undefined && handlers.lentPayload !== undefined)
      handlers.lentPayload(this.#take(from, from + here, maskingKey, offset), offset, here === left);
    else handlers.payload?.(this.#takeOwn(from, from + here, maskingKey, offset), offset, here === left);
    return true;
  }

  /** The rest of a fragment, which is there, and the fragments behind it: for each by itself the calls cost several times as much as the bytes. */
  #joinFragments(from: number, to: number, maskingKey: number | undefined, offset: number): boolean {
    const memory = this.#lent!;
    if (maskingKey !== undefined) memory.mask(from, to, rotateKey(maskingKey, offset));
    run.join(memory, this.#rules, to, this.#end);
    this.#at = run.at;
    this.#head = undefined;
    this.#phase = run.fin ? MESSAGE_END : HEADER;
    this.#handlers.lentFragments!(this.#view(from, run.target), offset, run.lengths, run.count, run.fin);
    return true;
  }

  /** Others may be joined to the fragment that is open, and of which `here` bytes at `from` are the rest. */
  #joins(from: number, here: number): boolean {
    const { fin, opcode } = this.#head!;
    if (this.#lent === undefined || fin || opcode >= 0x8 || from + here === this.#end) return false;
    return this.#mayJoin(from);
  }

  #mayJoin(from: number): boolean {
    const handlers = this.#handlers;
    return handlers.joins !== undefined && handlers.joins(MAX_JOINED, this.#end - from);
  }

  /** A part of a message that has several, given where it lies: if it is long, or others may be joined to it. */
  #isLentFragment({ fin, opcode, payloadLength }: FrameHead): boolean {
    if ((fin && opcode !== 0) || opcode >= 0x8) return false;
    return payloadLength >= APART_FROM || this.#mayJoin(this.#at);
  }

  #endFrame(): boolean {
    const { fin, opcode } = this.#head!;
    this.#head = undefined;
    this.#phase = fin && opcode < 0x8 ? MESSAGE_END : HEADER;
    this.#handlers.frameEnd?.();
    return true;
  }

  /** As `#take`, and it stays valid. */
  #takeOwn(from: number, to: number, maskingKey: number | undefined, offset: number): Uint8Array {
    const slice = this.#take(from, to, maskingKey, offset);
    return this.#lent === undefined ? slice : this.#copy(slice, 0, slice.length);
  }

  /** The payload in `[from, to)` of the chunk, unmasked. */
  #take(from: number, to: number, maskingKey: number | undefined, offset: number): Uint8Array {
    const chunk = this.#chunk;
    if (maskingKey !== undefined) {
      if (this.#preserveInput) return unmaskedCopy(chunk, from, to, maskingKey, offset);
      const key = rotateKey(maskingKey, offset);
      // Whatever follows in this chunk is masked too, so all of it shares the cost of the words.
      if (this.#lent !== undefined) this.#lent.mask(from, to, key);
      else if (to - from < SHORT || this.#end - from < WORDS_PAY_FROM) maskBytes(chunk, from, to, key);
      else maskWords(chunk, (this.#words ??= wordsOf(chunk)), from, to, key);
    }
    return this.#view(from, to);
  }

  /** `chunk.subarray(from, to)` at half its price: what the chunk is made of is asked for once. */
  #view(from: number, to: number): Uint8Array {
    if (this.#memory === undefined) {
      const chunk = this.#chunk;
      this.#memory = chunk.buffer;
      this.#base = chunk.byteOffset;
      if (chunk.constructor !== this.#Chunk) {
        this.#Chunk = chunk.constructor;
        this.#View = viewClass(chunk);
      }
    }
    return new this.#View(this.#memory, this.#base + from, to - from);
  }
}
