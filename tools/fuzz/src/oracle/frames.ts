// The second opinion on frames: RFC 6455 §5.2 read aloud, with BigInt, RegExp and no state. It sees the whole stream and
// still finds the fault at the octet that decides, as the parser must.

export interface NaiveFrame {
  readonly head: {
    readonly fin: boolean;
    readonly rsv: number;
    readonly opcode: number;
    readonly maskingKey: number | undefined;
    readonly payloadLength: number;
  };
  /** As much as there is, unmasked. */
  readonly payload: Buffer;
  readonly ended: boolean;
  /** Offset of its first byte, and behind its header. */
  readonly at: number;
  readonly bodyAt: number;
}

export interface FrameRulesGiven {
  readonly role: 'server' | 'client' | 'any';
  readonly allowedRsv: number;
  readonly strictLength: boolean;
  /** Infinity: none. */
  readonly maxFramePayload: number;
}

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** Frames, and the code of what ends them. */
export function naiveFrames(bytes: Uint8Array, rules: FrameRulesGiven): { frames: NaiveFrame[]; error?: string } {
  const frames: NaiveFrame[] = [];
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const error = faultOfHeader(rest, rules);
    if (error !== undefined) return { frames, error };
    const size = headerSize(rest);
    if (size === undefined || rest.length < size) break;
    const [first, second] = [rest[0]!, rest[1]!];
    const view = Buffer.from(rest);
    const isMasked = second >= 0x80;
    const payloadLength = Number(lengthBounds(rest)?.[0] ?? 0n);
    const key = isMasked ? view.subarray(size - 4, size) : Buffer.alloc(4);
    const masked = rest.subarray(size, size + payloadLength);
    const payload = Buffer.from(masked.map((byte, i) => byte ^ key[i % 4]!));
    const head = {
      fin: first >= 0x80,
      rsv: (first >> 4) & 7,
      opcode: first & 15,
      maskingKey: isMasked ? key.readUInt32BE() : undefined,
      payloadLength,
    };
    frames.push({ head, payload, ended: payload.length === payloadLength, at, bodyAt: at + size });
    at += size + payloadLength;
  }
  return { frames };
}

function headerSize(bytes: Uint8Array): number | undefined {
  const second = bytes[1];
  if (second === undefined) return undefined;
  const length7 = second & 0x7f;
  return 2 + (length7 === 127 ? 8 : length7 === 126 ? 2 : 0) + (second >= 0x80 ? 4 : 0);
}

/** Least and most that the length can be, by what is there of it; undefined before the second byte. */
function lengthBounds(bytes: Uint8Array): [least: bigint, most: bigint] | undefined {
  const second = bytes[1];
  if (second === undefined) return undefined;
  const length7 = second & 0x7f;
  if (length7 < 126) return [BigInt(length7), BigInt(length7)];
  const size = length7 === 126 ? 2 : 8;
  const there = Buffer.from(bytes.subarray(2, 2 + size)).toString('hex');
  return [BigInt(`0x${there.padEnd(2 * size, '0')}`), BigInt(`0x${there.padEnd(2 * size, 'f')}`)];
}

/** The first fault of a header, octet by octet. */
function faultOfHeader(bytes: Uint8Array, rules: FrameRulesGiven): string | undefined {
  const first = bytes[0]!;
  const isControl = (first & 8) !== 0;
  const allowed = isControl ? rules.allowedRsv & 3 : rules.allowedRsv;
  const rsv = (first >> 4) & 7 & ~allowed;
  if ((rsv & 3) !== 0) return 'WS_ERR_UNEXPECTED_RSV_2_3';
  if (rsv !== 0) return 'WS_ERR_UNEXPECTED_RSV_1';
  if (!/^[01289a]$/.test((first & 15).toString(16))) return 'WS_ERR_INVALID_OPCODE';
  if (isControl && first < 0x80) return 'WS_ERR_EXPECTED_FIN';
  const second = bytes[1];
  if (second === undefined) return undefined;
  if (rules.role === 'server' && second < 0x80) return 'WS_ERR_EXPECTED_MASK';
  if (rules.role === 'client' && second >= 0x80) return 'WS_ERR_UNEXPECTED_MASK';
  const length7 = second & 0x7f;
  if (isControl) return length7 > 125 ? 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH' : undefined;
  const octets = length7 === 127 ? 8 : length7 === 126 ? 2 : 0;
  for (let there = octets === 0 ? 0 : 1; there <= octets && there <= bytes.length - 2; there++) {
    const [least, most] = lengthBounds(bytes.subarray(0, 2 + there))!;
    if (rules.strictLength && octets > 0 && most < (octets === 8 ? 65_536n : 126n)) return 'WS_ERR_NON_MINIMAL_LENGTH';
    if (least > SAFE) return 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH';
    if (least > rules.maxFramePayload) return 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
  }
  return undefined;
}
