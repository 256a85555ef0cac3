import type { Received } from './case.js';
import type { BackFrame } from './decoder.js';
import { InflateError, type Inflater } from './inflate.js';

/** A data frame that came back, inflated where it was compressed. Echoes are not fragmented. */
export interface BackMessage {
  readonly opcode: number;
  readonly data: Buffer;
  readonly travelled: NonNullable<Received['reply']>;
}

export interface BackMessages {
  readonly messages: readonly BackMessage[];
  readonly problems: string[];
}

const RSV1 = 4;

/** Reads the messages in their order: each may reach back into those before it. */
export function readMessages(frames: readonly BackFrame[], inflater: Inflater | undefined): BackMessages {
  const problems: string[] = [];
  const messages = frames
    .filter(({ opcode }) => opcode <= 0x2)
    .map((frame): BackMessage => {
      const { opcode, payload } = frame;
      if (inflater === undefined || frame.rsv !== RSV1) return { opcode, data: payload, travelled: 'plain' };
      // Where the empty block has lost its last four bytes, the last bit is part of its header or its padding.
      if ((payload.at(-1) ?? 0) >= 0x80) problems.push('RFC 7692 §7.2.1: 00 00 ff ff is still there, or more is gone');
      let data: Buffer = Buffer.alloc(0);
      try {
        data = inflater.message(payload);
      } catch (error) {
        if (!(error instanceof InflateError)) throw error;
        problems.push(`RFC 7692 §7.2.1: a compressed message that does not inflate: ${error.message}`);
      }
      return { opcode, data, travelled: 'compressed' };
    });
  return { messages, problems };
}
