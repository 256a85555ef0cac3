/** Throws where nobody of ours is on the stack: what a listener throws is its owner's, comes up by itself and stops nothing here. */
export function raise(thrown: unknown): void {
  queueMicrotask(() => {
    throw thrown;
  });
}

/** Does what may run a listener of the user's: what that throws comes up by itself, as {@link raise} has it. */
export function guarded(act: () => void): void {
  try {
    act();
  } catch (error) {
    raise(error);
  }
}
