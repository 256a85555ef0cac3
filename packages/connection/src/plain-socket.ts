import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { isEncrypted } from './reading.js';

/** A TCP or Unix socket as Node makes it: what it was given to write is with the operating system once nothing is left to write. */
export const isPlainSocket = (duplex: Duplex): duplex is Socket =>
  duplex instanceof Socket && !isEncrypted(duplex) && writesAsNode(duplex);

/** A TLSSocket as Node makes it. */
export const isTlsSocket = (duplex: Duplex): duplex is Socket => isEncrypted(duplex) && writesAsNode(duplex);

/** Chunks of such a stream are made for us alone; those of another may be somebody's own memory. */
export const ownsItsChunks = (duplex: Duplex): boolean => isEncrypted(duplex) || isPlainSocket(duplex);

/** A write is in hand, be it an empty one, which has no length but what follows waits for. */
export const isWriting = (duplex: Duplex): boolean =>
  (duplex as unknown as { readonly _writableState: { readonly writing: boolean } })._writableState.writing;

/** Nobody has made its writing his own, who may keep what he is given to write. */
export function writesAsNode(socket: Duplex): boolean {
  const { write, _write } = Socket.prototype;
  return socket.write === write && socket._write === _write;
}

interface LibuvStream {
  readonly writeQueueSize?: unknown;
}

/** Bytes of the write in hand that the operating system has not taken, where Node tells: a part of a large one may have gone. */
export function bytesInHand(duplex: Duplex): number {
  const handle = (duplex as { readonly _handle?: LibuvStream | null })._handle;
  return typeof handle?.writeQueueSize === 'number' ? handle.writeQueueSize : 0;
}
