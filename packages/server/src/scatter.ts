import { getRandomValues } from 'node:crypto';

/** Each in a slice of the time of its own, anywhere in it, and in no order: evenly spread, and yet not to be foreseen. */
export function scattered<Item>(
  items: readonly Item[],
  spreadMs: number,
): readonly { readonly item: Item; readonly atMs: number }[] {
  const random = randomFractions(items.length);
  const inNoOrder = Array.from(items.keys()).sort((a, b) => random[a]! - random[b]!);
  const moments = randomFractions(items.length);
  const sliceMs = spreadMs / items.length;
  return inNoOrder.map((index, at) => ({ item: items[index]!, atMs: (at + moments[at]!) * sliceMs }));
}

function randomFractions(count: number): Float64Array {
  const fractions = new Float64Array(count);
  const block = new Uint32Array(1024); // getRandomValues takes 64 KiB at most
  for (let at = 0; at < count; at++) {
    if (at % block.length === 0) getRandomValues(block);
    fractions[at] = block[at % block.length]! / 2 ** 32;
  }
  return fractions;
}
