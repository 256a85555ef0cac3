/** Masking as RFC 6455 §5.3 says it, octet by octet: the oracle of `mask`. */
export function byteLoop(bytes: Uint8Array, maskingKey: number, offset = 0): Uint8Array {
  const key = [maskingKey >>> 24, (maskingKey >>> 16) & 0xff, (maskingKey >>> 8) & 0xff, maskingKey & 0xff];
  return bytes.map((octet, i) => octet ^ key[((offset % 4) + i) % 4]!);
}
