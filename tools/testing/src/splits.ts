/** Every way to cut `bytes` in two, then one byte at a time. */
export function* everySplit(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at <= bytes.length; at++) yield [bytes.slice(0, at), bytes.slice(at)];
  yield Array.from(bytes, (_, i) => bytes.slice(i, i + 1));
}
