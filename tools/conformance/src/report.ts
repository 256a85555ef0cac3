import { themeOf, type Role } from './case.js';
import type { CaseResult } from './runner.js';

interface Tally {
  cases: Set<string>;
  passed: Record<Role, number>;
  total: Record<Role, number>;
  others: number;
}

const newTally = (): Tally => ({
  cases: new Set(),
  passed: { server: 0, client: 0 },
  total: { server: 0, client: 0 },
  others: 0,
});

/** A table by theme: how many cases there are, and how many pass on each end. */
export function summary(results: readonly CaseResult[]): string {
  const themes = new Map<string, Tally>();
  const all = newTally();
  for (const { testCase, role, verdict } of results) {
    const theme = themes.get(themeOf(testCase)) ?? newTally();
    themes.set(themeOf(testCase), theme);
    for (const tally of [theme, all]) {
      tally.cases.add(testCase.id);
      tally.total[role]++;
      if (verdict === 'pass') tally.passed[role]++;
      else if (verdict !== 'fail') tally.others++;
    }
  }
  const share = (tally: Tally, role: Role): string =>
    tally.total[role] === 0 ? '-' : `${tally.passed[role]}/${tally.total[role]}`;
  const row = (name: string, cells: readonly string[]): string =>
    name.padEnd(16) + cells.map((cell) => cell.padStart(11)).join('');
  const line = (name: string, tally: Tally): string =>
    row(name, [String(tally.cases.size), share(tally, 'server'), share(tally, 'client'), String(tally.others)]);
  return [
    row('theme', ['cases', 'server', 'client', 'non-strict']),
    ...Array.from(themes, ([name, tally]) => line(name, tally)),
    line('all', all),
  ].join('\n');
}
