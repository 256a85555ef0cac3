import { beforeAll, expect, test } from '@jest/globals';
import type { Role } from '../src/case.js';
import { CASES } from '../src/cases/index.js';
import { loadPeer } from '../src/endpoint.js';
import { describe, keyOf, loadExpected } from '../src/expected.js';
import { jobsOf, runCases, type CaseResult } from '../src/runner.js';

/** One test per case: all of them run first, several at a time, and each test reads its own result. */
export function conformanceOf(role: Role): void {
  const results = new Map<string, CaseResult>();
  const expected = loadExpected();

  beforeAll(async () => {
    const all = await runCases(await loadPeer('@ws'), CASES, [role], { watchdogMs: 15_000 });
    for (const result of all) results.set(keyOf(result), result);
  });

  const rows = jobsOf(CASES, [role]).map((job) => ({
    key: keyOf(job),
    title: job.testCase.title,
    section: job.testCase.section,
  }));
  test.each(rows)('$key: $title ($section)', ({ key }) => {
    const result = results.get(key);
    if (result === undefined) throw new Error('the case did not run');
    const want = expected.get(key)?.verdict ?? 'pass';
    // With the problems beside it the message of a failure says what happened.
    expect({ verdict: result.verdict, problems: want === 'fail' ? '' : describe(result) }).toEqual({
      verdict: want,
      problems: '',
    });
  });
}
