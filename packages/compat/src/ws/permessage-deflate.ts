import {
  answer,
  checkAnswer,
  offer,
  PerMessageDeflate as Codec,
  type DeflateElement,
  type DeflateParameters,
} from '@ws/deflate';
import { zlibBackend, type PerMessageDeflateOptions } from '@ws/deflate/node';
import { clientDeflate, serverDeflate } from './defaults.js';
import { parameterList } from './header-values.js';

type Params = Record<string, boolean | number>;
type Done = (error: Error | null, data?: Buffer) => void;

export interface PerMessageDeflateInit extends PerMessageDeflateOptions {
  readonly isServer?: boolean | undefined;
  readonly maxPayload?: number | undefined;
}

const NAME = 'permessage-deflate';

/** permessage-deflate by itself, in the API of `ws`: negotiation, and messages one after the other. */
export class PerMessageDeflate {
  static readonly extensionName = NAME;
  params: Params | null = null;
  readonly #options: PerMessageDeflateOptions;
  readonly #isServer: boolean;
  readonly #maxPayload: number;
  #agreed: DeflateParameters | undefined;
  #codec: Codec | undefined;
  #compressing = Promise.resolve();
  #decompressing = Promise.resolve();
  #isFirst = { out: true, in: true };

  constructor({ isServer = false, maxPayload = 0, ...options }: PerMessageDeflateInit = {}) {
    this.#options = (isServer ? serverDeflate(options) : clientDeflate(options)) as PerMessageDeflateOptions;
    this.#isServer = isServer;
    this.#maxPayload = maxPayload || Infinity;
  }

  /** What a client offers. */
  offer(): Params {
    return paramsOf(offer(this.#options)[0]!);
  }

  /** As a server takes offers, as a client an answer. @throws {Error} if none of them will do */
  accept(configurations: readonly object[]): Params {
    const elements = configurations.map((params) => ({ name: NAME, parameters: parameterList(params) }));
    const agreed = this.#isServer ? answer(elements, this.#options)?.response : elements[0];
    if (agreed === undefined) throw new Error('None of the extension offers can be accepted');
    this.#agreed = this.#isServer ? checkAnswer(agreed) : checkAnswer(agreed, this.#options);
    return (this.params = paramsOf(agreed));
  }

  /** What the extension of a connection is made of. */
  get codec(): Codec {
    return (this.#codec ??= this.#makeCodec());
  }

  /** Frees what it holds: messages from now on refer to none before. */
  cleanup(): void {
    this.#codec?.close();
    this.#codec = undefined;
  }

  /** @throws {Error} if nothing was agreed */
  compress(data: Uint8Array | string, fin: boolean, callback: Done): void {
    const { codec } = this;
    const payload = typeof data === 'string' ? Buffer.from(data) : data;
    const fragment = { opcode: 2, compress: true } as const;
    this.#compressing = this.#compressing.then(
      () =>
        new Promise((resolve) => {
          const finish = settle(callback, resolve);
          const go = (): void =>
            codec.encode(payload, { ...fragment, first: false, fin }, (error, bytes) => finish(error, [bytes]));
          const { out: first } = this.#isFirst;
          this.#isFirst.out = fin;
          // A message that begins with an empty fragment is compressed whatever is in it.
          if (!first) go();
          else codec.encode(NOTHING, { ...fragment, first, fin: false }, go);
        }),
    );
  }

  /** @throws {Error} if nothing was agreed */
  decompress(data: Uint8Array, fin: boolean, callback: Done): void {
    const { codec } = this;
    this.#decompressing = this.#decompressing.then(
      () =>
        new Promise((resolve) => {
          const { in: first } = this.#isFirst;
          this.#isFirst.in = fin;
          const output: Uint8Array[] = [];
          const piece = { first, last: fin, remaining: this.#maxPayload, flow: OPEN };
          const take = (slice: Uint8Array): void => void output.push(slice);
          codec.decode(data, piece, take, (error) => settle(callback, resolve)(error, output));
        }),
    );
  }

  #makeCodec(): Codec {
    if (this.#agreed === undefined) throw new Error('nothing was agreed: accept() comes first');
    const backend = zlibBackend({ ...this.#options, maxContexts: Number.MAX_SAFE_INTEGER }); // whoever compresses has one
    const { maxRatio } = this.#options;
    return new Codec({ role: this.#isServer ? 'server' : 'client', parameters: this.#agreed, backend, maxRatio });
  }
}

const NOTHING = new Uint8Array(0);
/** Each piece is decompressed as far as it goes. */
const OPEN = { isFull: false, whenRoom: (proceed: () => void) => proceed() };

/** Calls back outside of Promises: an exception in there is its own affair. */
const settle =
  (callback: Done, resolve: () => void) =>
  (error: Error | null, parts: readonly Uint8Array[]): void => {
    process.nextTick(callback, error, error ? undefined : Buffer.concat(parts));
    resolve();
  };

function paramsOf({ parameters }: DeflateElement): Params {
  return Object.fromEntries(parameters.map(([name, value]) => [name, value === true ? true : Number(value)]));
}
