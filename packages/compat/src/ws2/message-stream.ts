import type { Outgoing } from '@ws/client';
import { notOpened } from './errors.js';
import type { Sendable, SendFragment, StreamCallback } from './types.js';

/** Asks `callback` for fragments, one a tick, until it has sent the final one; while the peer does not take them it is not asked. */
export function feed(message: Outgoing, callback: StreamCallback): void {
  const isOver = (): boolean => message.writableEnded || message.destroyed;
  const ask = (): void => {
    if (!isOver()) callback(null, send);
  };
  const send: SendFragment = (data, final = false) => {
    if (isOver()) throw notOpened();
    const chunk = toChunk(data);
    if (final) message.end(chunk);
    else if (message.write(chunk))
      setImmediate(ask); // others have their turn between two
    else message.once('drain', ask);
  };
  if (message.destroyed) return process.nextTick(callback, message.errored ?? notOpened());
  message.once('error', callback);
  process.nextTick(ask);
}

function toChunk(data: Sendable): string | Uint8Array {
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return String(data || '');
}
