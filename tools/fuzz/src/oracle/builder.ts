import type { Random } from '../random.js';

/** A frame as it stands on the wire, legal or not: what is not given is as a sender of today would have it. */
export function wireFrame(frame: {
  readonly opcode: number;
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly key?: number | undefined;
  readonly payload: Uint8Array;
  /** Bits of the length: 7, 16 or 64; the shortest if left out. */
  readonly lengthBits?: number;
}): Buffer {
  const { opcode, fin = true, rsv = 0, key, payload } = frame;
  const { length } = payload;
  const bits = frame.lengthBits ?? (length < 126 ? 7 : length < 65_536 ? 16 : 64);
  const head = Buffer.alloc(2 + (bits === 64 ? 8 : bits === 16 ? 2 : 0) + (key === undefined ? 0 : 4));
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (key === undefined ? 0 : 0x80) | (bits === 64 ? 127 : bits === 16 ? 126 : length);
  if (bits === 64) head.writeBigUInt64BE(BigInt(length), 2);
  else if (bits === 16) head.writeUInt16BE(length & 0xffff, 2);
  if (key === undefined) return Buffer.concat([head, payload]);
  head.writeUInt32BE(key, head.length - 4);
  const mask = head.subarray(head.length - 4);
  return Buffer.concat([head, payload.map((byte, i) => byte ^ mask[i % 4]!)]);
}

const LENGTHS = [0, 0, 1, 2, 3, 7, 31, 32, 47, 48, 63, 64, 65, 95, 96, 97, 124, 125, 126, 127, 128, 300];
export const TEXTS: readonly Uint8Array[] = ['', 'a', 'héllo', '€', '😀', 'x'.repeat(130), '\u{10ffff}'].map((text) =>
  Buffer.from(text),
);

/** A frame that breaks no rule of its own. */
export function someFrame(random: Random, masked: boolean): Buffer {
  const opcode = random.pick([0, 0, 1, 1, 2, 2, 8, 9, 10]);
  const isControl = opcode >= 8;
  const content = random.oneIn(2) ? random.pick(TEXTS) : random.bytes(random.pick(LENGTHS));
  const payload = opcode === 8 && !random.oneIn(4) ? Buffer.concat([closeCode(random), content]) : content;
  return wireFrame({
    opcode,
    fin: isControl || random.oneIn(2),
    rsv: random.oneIn(8) ? random.below(8) : 0,
    key: masked ? random.below(2 ** 32) : undefined,
    payload: isControl ? payload.subarray(0, 125) : payload,
    ...(random.oneIn(12) && !isControl ? { lengthBits: random.pick([16, 64]) } : {}),
  });
}

export function closeCode(random: Random): Buffer {
  const code = random.pick([1000, 1001, 1002, 1005, 1006, 1009, 1011, 1015, 2999, 3000, 4999, 5000, 999, 0]);
  return Buffer.from([code >> 8, code & 0xff]);
}
