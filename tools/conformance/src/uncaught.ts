import { AsyncLocalStorage } from 'node:async_hooks';

/** Exceptions that nobody caught while a run was on. */
export interface Uncaught {
  readonly errors: (Error & { readonly code?: string })[];
  readonly changed: () => void;
}

const current = new AsyncLocalStorage<Uncaught>();
const running = new Set<Uncaught>();

/** Under jest an Error is of another realm than Node's: `emit('error')` wraps what it does not know as one. */
function unwrapped(error: Error & { readonly context?: unknown }): Error {
  const { context } = error;
  return typeof context === 'object' && context !== null && 'message' in context ? (context as Error) : error;
}

/** Exceptions of unknown origin count against all runs that were on: those are repeated alone. */
function assign(error: Error): void {
  const owner = current.getStore();
  for (const uncaught of owner === undefined ? running : [owner]) {
    uncaught.errors.push(unwrapped(error));
    uncaught.changed();
  }
}

/** Takes over the process's uncaught exceptions until the returned function is called. */
export function captureUncaught(): () => void {
  process.setUncaughtExceptionCaptureCallback(assign);
  return () => process.setUncaughtExceptionCaptureCallback(null);
}

export async function withUncaught<T>(uncaught: Uncaught, run: () => Promise<T>): Promise<T> {
  running.add(uncaught);
  try {
    return await current.run(uncaught, run);
  } finally {
    running.delete(uncaught);
  }
}
