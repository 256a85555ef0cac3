import type { Victim } from './victims.js';

const KIB = 1024;
const ROUNDS = 7;
/** Four times the input takes four times as long where the work is linear, sixteen times where it is quadratic. */
const MOST = 8;
const ATTEMPTS = 4;

const median = (list: readonly number[]): number => list.toSorted((a, b) => a - b)[list.length >> 1] ?? NaN;

/**
 * How much longer the processor works in `victim` for 64 KiB than for 16: medians of several rounds that take turns. What is over the mark is
 * measured again, for a busy machine shows in one attempt and a quadratic grammar in all.
 * @returns the least of the attempts
 */
export async function timeRatio(
  victim: Victim,
  act: (length: number) => Promise<unknown>,
  rounds = ROUNDS,
): Promise<number> {
  const cost = async (length: number): Promise<number> => {
    const before = await victim.ask<number>('cpu');
    await act(length);
    return (await victim.ask<number>('cpu')) - before;
  };
  await cost(64 * KIB); // what is compiled is compiled now
  const ratios: number[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const short: number[] = [];
    const long: number[] = [];
    for (let round = 0; round < rounds; round++) {
      short.push(await cost(16 * KIB));
      long.push(await cost(64 * KIB));
    }
    const ratio = median(long) / median(short);
    ratios.push(ratio);
    if (ratio < MOST) break;
  }
  return Math.min(...ratios);
}

export { MOST as LINEAR };
