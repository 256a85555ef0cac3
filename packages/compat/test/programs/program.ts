import { describe, test } from '@jest/globals';
import { OURS, RAW, UNDICI, WS, type Peer } from './client.js';

// The programs of the old documents, by their numbers. Each is written twice, as it was and as it is said in the core, and what is seen of it once.

interface Program<Start> {
  /** As it was written. */
  readonly adapter: Start;
  /** As it was written, in the old library itself. Only raw bytes come to it: it leaves TCP open behind the closing handshake (B-11). */
  readonly original?: Start;
  /** Its modern twin. */
  readonly core: Start;
  /** What each kind of client sees. */
  seen?(start: Start, peer: Peer): Promise<void>;
  /** @default all */
  readonly by?: readonly Peer[];
  /** What needs a peer of its own. */
  check?(start: Start): Promise<void>;
}

export function program<Start>(
  title: string,
  { adapter, original, core, seen, by = [RAW, WS, UNDICI, OURS], check }: Program<Start>,
): void {
  // oxlint-disable-next-line jest/valid-title -- it is the caller's
  describe(title, () => {
    for (const [side, start] of Object.entries({ adapter, core, ...(original && { original }) })) {
      const peers = side === 'original' ? by.filter((peer) => peer === RAW) : by;
      // oxlint-disable-next-line jest/expect-expect -- they are in what is seen
      if (seen) for (const peer of peers) test(`${side}, ${peer.name}`, () => seen(start, peer));
      // oxlint-disable-next-line jest/expect-expect, jest/valid-title -- in what is checked
      if (check) test(side, () => check(start));
    }
  });
}

/** Resolves when it is so; looked at in each turn of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
