// The run in small, with every fault; and runs with a server that does what it must not, which have to fail.
import { beforeAll, describe, expect, test } from '@jest/globals';
import { exchange } from '../lib/exchange.mjs';
import { SABOTAGES } from '../lib/sabotage.mjs';
import { describe as describeOutcome, summary } from '../lib/table.mjs';
import { shortSettings } from '../lib/times.mjs';

const SEED = 20;
const TIME_LIMIT_MS = 120_000;
const FAULTS = ['half-open', 'reset', 'fin', 'black-hole', 'truncate'];

test(
  'behind every fault, what was acknowledged came once and in order, every end is told rightly, and nothing is left',
  async () => {
    const outcome = await exchange({ settings: shortSettings(40, SEED), seconds: 10, warmUpSeconds: 2 });
    expect(outcome.violations).toEqual([]);
    const rows = summary(outcome);
    for (const fault of FAULTS)
      for (const direction of ['up', 'down']) expect(rows.get(`${fault} ${direction}`)?.fired).toBeGreaterThan(0);
    expect(rows.get('none')?.acknowledged).toBeGreaterThan(100);
    expect(outcome.connections.length).toBeGreaterThan(100);
    expect(describeOutcome(outcome)).toMatch(/half-open up .*timeout/);
  },
  TIME_LIMIT_MS,
);

test(
  'bytes that change on the way are noticed, by a checksum or by the protocol',
  async () => {
    const outcome = await exchange({ settings: shortSettings(20, SEED, true), seconds: 4, warmUpSeconds: 1 });
    expect(outcome.violations).toEqual([]);
    const changed = outcome.connections.filter(({ proxy }) => (proxy?.changed ?? 0) > 0);
    expect(changed.some(({ client, server }) => client?.isDamaged === true || server?.isDamaged === true)).toBe(true);
    expect(
      changed.some(({ client, server }) => [client, server].some((end) => end?.closed?.initiator === 'protocol')),
    ).toBe(true);
  },
  TIME_LIMIT_MS,
);

describe('a server that does wrong is found out', () => {
  const violations = new Map<string, string>();

  beforeAll(async () => {
    // What a process had no processor for is forgiven: where that was all there was to see, the next seed shows it.
    const run = async (sabotage: (typeof SABOTAGES)[number]) => {
      for (let seed = SEED; !violations.get(sabotage); seed++) {
        const settings = shortSettings(12, seed);
        const outcome = await exchange({ settings, seconds: 3, warmUpSeconds: 0.5, sabotage });
        violations.set(sabotage, outcome.violations.join('\n'));
      }
    };
    await Promise.all(SABOTAGES.map(run));
  }, TIME_LIMIT_MS);

  test.each([
    ['drop', /too early|another message|not as it was sent/],
    ['duplicate', /again|another message/],
    ['reorder', /too early|another message/],
    ['damage', /damaged/],
    ['leak', /server: \d+ sockets were not collected/],
    ['no-heartbeat', /server: transport .*expected timeout/],
  ])('%s', (sabotage, text) => {
    expect(violations.get(sabotage)).toMatch(text);
  });
});
