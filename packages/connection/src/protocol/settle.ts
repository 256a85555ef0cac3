import type { SendCallback } from './transport.js';

/** Calls back. What the callback throws is its owner's and comes up by itself: it stops nothing here. */
export function settle(callback: SendCallback | undefined, error: Error | null | undefined): void {
  try {
    if (error) callback?.(error);
    else callback?.();
  } catch (thrown) {
    raise(thrown);
  }
}

/** Throws where nobody of ours is on the stack. */
export function raise(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}
