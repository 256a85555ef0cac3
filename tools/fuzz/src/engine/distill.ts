import { BUCKETS, type Counters } from '../counting/counters.js';

/** Of the inputs, shortest first, those that reach a place that none before them does: few, for what they show. */
export async function distill(
  inputs: readonly Uint8Array[],
  counters: Counters,
  execute: (input: Uint8Array) => Promise<unknown>,
): Promise<Uint8Array[]> {
  const known = new Set<number>();
  const kept: Uint8Array[] = [];
  for (const input of [...inputs].sort((one, other) => one.length - other.length)) {
    await execute(input);
    const places = counters.collectCode().map((feature) => Math.floor(feature / BUCKETS));
    if (places.every((place) => known.has(place))) continue;
    for (const place of places) known.add(place);
    kept.push(input);
  }
  return kept;
}
