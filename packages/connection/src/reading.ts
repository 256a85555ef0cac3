import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { MaskingMemory } from '@ws/frame';
import { keepFreedMemory } from './freed-memory.js';

/** Where a socket has what `onread` of `net.connect` sets: a buffer that each read goes to, and who is told how much of it. */
interface Symbols {
  readonly buffer: symbol;
  readonly callback: symbol;
}
type Fields = Record<symbol, unknown>;
type OnRead = (this: Socket, byteLength: number) => boolean;
interface Handle {
  useUserBuffer?(memory: Buffer): void;
}

/**
 * More than the 64 KiB that Node reads at a time by itself: a frame of that fits with its header, and bursts cost fewer calls. What a read is copied into is
 * still less than the 128 KiB from which glibc asks the kernel for new pages each time.
 */
export const SHARED_BYTES = 114_688;

/** A record of TLS has no more. */
const RECORD_BYTES = 16_384;

/** Of which it is known, by tests, that reading works as below. */
const FIRST_MAJOR = 20;
const LAST_MAJOR = 26;

/** For tests: `false` has all connections read by `'data'`, as streams that are no sockets do; `undefined`: where it is known to work. */
export const reading: { isShared: boolean | undefined } = { isShared: undefined };

let symbols: Symbols | null | undefined;

interface Shared {
  readonly memory: MaskingMemory;
  readonly buffer: Buffer;
}
let forPlain: Shared | undefined;
let forTls: Shared | undefined;

/** What all sockets of the kind of this one are read into. */
export const sharedMemory = (socket: Socket): MaskingMemory => sharedFor(socket).memory;

/** A TLSSocket may give a record in the midst of a call from JavaScript: what is lent to others then is not to be written to. */
function sharedFor(socket: Socket): Shared {
  return isEncrypted(socket)
    ? (forTls ??= makeShared(RECORD_BYTES, true))
    : (forPlain ??= makeShared(SHARED_BYTES, false));
}

function makeShared(size: number, isVolatile: boolean): Shared {
  keepFreedMemory();
  const memory = new MaskingMemory(size, isVolatile);
  const { buffer, byteOffset, byteLength } = memory.bytes;
  return { memory, buffer: Buffer.from(buffer, byteOffset, byteLength) };
}

/**
 * Has all that is read from `socket` go into one memory for all connections of the process (a second one for TLS), where Node would else allocate anew for each read: `onRead` is called, as long as the stream is not paused and has nothing in store. It is the next connection's when that call returns. Public for the sockets of `net.connect`, by `onread`; those of a
 * server take the same by the same symbols. What is in store, or comes during a pause or while others listen for `'data'`, comes by `'data'` as ever.
 * @returns false where that cannot be: all comes by `'data'`
 */
export function readShared(socket: Duplex, onRead: OnRead): boolean {
  reading.isShared ??= isKnownRuntime();
  if (!reading.isShared || !(socket instanceof Socket)) return false;
  if (socket.listenerCount('data') > 0 || socket.listenerCount('readable') > 0) return false; // somebody listens: he would miss it
  const handle = (socket as unknown as { readonly _handle?: Handle | null })._handle;
  symbols ??= findSymbols(socket);
  if (symbols === null || typeof handle?.useUserBuffer !== 'function') return false;
  const fields = socket as unknown as Fields;
  const { buffer } = sharedFor(socket);
  if (fields[symbols.buffer] === buffer) fields[symbols.callback] = onRead; // it was read so before: see `lendFirstRead`
  if (fields[symbols.callback] === onRead) return true;
  if (fields[symbols.buffer] !== null || fields[symbols.callback] !== null) return false;
  fields[symbols.buffer] = buffer;
  fields[symbols.callback] = onRead;
  handle.useUserBuffer(buffer);
  return true;
}

/**
 * For who has a server's socket before its WebSocket: what comes first is lent to `take`, in memory that is somebody else's when it returns; all that
 * follows is put into the stream, until a WebSocket reads it. Beside the memory, that spares what a `'data'` listener costs.
 * @returns a function that begins this with a socket; false where it cannot be
 */
export function lendFirstRead(take: (socket: Socket, bytes: Buffer) => void): (socket: Socket) => boolean {
  const onRead: OnRead = function (byteLength) {
    (this as unknown as Fields)[symbols!.callback] = storeRead;
    take(this, sharedFor(this).buffer.subarray(0, byteLength));
    return true;
  };
  return (socket) => readShared(socket, onRead);
}

function storeRead(this: Socket, byteLength: number): boolean {
  return store(this, byteLength);
}

/** For `onRead`: the bytes are for later, or behind others. As Node does it without `onread`, it goes on until the stream has enough in store. */
export function store(socket: Socket, byteLength: number): boolean {
  return socket.push(Buffer.from(sharedFor(socket).buffer.subarray(0, byteLength)));
}

/** A socket that is read into shared memory would stop at once, and not see that its peer is gone: as a stream it has something in store first, like any other. */
export function pauseReading(duplex: Duplex): void {
  if (duplex instanceof Socket) Duplex.prototype.pause.call(duplex);
  else duplex.pause();
}

/** A TLSSocket; `instanceof` would load node:tls, 300 KB of heap that few servers need. */
export const isEncrypted = (duplex: Duplex): duplex is Socket => duplex instanceof Socket && 'encrypted' in duplex;

function findSymbols(socket: Socket): Symbols | null {
  const own = Object.getOwnPropertySymbols(socket);
  const buffer = own.find(({ description }) => description === 'kBuffer');
  const callback = own.find(({ description }) => description === 'kBufferCb');
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}

/** On Windows a read may be under way in memory that was given for it before; others than Node have handles of their own. */
export function isKnownRuntime(): boolean {
  const { versions, platform } = process;
  const major = Number.parseInt(versions.node, 10);
  const isNode = process.release?.name === 'node' && versions['bun'] === undefined && versions['deno'] === undefined;
  return isNode && platform !== 'win32' && major >= FIRST_MAJOR && major <= LAST_MAJOR;
}
