import { Buffer } from 'node:buffer';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { MaskingMemory } from '@ws/frame';
import { isPlainSocket } from './plain-socket.js';
import { readShared, sharedMemory, store } from './reading.js';

/** Who is told what a stream tells. */
export interface StreamTaker {
  received(chunk: Uint8Array): void;
  /** The memory is everybody's: it is used for as long as this call takes. */
  receivedLent(memory: MaskingMemory, byteLength: number): void;
  inputEnded(): void;
  failed(error: Error): void;
  closed(): void;
}

/** Whose the stream is: lets all of them share their listeners. */
const kTaker = Symbol('taker');
type Carrier = Duplex & { [kTaker]?: StreamTaker | undefined };

/** From now on the stream tells `taker`. */
export function giveTo(taker: StreamTaker, duplex: Duplex): void {
  (duplex as Carrier)[kTaker] = taker;
}

export const isTaken = (duplex: Duplex): boolean => (duplex as Carrier)[kTaker] !== undefined;

/** Data flows from a later tick on; `head` comes first. */
export function listen(duplex: Duplex, head: Uint8Array): void {
  if (isPlainSocket(duplex)) {
    duplex.setTimeout(0);
    duplex.setNoDelay();
  }
  duplex.allowHalfOpen = true; // what came before the peer's end is seen to before ours
  duplex.on('error', onError);
  duplex.on('close', onClose);
  duplex.on('end', onEnd);
  if (duplex instanceof Socket) dropOwnListener(duplex);
  if (head.length > 0) duplex.unshift(Buffer.from(head));
  readShared(duplex, onRead);
  duplex.on('data', onData);
}

/** Node's own listener of a socket has nothing to do where the other half stays open, but two listeners of an event are a list, of 64 bytes. */
function dropOwnListener(socket: Socket): void {
  const [first] = socket.listeners('end');
  if (first?.name === 'onReadableStreamEnd') socket.off('end', first as () => void);
}

/** What the stream has told already. */
export function catchUp(duplex: Duplex): void {
  if (duplex.destroyed) process.nextTick(onClose.bind(duplex));
  else if (duplex.readableEnded) process.nextTick(onEnd.bind(duplex));
}

/** The stream is the user's again, but for errors that come late. */
export function letGo(duplex: Duplex): void {
  const carrier: Carrier = duplex;
  carrier.off('data', onData);
  carrier.off('end', onEnd);
  carrier.off('close', onClose);
  carrier[kTaker] = undefined; // to delete it would make a hash table of the socket: 1.3 KiB
}

/** Somebody besides us listens to the stream: a look at each read, where a listener for 'newListener' would cost each idle connection memory. */
export const isHeard = (duplex: Duplex): boolean => duplex.listenerCount('data') > 1;

function onData(this: Carrier, chunk: Buffer): void {
  this[kTaker]?.received(isHeard(this) ? Buffer.from(chunk) : chunk); // it is unmasked in place: theirs stays as it came
}
function onRead(this: Socket, byteLength: number): boolean {
  if (this.isPaused() || this.readableLength > 0 || isHeard(this)) return store(this, byteLength);
  (this as Carrier)[kTaker]?.receivedLent(sharedMemory(this), byteLength);
  return true;
}
function onEnd(this: Carrier): void {
  this[kTaker]?.inputEnded();
}
function onError(this: Carrier, error: Error): void {
  this[kTaker]?.failed(error);
}
function onClose(this: Carrier): void {
  this[kTaker]?.closed();
}
