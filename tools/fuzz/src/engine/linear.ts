import { must } from './failure.js';

/** Steps that do not count: what happens once. */
const SLACK = 50_000;

/**
 * Work grows with the length and not faster: four times as much for four times as many bytes. An input may take another way by chance when it
 * grows, so it is believed only if it happens twice.
 */
export async function mustBeLinear(
  stepsFor: (length: number) => number | Promise<number>,
  length = 16_384,
): Promise<void> {
  const steps = [await stepsFor(length), await stepsFor(4 * length)];
  if (!grows(steps)) return;
  steps.push(await stepsFor(16 * length));
  must(!grows(steps.slice(1)), `${steps.join(', ')} steps for ${length}, ${4 * length}, ${16 * length} bytes`);
}

const grows = ([small = 0, large = 0]: readonly number[]): boolean => large > 5 * small + SLACK;
