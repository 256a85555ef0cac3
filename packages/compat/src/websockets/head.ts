import { headerLength, Opcode, type FrameHead } from '@ws/frame';
import type { OutgoingHead } from '@ws/frame/stream';

/** A header that has come, of any frame. RFC 6455 §5.2 */
export interface ReceivedHead {
  readonly fin: boolean;
  readonly mask: boolean;
  readonly rsv1: boolean;
  readonly rsv2: boolean;
  readonly rsv3: boolean;
  readonly opcode: number;
  /** Bytes of the payload. */
  readonly length: number;
  /** The masking key, or nothing. */
  readonly masking: Buffer;
  /** Bytes of the header. */
  readonly headSize: number;
}

/** What `writeHead` takes: what is undefined stays as it was, what no frame can have is ignored. */
export interface WrittenHead {
  /** The next frame ends the message. @default false */
  readonly fin?: boolean | undefined;
  /** @default that of the socket */
  readonly mask?: boolean | undefined;
  /** @default 1, text */
  readonly opcode?: number | undefined;
  /** Bytes of the next frame, which several writes fill. @default those of what is written */
  readonly length?: number | undefined;
  /** Four bytes; turns `mask` on. @default random ones, others for each frame */
  readonly masking?: Uint8Array | undefined;
  /** Reserved bits are taken if an extension owns one of them (`allowedRsv`); those that are not said with it are false. */
  readonly rsv1?: boolean | undefined;
  readonly rsv2?: boolean | undefined;
  readonly rsv3?: boolean | undefined;
}

const OPCODES: ReadonlySet<unknown> = new Set(Object.values(Opcode));
const isOpcode = (value: unknown): value is Opcode => OPCODES.has(value);

const flag = (value: unknown): boolean | undefined => (value === undefined ? undefined : Boolean(value));

export function receivedHead({ fin, rsv, opcode, maskingKey, payloadLength }: FrameHead): ReceivedHead {
  const masking = Buffer.alloc(maskingKey === undefined ? 0 : 4);
  if (maskingKey !== undefined) masking.writeUInt32BE(maskingKey);
  return {
    fin,
    mask: maskingKey !== undefined,
    rsv1: (rsv & 4) !== 0,
    rsv2: (rsv & 2) !== 0,
    rsv3: (rsv & 1) !== 0,
    opcode,
    length: payloadLength,
    masking,
    headSize: headerLength(payloadLength, maskingKey !== undefined),
  };
}

export function outgoingHead(head: WrittenHead, allowedRsv: number): OutgoingHead {
  const { fin, mask, opcode, length, masking, rsv1, rsv2, rsv3 } = head;
  const rsv = ((rsv1 ? 4 : 0) | (rsv2 ? 2 : 0) | (rsv3 ? 1 : 0)) & allowedRsv;
  return {
    fin: flag(fin),
    mask: flag(mask),
    opcode: isOpcode(opcode) ? opcode : undefined,
    length: Number.isSafeInteger(length) && Number(length) >= 0 ? length : undefined,
    maskingKey: masking instanceof Uint8Array && masking.length === 4 ? Buffer.from(masking).readUInt32BE() : undefined,
    rsv: rsv === 0 ? undefined : rsv,
  };
}
