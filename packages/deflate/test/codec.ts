import { Opcode } from '@ws/frame';
import type { Backend } from '../src/backend.js';
import type { DeflateError } from '../src/errors.js';
import { PerMessageDeflate, type PerMessageDeflateInit } from '../src/permessage-deflate.js';
import { zlibBackend } from '../src/node/backend.js';

/** Both ways of using zlib: what holds for one must hold for the other. */
export const PATHS = [
  { path: 'zlib handle', fastPath: true },
  { path: 'public calls', fastPath: false },
] as const;

export const NO_TAKEOVER = { serverNoContextTakeover: true, clientNoContextTakeover: true } as const;

export type Init = Partial<PerMessageDeflateInit> & { readonly fastPath?: boolean };

/** One end; everything is compressed unless told otherwise. */
export function codec({ fastPath = true, ...init }: Init = {}): PerMessageDeflate {
  return new PerMessageDeflate({ role: 'server', threshold: 0, backend: zlibBackend({ fastPath }), ...init });
}

/** A backend of which some members are others. */
export function altered(changes: Partial<Backend>, backend: Backend = zlibBackend()): Backend {
  return {
    syncInflateLimit: backend.syncInflateLimit,
    deflateSync: (data, bits) => backend.deflateSync(data, bits),
    deflate: (data, bits, done) => backend.deflate(data, bits, done),
    deflater: (holder, bits) => backend.deflater(holder, bits),
    rest: (holder) => backend.rest(holder),
    release: (holder) => backend.release(holder),
    inflateSync: (data, window, limit, most) => backend.inflateSync(data, window, limit, most),
    inflater: (window) => backend.inflater(window),
    ...changes,
  };
}

export interface Encoded {
  readonly payload: Uint8Array;
  readonly rsv: number;
}

export interface SendOptions {
  readonly fragments?: readonly Uint8Array[];
  readonly compress?: boolean;
  readonly prepared?: Map<unknown, unknown>;
}

/** One message through `encode`, fragment by fragment. */
export async function encode(
  end: PerMessageDeflate,
  payload: Uint8Array,
  { fragments = [payload], compress, prepared }: SendOptions = {},
): Promise<Encoded[]> {
  const frames: Encoded[] = [];
  for (const [i, part] of fragments.entries()) {
    const fragment = { opcode: Opcode.Binary, first: i === 0, fin: i === fragments.length - 1, compress, prepared };
    frames.push(
      await new Promise<Encoded>((resolve, reject) => {
        end.encode(part, fragment, (error, bytes, rsv) => (error ? reject(error) : resolve({ payload: bytes, rsv })));
      }),
    );
  }
  return frames;
}

/** One message through `decode`, piece by piece; what came out, or the error that it failed with. */
export async function decode(
  end: PerMessageDeflate,
  pieces: readonly Uint8Array[],
  maxPayload = Infinity,
  isLengthKnown = true,
): Promise<{ bytes: Buffer; error: DeflateError | null }> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const whole = pieces.reduce((sum, { length: part }) => sum + part, 0);
  for (const [i, piece] of pieces.entries()) {
    const told = {
      first: i === 0,
      last: i === pieces.length - 1,
      length: isLengthKnown ? whole : undefined,
      remaining: maxPayload - length,
    };
    const error = await new Promise<DeflateError | null>((resolve) => {
      end.decode(
        piece,
        told,
        (part) => {
          parts.push(part);
          length += part.length;
        },
        (failure) => resolve(failure as DeflateError | null),
      );
    });
    if (error) return { bytes: Buffer.concat(parts), error };
  }
  return { bytes: Buffer.concat(parts), error: null };
}

/** What a peer of ours gets of a message: as the connection would, by the reserved bit of its first frame. */
export async function receive(
  end: PerMessageDeflate,
  frames: readonly Encoded[],
  isLengthKnown = true,
): Promise<{ bytes: Buffer; error: DeflateError | null }> {
  const pieces = frames.map(({ payload }) => payload);
  return frames[0]!.rsv === 0
    ? { bytes: Buffer.concat(pieces), error: null }
    : decode(end, pieces, Infinity, isLengthKnown);
}

/** JSON as a program would send it. */
export function json(byteLength: number, seed = 0): Buffer {
  let text = '';
  for (let i = seed; text.length < byteLength; i++) {
    text += JSON.stringify({
      id: i,
      user: `user${(i * 7919) % 1000}`,
      text: `message number ${i * 31}`,
      ok: i % 3 === 0,
    });
  }
  return Buffer.from(text.slice(0, byteLength));
}

/** Bytes of which none can be foretold from those before, the same in each run. */
export function noise(byteLength: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(byteLength);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < byteLength; i++) {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    bytes[i] = (state ^ (state >>> 13)) >>> 11;
  }
  return bytes;
}
