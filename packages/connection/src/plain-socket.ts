import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A TCP or Unix socket as Node makes it: what it was given to write is with the operating system once nothing is left to write. */
export function isPlainSocket(duplex: Duplex): duplex is Socket {
  if (!(duplex instanceof Socket) || isEncrypted(duplex)) return false;
  const { write, _write } = Socket.prototype;
  return duplex.write === write && duplex._write === _write;
}

/** Chunks of such a stream are made for us alone; those of another may be somebody's own memory. */
export const ownsItsChunks = (duplex: Duplex): boolean => isEncrypted(duplex) || isPlainSocket(duplex);

/** A TLSSocket; `instanceof` would load node:tls, 300 KB of heap that few servers need. */
const isEncrypted = (duplex: Duplex): boolean => duplex instanceof Socket && 'encrypted' in duplex;

interface LibuvStream {
  readonly writeQueueSize?: unknown;
}

/** Bytes of the write in hand that the operating system has not taken, where Node tells: a part of a large one may have gone. */
export function bytesInHand(duplex: Duplex): number {
  const handle = (duplex as { readonly _handle?: LibuvStream | null })._handle;
  return typeof handle?.writeQueueSize === 'number' ? handle.writeQueueSize : 0;
}
