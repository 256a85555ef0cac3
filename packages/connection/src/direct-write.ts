import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { Writable, type Duplex } from 'node:stream';
import { isWriting } from './plain-socket.js';
import { isKnownRuntime } from './reading.js';

type Done = (error?: Error | null) => void;

/** For tests: `false` has all writes go through the stream; `undefined`: where it is known to work. */
export const directWriting: { isOn: boolean | undefined } = { isOn: undefined };

/** How a write goes that the stream does not know of, unless it hears of it later. */
class Ticket {
  isDone = false;
  error: Error | null | undefined;
  /** The stream's, which waits for it. */
  told: Done | undefined;
  readonly done: Done = (error) => {
    this.isDone = true;
    this.error = error;
    this.told?.(error);
  };
}

/** Used again for as long as writes are done when `_write` returns, as nearly all are. */
let ticket = new Ticket();

/** The stream has nothing to write and nobody who wants to see what it writes: a chunk may go to the operating system past it. */
export function canWriteDirectly(duplex: Duplex): duplex is Socket {
  directWriting.isOn ??= isKnownRuntime();
  return (
    directWriting.isOn &&
    duplex.write === Writable.prototype.write && // else it is somebody's who wants to see what is written
    duplex.writable &&
    duplex.writableLength === 0 &&
    !isWriting(duplex) &&
    duplex.writableCorked === 0 &&
    !(duplex as Socket).connecting
  );
}

/**
 * `socket.write(chunk)` by what that calls in the end, `_write`: for a small chunk the stream's own bookkeeping, and the tick in which it is told, cost more than the
 * frames in it. The stream hears only of a write that is not done at once, or has failed: from then on all is as if it had come through it.
 */
export function writeDirectly(socket: Socket, chunk: Buffer): void {
  const current = ticket;
  current.isDone = false;
  socket._write(chunk, 'buffer' as BufferEncoding, current.done);
  if (current.isDone && !current.error) return;
  ticket = new Ticket();
  socket._write = (_chunk, _encoding, callback) => {
    if (current.isDone) callback(current.error);
    else current.told = callback;
  };
  socket.write(chunk);
  delete (socket as Partial<Socket>)._write; // the prototype's again
}
