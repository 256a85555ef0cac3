/** What a listener throws is its own, and comes up by itself. */
export function guarded(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
