/** Below this, trying costs less than looking. */
const LOOK_FROM = 4096;
const SAMPLES = 4;
const SAMPLE_BYTES = 512;
const SAMPLED = SAMPLES * SAMPLE_BYTES;
/** Bits a byte. In so many random bytes 7.9 are seen, in base64 6, in text 4 to 5. */
const TOO_DENSE = 7.7;

const counts = new Uint16Array(256);

/** Is there nothing to gain? Looks at a sample: payloads that are compressed, encrypted or random have bytes of all values alike. */
export function looksIncompressible(payload: Uint8Array): boolean {
  if (payload.length < LOOK_FROM) return false;
  counts.fill(0);
  const stride = Math.floor((payload.length - SAMPLE_BYTES) / (SAMPLES - 1));
  for (let sample = 0; sample < SAMPLES; sample++) {
    const from = sample * stride;
    for (let i = from; i < from + SAMPLE_BYTES; i++) counts[payload[i]!]!++;
  }
  let bits = 0;
  for (const count of counts) if (count > 0) bits -= count * Math.log2(count / SAMPLED);
  return bits / SAMPLED > TOO_DENSE;
}
