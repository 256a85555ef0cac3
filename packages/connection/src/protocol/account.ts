/** Takes note of what one connection holds in memory. */
export interface Account {
  /** So many bytes more are held; fewer, if negative. */
  add(change: number): void;
  /** These bytes are the user's, and may wait on other connections too: all together they count once. */
  hold(bytes: Uint8Array): void;
  release(bytes: Uint8Array): void;
}

/** Payloads up to here count for each connection on which they wait: as soon as they are written, each has its own copy. */
export const SHARED_FROM = 16_385;
