import type { BackFrame } from './decoder.js';
import { InflateError, type Inflater } from '@ws/testing';

/** A message that came back, inflated where it was compressed. */
export interface BackMessage {
  readonly opcode: number;
  readonly data: Buffer;
  readonly travelled: 'compressed' | 'plain';
}

export interface BackMessages {
  readonly messages: readonly BackMessage[];
  readonly problems: string[];
}

const RSV1 = 4;

/** Reads the messages in their order: each may reach back into those before it. */
export function readMessages(frames: readonly BackFrame[], inflater: Inflater | undefined): BackMessages {
  const problems: string[] = [];
  const messages: BackMessage[] = [];
  let open: BackFrame[] = [];
  for (const frame of frames.filter(({ opcode }) => opcode <= 0x2)) {
    if ((frame.opcode === 0x0) !== open.length > 0) problems.push(`§5.4: opcode ${frame.opcode} out of order`);
    open.push(frame);
    if (!frame.fin) continue;
    const { opcode, rsv } = open[0] ?? frame;
    const payload = Buffer.concat(open.map((one) => one.payload));
    open = [];
    if (inflater === undefined || rsv !== RSV1) messages.push({ opcode, data: payload, travelled: 'plain' });
    else messages.push({ opcode, data: inflate(payload, inflater, problems), travelled: 'compressed' });
  }
  if (open.length > 0) problems.push('§5.4: a message without an end');
  return { messages, problems };
}

function inflate(payload: Buffer, inflater: Inflater, problems: string[]): Buffer {
  // Where the empty block has lost its last four bytes, the last bit is part of its header or its padding.
  if ((payload.at(-1) ?? 0) >= 0x80) problems.push('RFC 7692 §7.2.1: 00 00 ff ff is still there, or more is gone');
  try {
    return inflater.message(payload);
  } catch (error) {
    if (!(error instanceof InflateError)) throw error;
    problems.push(`RFC 7692 §7.2.1: a compressed message that does not inflate: ${error.message}`);
    return Buffer.alloc(0);
  }
}
