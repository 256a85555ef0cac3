/** Masking as RFC 6455 §5.3 says it, octet by octet: the oracle of `mask`. */
export function byteLoop(bytes: Uint8Array, maskingKey: number, offset = 0): Uint8Array {
  return bytes.map((octet, i) => octet ^ (maskingKey >>> (24 - 8 * (((offset % 4) + i) % 4))));
}
