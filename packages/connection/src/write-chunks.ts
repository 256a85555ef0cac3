import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { COPY_UP_TO } from './gathering.js';

export type WriteCallback = (error?: NodeJS.ErrnoException | null) => void;

/** All of them in one write. */
export function writeChunks(duplex: Duplex, chunks: Uint8Array[], callback: WriteCallback | undefined): void {
  if (chunks.length === 1) {
    duplex.write(chunks[0], callback);
    return;
  }
  const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (total <= COPY_UP_TO) {
    duplex.write(Buffer.concat(chunks, total), callback);
    return;
  }
  duplex.cork();
  const last = chunks.pop();
  for (const chunk of chunks) duplex.write(chunk);
  duplex.write(last, callback);
  duplex.uncork();
}
