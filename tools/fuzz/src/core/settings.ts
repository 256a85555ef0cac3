import type { Guards } from '@ws/connection/protocol';
import { XOR_KINDS, type XorKind } from './xor-extension.js';
import { guardsOf } from './guarding.js';
import type { Random } from '../random.js';

/** What the first octets of a script say about the connection. */
export interface CoreSettings {
  readonly role: 'server' | 'client';
  readonly streams: boolean;
  readonly preserveInput: boolean;
  readonly deflate: { readonly takeover: boolean } | undefined;
  readonly autoPong: boolean;
  readonly strictLength: boolean;
  readonly keepFragments: boolean;
  readonly maxPayload: number;
  readonly maxFragments: number;
  readonly fragmentSize: number;
  readonly closeTimeoutMs: number;
  readonly validateUtf8: boolean;
  /** Handlers stop reading now and then, and throw. */
  readonly pausing: boolean;
  readonly throwing: boolean;
  readonly guards: Guards;
  /** A second extension, behind compression. */
  readonly xor: XorKind;
}

export function coreSettings([one = 0, two = 0, three = 0, four = 0]: readonly number[]): CoreSettings {
  const bit = (octet: number, at: number): boolean => ((octet >> at) & 1) === 1;
  return {
    role: bit(one, 0) ? 'client' : 'server',
    streams: bit(one, 1),
    preserveInput: bit(one, 2),
    deflate: bit(one, 3) ? { takeover: !bit(one, 4) } : undefined,
    autoPong: !bit(one, 5),
    strictLength: !bit(one, 6),
    keepFragments: bit(one, 7),
    maxPayload: [2000, 100, 20_000, Infinity][two & 3]!,
    maxFragments: bit(two, 2) ? 3 : 1000,
    fragmentSize: bit(two, 3) ? 16 : Infinity,
    closeTimeoutMs: bit(two, 4) ? Infinity : 1000,
    validateUtf8: !bit(two, 5),
    pausing: bit(two, 6),
    throwing: bit(two, 7) && (three & 2) === 0, // an extension lets what is thrown come up where nobody stands above it
    guards: guardsOf(four),
    xor: XOR_KINDS[three & 3]!,
  };
}

/** How one execution of a script differs from another one that must come to the same. */
export interface Variant {
  /** Longest piece that a chunk is cut into; Infinity: not cut. */
  readonly cut: number;
  /** Over the script's own word. */
  readonly streams: boolean | undefined;
  readonly hostUtf8: boolean;
  readonly random: Random;
}
