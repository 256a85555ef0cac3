// What the server and its recipients agree on: a message begins with its number, four bytes.

/** In place of a number: what fills the kernel's buffers, and what comes behind all messages. */
export const FILLER = 0xffff_fffe;
export const MARKER = 0xffff_ffff;
export const FILLER_BYTES = 16_384;
