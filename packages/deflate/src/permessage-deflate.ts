import type { Backend } from './backend.js';
import { checkCodecOptions, show, type CodecOptions } from './codec-options.js';
import { Compression, type CompressionOptions } from './compression.js';
import { Decompression, type DecompressionOptions } from './decompression.js';
import { RSV1, type Encoded, type Failure, type IncomingPiece, type OutgoingFragment } from './extension.js';
import type { DeflateParameters } from './parameters.js';

export interface PerMessageDeflateInit extends CodecOptions {
  /** Our end. */
  readonly role: 'server' | 'client';
  /** What was agreed. @default context takeover both ways, windows of 15 bits: nothing but the name */
  readonly parameters?: Partial<DeflateParameters> | undefined;
  /** What compresses: `zlibBackend()` of `@ws/deflate/node`, or one of your own. */
  readonly backend: Backend;
}

interface Halves {
  readonly compression: CompressionOptions;
  readonly decompression: DecompressionOptions;
}

/** What connections that agreed alike have in common is there once. */
const known = new WeakMap<Backend, Map<string, Halves>>();

function halvesOf(backend: Backend, key: string, make: () => Halves): Halves {
  let ofBackend = known.get(backend);
  if (ofBackend === undefined) known.set(backend, (ofBackend = new Map<string, Halves>()));
  let halves = ofBackend.get(key);
  if (halves === undefined) ofBackend.set(key, (halves = make()));
  return halves;
}

/**
 * permessage-deflate as one connection uses it, RFC 7692 §7.2: an `Extension` of `@ws/connection`.
 *
 * Errors that it fails the connection with are {@link DeflateError}s: WS_ERR_INVALID_DEFLATE_DATA (1007),
 * WS_ERR_UNSUPPORTED_MESSAGE_LENGTH (1009), WS_ERR_INFLATION_RATIO (1009), WS_ERR_DEFLATE_FAILED (1011).
 */
export class PerMessageDeflate {
  readonly #compression: Compression;
  readonly #decompression: Decompression;
  readonly #backend: Backend;

  /** @throws {TypeError | RangeError} naming the option */
  constructor(options: PerMessageDeflateInit) {
    const { role, parameters = {}, backend } = options;
    if (role !== 'server' && role !== 'client') {
      throw new TypeError(`role is ${show(role)}, expected 'server' or 'client'`);
    }
    if (typeof backend?.deflateSync !== 'function')
      throw new TypeError(`backend is ${show(backend)}, expected a Backend`);
    this.#backend = backend;
    const { threshold, thresholdMode, maxRatio } = checkCodecOptions(options);
    const { serverNoContextTakeover = false, clientNoContextTakeover = false } = parameters;
    const { serverMaxWindowBits = 15, clientMaxWindowBits = 15 } = parameters;
    const server = {
      windowBits: checkBits('serverMaxWindowBits', serverMaxWindowBits),
      takeover: !serverNoContextTakeover,
    };
    const client = {
      windowBits: checkBits('clientMaxWindowBits', clientMaxWindowBits),
      takeover: !clientNoContextTakeover,
    };
    const [ours, theirs] = role === 'server' ? [server, client] : [client, server];
    const applied = thresholdMode === 'always' || !ours.takeover ? threshold : 0;
    const key = [...Object.values(ours), ...Object.values(theirs), applied, maxRatio].join();
    const shared = halvesOf(backend, key, () => ({
      compression: { backend, ...ours, threshold: applied },
      decompression: { backend, ...theirs, maxRatio },
    }));
    this.#compression = new Compression(shared.compression);
    this.#decompression = new Decompression(shared.decompression);
  }

  get name(): 'permessage-deflate' {
    return 'permessage-deflate';
  }
  /** RSV1. §6 */
  get rsv(): 4 {
    return RSV1;
  }

  encode(payload: Uint8Array, fragment: OutgoingFragment, done: Encoded): void {
    this.#compression.encode(payload, fragment, done);
  }

  decode(
    slice: Uint8Array,
    piece: IncomingPiece,
    output: (slice: Uint8Array) => void,
    done: (error: Failure | null) => void,
  ): void {
    this.#decompression.decode(slice, piece, output, done);
  }

  /** `report` takes each change of the bytes held for this connection: what it received of a message, its windows, its compressor while it has one. */
  reportMemory(report: (change: number) => void): void {
    this.#compression.report = report;
    this.#decompression.report = report;
  }

  /** Frees compressors that nobody is using at this moment, of whomever. */
  relieve(): void {
    this.#backend.dropIdle?.();
  }

  close(): void {
    this.#compression.close();
    this.#decompression.close();
  }
}

function checkBits(name: string, bits: number): number {
  if (Number.isInteger(bits) && bits >= 8 && bits <= 15) return bits;
  throw new RangeError(`${name} is ${show(bits)}, expected 8 to 15`);
}
