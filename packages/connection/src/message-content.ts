import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';

type Chunk = string | Uint8Array;

/** Whatever the payload of one message can be read from. */
export type MessageContent = Chunk | Readable | ReadableStream<Chunk> | Iterable<Chunk> | AsyncIterable<Chunk>;

export function toReadable(content: MessageContent): Readable {
  if (content instanceof Readable) return content;
  // One chunk, where iterating would give characters or numbers.
  return Readable.from(typeof content === 'string' || ArrayBuffer.isView(content) ? [content] : content);
}
