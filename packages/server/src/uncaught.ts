/** Throws where nobody of ours is on the stack: what a listener throws is its owner's, comes up by itself and stops nothing here. */
export function raise(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}
