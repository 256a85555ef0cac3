// FrameParser: masked frames, whole in a chunk or across chunks; for each frame, its head and the unmasked payload.
import { decodeHeader, encodeFrame, FrameParser, Opcode } from '@ws/frame';

/** @type {import('@ws/frame').FrameParserOptions} */
const OPTIONS = { role: 'server', maxFramePayload: 1 << 20 };

/** @param {number} size @param {number} count */
function frames(size, count) {
  const frame = encodeFrame({ opcode: Opcode.Binary, maskingKey: 0x9acbdeaf }, new Uint8Array(size));
  return Buffer.concat(Array.from({ length: count }, () => frame));
}

let seen = 0;

class Handlers {
  /** @param {import('@ws/frame').FrameHead} head @param {Uint8Array} payload */
  frame(head, payload) {
    seen += head.payloadLength + payload.length;
  }

  /** @param {import('@ws/frame').FrameHead} head */
  head(head) {
    seen += head.payloadLength;
  }

  /** @param {Uint8Array} slice */
  payload(slice) {
    seen += slice.length;
  }
}

/** @param {string} name @param {number} size @param {number} count @returns {import('./cases.mjs').Case} */
function inOneChunk(name, size, count) {
  const chunk = frames(size, count);
  const parser = new FrameParser(OPTIONS, new Handlers());
  return { name, per: count, run: () => parser.push(chunk) };
}

/** @param {string} name @param {number} size @param {number} chunkSize @returns {import('./cases.mjs').Case} */
function acrossChunks(name, size, chunkSize) {
  const wire = frames(size, 1);
  const parser = new FrameParser(OPTIONS, new Handlers());
  /** @type {Buffer[]} */
  const chunks = [];
  for (let at = 0; at < wire.length; at += chunkSize) chunks.push(wire.subarray(at, at + chunkSize));
  return {
    name,
    run: () => {
      for (const chunk of chunks) parser.push(chunk);
    },
  };
}

const header = frames(70_000, 1).subarray(0, 14);

/** @type {import('./cases.mjs').Cases} */
export const cases = [
  inOneChunk('16 B, one in a chunk', 16, 1),
  inOneChunk('16 B, 16 in a chunk', 16, 16),
  inOneChunk('1 KiB, 16 in a chunk', 1024, 16),
  inOneChunk('64 KiB, one in a chunk', 65_536, 1),
  acrossChunks('1 KiB across 3 chunks', 1024, 400),
  acrossChunks('256 KiB across chunks of 64 KiB', 262_144, 65_536),
  { name: 'decodeHeader, 14 bytes', run: () => (seen += decodeHeader(header)?.payloadLength ?? 0) },
];
