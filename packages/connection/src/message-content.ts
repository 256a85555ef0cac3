import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { types } from 'node:util';
import { toPayload } from './payload.js';

type Chunk = string | ArrayBufferView | ArrayBuffer;

/** Whatever the payload of one message can be read from. */
export type MessageContent = Chunk | Blob | Readable | ReadableStream<Chunk> | Iterable<Chunk> | AsyncIterable<Chunk>;

/** A stream that fails with a TypeError at what is neither a string nor bytes. */
export function toReadable(content: MessageContent): Readable {
  if (content instanceof Readable && !content.readableObjectMode) return content;
  if (content instanceof Blob) return Readable.from(content.stream());
  // One chunk, where iterating would give characters or numbers.
  return Readable.from(chunks(isChunk(content) ? [content] : content));
}

async function* chunks(parts: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string | Uint8Array> {
  for await (const part of parts) {
    if (!isChunk(part)) throw new TypeError(`a part of a message is ${describe(part)}, expected a string or bytes`);
    yield toPayload(part);
  }
}

const isChunk = (part: unknown): part is Chunk =>
  typeof part === 'string' || ArrayBuffer.isView(part) || types.isAnyArrayBuffer(part);

const describe = (part: unknown): string =>
  part === null ? 'null' : typeof part === 'object' ? 'an object' : `a ${typeof part}`;
