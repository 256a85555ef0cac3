import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from '@jest/globals';
import { addUp, countReport, totalsLine } from '../src/totals.mjs';

/** @param {Record<string, unknown>} [changes] */
const report = (changes) =>
  JSON.stringify({
    success: true,
    numPassedTests: 0,
    numFailedTests: 0,
    numPendingTests: 0,
    numTodoTests: 0,
    numTotalTests: 1,
    testResults: [{ name: 'a.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] }],
    ...changes,
  });
const green = report({ numPassedTests: 3, numPendingTests: 1, numTodoTests: 1, numTotalTests: 5 });
const quiet = { notices: '', exitCode: 0 };

test('adds up over packages; todo counts as skipped', () => {
  const runs = [
    { name: 'a', report: green, ...quiet },
    { name: 'b', report: green, ...quiet },
  ];
  expect(addUp(runs)).toEqual({ totals: { passed: 6, failed: 0, skipped: 4 }, problems: [], notices: [] });
});

const BROKEN = [
  { what: 'no report', text: undefined },
  { what: 'half a report', text: '{"numPassedTests": 3' },
  { what: 'null', text: 'null' },
  { what: 'a report of something else', text: '{"tests": 3}' },
  { what: 'no test at all', text: report({ numTotalTests: 0, testResults: [] }) },
  { what: 'an unsuccessful run without a failed test', text: report({ success: false, numPassedTests: 1 }) },
  { what: 'an interrupted run', text: report({ success: false, wasInterrupted: true, numPassedTests: 1 }) },
  { what: 'a failed test', text: report({ success: false, numPassedTests: 1, numFailedTests: 1 }) },
  {
    what: 'a suite that could not run beside one that passed',
    text: report({
      success: false,
      numPassedTests: 1,
      testResults: [
        { name: 'a.test.ts', status: 'passed', assertionResults: [{ status: 'passed' }] },
        { name: 'b.test.ts', status: 'failed', assertionResults: [] },
      ],
    }),
  },
];

test.each(BROKEN)('$what is one failure, and names the package', ({ text }) => {
  const { totals, problems } = countReport('@ws/x', text);
  expect(totals.failed).toBe(1);
  expect(problems).toEqual([expect.stringContaining('@ws/x')]);
});

test('failed tests and broken suites add up', () => {
  const text = report({
    success: false,
    numFailedTests: 2,
    testResults: [
      { name: 'a.test.ts', status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'failed' }] },
      { name: 'b.test.ts', status: 'failed', assertionResults: [{ status: 'passed' }] },
    ],
  });
  expect(countReport('a', text).totals.failed).toBe(3);
});

test('a script that fails although its tests passed is a failure; a failure is not counted twice', () => {
  const failed = report({ success: false, numFailedTests: 1 });
  const runs = [
    { name: 'a', report: green, notices: '', exitCode: 1 },
    { name: 'b', report: failed, notices: '', exitCode: 1 },
  ];
  const { totals, problems } = addUp(runs);
  expect(totals.failed).toBe(2);
  expect(problems[0]).toContain('exit code 1');
});

test('notices are repeated; only where asked for they are failures', () => {
  const runs = [{ name: 'a', report: green, notices: 'Chromium is missing\n\nChromium is missing\n', exitCode: 0 }];
  expect(addUp(runs)).toMatchObject({ totals: { failed: 0 }, notices: ['a: Chromium is missing'] });
  expect(addUp(runs, { noticesFail: true })).toMatchObject({ totals: { passed: 3, failed: 1 } });
});

test('a package in which every test was skipped has to say why', () => {
  const skipped = { name: 'a', report: report({ numPendingTests: 1 }), exitCode: 0 };
  expect(addUp([{ ...skipped, notices: '' }]).totals).toEqual({ passed: 0, failed: 1, skipped: 1 });
  expect(addUp([{ ...skipped, notices: 'Chromium is missing' }]).totals).toEqual({ passed: 0, failed: 0, skipped: 1 });
});

test('the line', () => {
  expect(totalsLine({ passed: 12, failed: 0, skipped: 3 })).toBe('12 passed, 0 failed, 3 skipped');
});

const directory = mkdtempSync(join(tmpdir(), 'test-totals-'));
afterAll(() => rmSync(directory, { recursive: true }));

// The shapes above are only as good as jest's real report: run it over a project that has one of each.
test('reads what jest really writes', () => {
  writeFileSync(join(directory, 'package.json'), '{}');
  writeFileSync(
    join(directory, 'mixed.test.js'),
    `test('a', () => {}); test('b', () => {}); test('c', () => { throw new Error('no'); }); test.skip('d', () => {}); test.todo('e');`,
  );
  writeFileSync(join(directory, 'syntax.test.js'), 'test(');
  writeFileSync(join(directory, 'empty.test.js'), '');
  writeFileSync(join(directory, 'hook.test.js'), `test('f', () => {}); afterAll(() => { throw new Error('no'); });`);
  const jest = fileURLToPath(new URL('../../../node_modules/jest/bin/jest.js', import.meta.url));
  const outputFile = join(directory, 'report.json');
  const args = [jest, '--rootDir', directory, '--json', `--outputFile=${outputFile}`, '--ci', '-i'];
  expect(() => execFileSync(process.execPath, args, { cwd: directory, stdio: 'ignore' })).toThrow('Command failed');
  // Failed: c, and the suites syntax, empty and hook.
  expect(countReport('a', readFileSync(outputFile, 'utf8')).totals).toEqual({ passed: 3, failed: 4, skipped: 2 });
});
