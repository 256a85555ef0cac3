import { createHash } from 'node:crypto';
import { constants, deflateRawSync, type ZlibOptions } from 'node:zlib';
import type { Agreement, DeflateOptions, EndpointOptions, FrameCase } from './case.js';
import type { FrameRow } from './table.js';

// What rows about permessage-deflate share: handshakes that agree on it, and input that zlib has made.

type Session = Required<Pick<FrameCase, 'options' | 'deflate'>>;

export function session(perMessageDeflate: DeflateOptions, deflate: Agreement, more: EndpointOptions = {}): Session {
  return { options: { ...more, perMessageDeflate }, deflate };
}

/** Each end keeps its window from one message to the next. */
export const takeover = (more: EndpointOptions = {}, own: DeflateOptions = {}): Session =>
  session(
    { serverNoContextTakeover: false, clientNoContextTakeover: false, ...own },
    { offer: 'permessage-deflate', answer: 'permessage-deflate' },
    more,
  );

/** Each message stands by itself. */
export const noTakeover = (more: EndpointOptions = {}, own: DeflateOptions = {}): Session =>
  session(
    { serverNoContextTakeover: true, clientNoContextTakeover: true, ...own },
    {
      offer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
      answer: 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    },
    more,
  );

/** Both ends have a window of so many bits. */
export const windows = (bits: number, keeps: boolean): Session => {
  const parameters = [
    ...(keeps ? [] : ['server_no_context_takeover', 'client_no_context_takeover']),
    `server_max_window_bits=${bits}`,
    `client_max_window_bits=${bits}`,
  ];
  const agreed = ['permessage-deflate', ...parameters].join('; ');
  return session(
    {
      serverNoContextTakeover: !keeps,
      clientNoContextTakeover: !keeps,
      serverMaxWindowBits: bits,
      clientMaxWindowBits: bits,
    },
    { offer: agreed, answer: agreed },
  );
};

/** A message as zlib compresses it, without the tail. RFC 7692 §7.2.1 */
export const zlibs = (data: string | Uint8Array, options: ZlibOptions = {}): Buffer =>
  deflateRawSync(data, { ...options, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** Bytes that do not compress, the same in every run. */
export function randomBytes(length: number, seed = ''): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, i) =>
    createHash('sha256').update(`${seed} ${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, length);
}

/** The same row with and without context takeover. */
export const inBoth = (row: Omit<FrameRow, 'deflate' | 'options'>, more: EndpointOptions = {}): FrameRow[] => [
  { ...row, ...takeover(more) },
  { ...row, ...noTakeover(more), id: `${row.id}-alone`, title: `${row.title}; no context takeover` },
];

/** §7.2.3.1 of RFC 7692 */
export const HELLO = 'f2 48 cd c9 c9 07 00';
/** The same once more, as a reference to the message before it, §7.2.3.2. */
export const AGAIN = 'f2 00 11 00 00';

/** A payload in at most fifty pieces. */
export const inPieces = (payload: Buffer): Buffer[] => {
  const size = Math.max(1, Math.ceil(payload.length / 50));
  return Array.from({ length: Math.ceil(payload.length / size) }, (_, i) => payload.subarray(i * size, (i + 1) * size));
};
