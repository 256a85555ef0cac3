/** Work is counted as bytes that an extension made at once; a frame, and what its message causes, costs as much as so many. */
const FRAME_WORK = 128;
/** Of one connection in one turn of the event loop: 512 KiB decompressed, or 4096 frames. */
const SHARE = 524_288;
/** What a chunk causes below this is not carried over to the next: libuv reads at most 32 chunks of one socket in a turn. */
const TRIFLE = SHARE / 16;

export interface TurnShareHost {
  /** Nothing more is parsed in this turn. */
  rest(): void;
  /** Calls `begin` in the next turn. @returns false where nobody tells of turns: then there is no share either */
  askForTurn(): boolean;
}

/**
 * What one connection may cause in one turn of the event loop, in which all others wait for it. What it has sent beyond that waits for the
 * next turn, in its order, and costs nothing but that time.
 */
export class TurnShare {
  readonly #host: TurnShareHost;
  #spent = 0;
  #isAsked = false;

  constructor(host: TurnShareHost) {
    this.#host = host;
  }

  /** The next turn is awaited. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  frame(): void {
    if ((this.#spent += FRAME_WORK) >= SHARE) this.#exhausted();
  }

  /** There is room for more than so many frames. */
  has(frames: number): boolean {
    return this.#spent + frames * FRAME_WORK < SHARE;
  }

  decoded(byteLength: number): void {
    if ((this.#spent += byteLength) >= SHARE) this.#exhausted();
  }

  /** A chunk is parsed. */
  parsed(): void {
    if (this.#isAsked) return;
    if (this.#spent < TRIFLE) this.#spent = 0;
    else this.#ask();
  }

  /** It is another turn. */
  begin(): void {
    this.#isAsked = false;
    this.#spent = 0;
  }

  #exhausted(): void {
    if (!this.#isAsked) this.#ask();
    if (this.#isAsked) this.#host.rest();
  }

  #ask(): void {
    this.#isAsked = true;
    if (!this.#host.askForTurn()) this.begin();
  }
}
