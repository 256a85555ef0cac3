import { describe, test } from '@jest/globals';
import { ROWS, type RowName } from '../rows.mjs';

type Check = (name: string, run: () => Promise<unknown> | void) => void;

/** The tests of one row of rows.mjs; a row without one fails. */
export function advisory(row: RowName, body: (check: Check) => void): void {
  const { ids, what } = ROWS[row];
  describe(`${ids.join(' ')}: ${what}`, () => {
    let checks = 0;
    body((name, run) => {
      checks++;
      // oxlint-disable-next-line jest/expect-expect, jest/valid-title -- both are the caller's
      test(name, async () => void (await run()));
    });
    if (checks === 0) throw new Error(`${row} has no test`);
  });
}
