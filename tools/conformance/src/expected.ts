import { readFileSync } from 'node:fs';
import type { CaseResult } from './runner.js';

// expected-failures.txt: what is known not to come out as the table says, line by line with a reason.

export interface ExpectedVerdict {
  readonly key: string;
  /** `'fail'`, or the name of an alternative. */
  readonly verdict: string;
  readonly reason: string;
}

export const keyOf = ({ role, testCase }: Pick<CaseResult, 'role' | 'testCase'>): string => `${role} ${testCase.id}`;

/** @throws {SyntaxError} on a line that is not `role case-id verdict reason…`, where the role may be `both` */
export function parseExpected(text: string): ExpectedVerdict[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '' || line.startsWith('#')) return [];
    const [role = '', id = '', verdict = '', ...reason] = line.trim().split(/\s+/);
    if (!['server', 'client', 'both'].includes(role) || reason.length < 3)
      throw new SyntaxError(`line ${i + 1}: expected "role case-id verdict reason", got "${line}"`);
    const roles = role === 'both' ? ['server', 'client'] : [role];
    return roles.map((end) => ({ key: `${end} ${id}`, verdict, reason: reason.join(' ') }));
  });
}

export function loadExpected(): Map<string, ExpectedVerdict> {
  const list = parseExpected(readFileSync(new URL('../expected-failures.txt', import.meta.url), 'utf8'));
  return new Map(list.map((entry) => [entry.key, entry]));
}

export const describe = (result: CaseResult): string =>
  result.problems.map(({ mode, text }) => `${mode}: ${text}`).join('\n');
