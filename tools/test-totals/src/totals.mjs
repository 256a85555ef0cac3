// Adds up what the test runners themselves reported. Nothing here counts in the runner's favour: what is missing,
// unreadable or contradicts itself is a failure with a name.
import { describeFailures, isBroken } from './failures.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number }} Totals */
/** @typedef {{ totals: Totals, problems: string[] }} Outcome */

/**
 * What a package left behind after its `test` script.
 * @typedef {object} PackageRun
 * @property {string} name
 * @property {string} directory
 * @property {string | undefined} report   text of reports/jest.json, undefined where there is none
 * @property {string} notices              text of reports/notices.txt, one line for everything that could not be tested
 * @property {number | undefined} exitCode of the `test` script, undefined where it is not known
 */

/**
 * The part of jest's `--json` output that is read here.
 * @typedef {object} JestReport
 * @property {boolean} success
 * @property {boolean} [wasInterrupted]
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 * @property {number} numPendingTests
 * @property {number} numTodoTests
 * @property {number} numTotalTests
 * @property {import('./failures.mjs').SuiteReport[]} testResults
 */

/**
 * One package's figures. A suite that failed although no test in it did (it did not compile, or a hook threw) is one failure.
 * @param {string} name
 * @param {string} directory  of the package
 * @param {string | undefined} text
 * @returns {Outcome}
 */
export function countReport(name, directory, text) {
  if (text === undefined) return failure(`${name}: has a test script, but left no report`);
  /** @type {JestReport} */
  let report;
  try {
    report = JSON.parse(text);
  } catch {
    return failure(`${name}: its report is not JSON`);
  }
  const {
    numPassedTests: passed,
    numFailedTests,
    numPendingTests,
    numTodoTests,
    numTotalTests,
    testResults,
  } = report ?? {};
  const skipped = numPendingTests + numTodoTests;
  if (!Array.isArray(testResults) || ![passed, numFailedTests, skipped, numTotalTests].every(Number.isSafeInteger)) {
    return failure(`${name}: its report is not jest's`);
  }
  if (numTotalTests === 0 && testResults.length === 0) return failure(`${name}: its report holds no test`);

  const problems = describeFailures(testResults, directory).map((failed) => `${name}: ${failed}`);
  let failed = numFailedTests + testResults.filter(isBroken).length;
  if (failed > 0 && problems.length === 0) problems.push(`${name}: ${failed} failed`);

  if (report.wasInterrupted) {
    problems.push(`${name}: the run was interrupted`);
    failed += 1;
  } else if (!report.success && failed === 0) {
    problems.push(`${name}: the run failed although no test did: coverage under its threshold?`);
    failed += 1;
  }
  return { totals: { passed, failed, skipped }, problems };
}

/**
 * Figures over all packages.
 * @param {readonly PackageRun[]} runs
 * @param {{ noticesFail?: boolean }} [options] noticesFail: every notice counts as a failure, as it does under CI=true
 * @returns {Outcome & { notices: string[] }}
 */
export function addUp(runs, { noticesFail = false } = {}) {
  const totals = { passed: 0, failed: 0, skipped: 0 };
  /** @type {string[]} */
  const problems = [];
  /** @type {string[]} */
  const notices = [];
  for (const { name, directory, report, notices: noticeText, exitCode } of runs) {
    const counted = countReport(name, directory, report);
    totals.passed += counted.totals.passed;
    totals.failed += counted.totals.failed;
    totals.skipped += counted.totals.skipped;
    problems.push(...counted.problems);
    if (exitCode !== undefined && exitCode !== 0 && counted.totals.failed === 0) {
      problems.push(`${name}: every test passed, but the test script ended with exit code ${exitCode}`);
      totals.failed += 1;
    }
    const lines = noticeText.split('\n').map((line) => line.trim());
    const distinct = new Set(lines.filter((line) => line !== ''));
    if (counted.totals.passed + counted.totals.failed === 0 && distinct.size === 0) {
      problems.push(`${name}: every test was skipped, and no notice says why`);
      totals.failed += 1;
    }
    for (const line of distinct) {
      notices.push(`${name}: ${line}`);
      if (!noticesFail) continue;
      problems.push(`${name}: under CI=true everything must be tested: ${line}`);
      totals.failed += 1;
    }
  }
  return { totals, problems, notices };
}

/** @param {Totals} totals */
export function totalsLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

/**
 * @param {string} problem
 * @returns {Outcome}
 */
function failure(problem) {
  return { totals: { passed: 0, failed: 1, skipped: 0 }, problems: [problem] };
}
