// Frames from payloads: the header into memory of ours, and whole frames, as a server and as a client (masked) sends them.
import { encodeFrame, Opcode, writeHeader } from '@ws/frame';

const slab = Buffer.alloc(65_536);
const SIZES = { '16 B': 16, '1 KiB': 1024, '64 KiB': 65_536 };
const MASKED = { opcode: Opcode.Binary, maskingKey: 0x9acbdeaf };
const PLAIN = { opcode: Opcode.Binary };

/** @type {import('./cases.mjs').Cases} */
export const cases = [
  { name: 'writeHeader, 16 B', run: () => writeHeader(slab, 0, true, 0, Opcode.Binary, 16, undefined) },
  {
    name: 'writeHeader, 64 KiB, masked',
    run: () => writeHeader(slab, 0, true, 0, Opcode.Binary, 65_536, MASKED.maskingKey),
  },
  ...Object.entries(SIZES).flatMap(([name, size]) => {
    const payload = Buffer.alloc(size, 'a');
    return [
      { name: `encodeFrame, ${name}`, run: () => encodeFrame(PLAIN, payload) },
      { name: `encodeFrame, ${name}, masked`, run: () => encodeFrame(MASKED, payload) },
    ];
  }),
];
