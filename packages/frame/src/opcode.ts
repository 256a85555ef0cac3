/** Frame opcodes. RFC 6455 §5.2; 0x3-0x7 and 0xb-0xf are reserved. */
export const Opcode = { Continuation: 0x0, Text: 0x1, Binary: 0x2, Close: 0x8, Ping: 0x9, Pong: 0xa } as const;
export type Opcode = (typeof Opcode)[keyof typeof Opcode];

/** Of the values of four bits; the top one says control, the others which. */
export const isOpcode = (nibble: number): nibble is Opcode => (nibble & 0x7) <= 2;

/** Close, Ping and Pong: at most 125 bytes, never fragmented, allowed between the fragments of a message. RFC 6455 §5.5. */
export function isControl(opcode: Opcode): boolean {
  return opcode >= 0x8; // the top bit of the four
}
