import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
const quiet = { directory: '/x', notices: '', exitCode: 0 };

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
  const { totals, problems } = countReport('@ws/x', '/x', text);
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
  expect(countReport('a', '/x', text).totals.failed).toBe(3);
});

test('a script that fails although its tests passed is a failure; a failure is not counted twice', () => {
  const failed = report({ success: false, numFailedTests: 1 });
  const runs = [
    { name: 'a', report: green, ...quiet, exitCode: 1 },
    { name: 'b', report: failed, ...quiet, exitCode: 1 },
  ];
  const { totals, problems } = addUp(runs);
  expect(totals.failed).toBe(2);
  expect(problems[0]).toContain('exit code 1');
});

test('notices are repeated; only where asked for they are failures', () => {
  const runs = [{ name: 'a', report: green, ...quiet, notices: 'Chromium is missing\n\nChromium is missing\n' }];
  expect(addUp(runs)).toMatchObject({ totals: { failed: 0 }, notices: ['a: Chromium is missing'] });
  expect(addUp(runs, { noticesFail: true })).toMatchObject({ totals: { passed: 3, failed: 1 } });
});

test('a package in which every test was skipped has to say why', () => {
  const skipped = { name: 'a', ...quiet, report: report({ numPendingTests: 1 }) };
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
  mkdirSync(join(directory, 'test'));
  const write = (/** @type {string} */ name, /** @type {string} */ source) =>
    writeFileSync(join(directory, 'test', name), source);
  write(
    'mixed.test.js',
    `test('a', () => {}); test('b', () => {}); test.skip('d', () => {}); test.todo('e');
    describe('c', () => { test('fails', () => {
      expect([1, 2]).toEqual([1, 3]);
    }); });`,
  );
  write('syntax.test.js', 'test(');
  write('empty.test.js', '');
  write('hook.test.js', `test('f', () => {}); afterAll(() => { throw new Error('no hook'); });`);
  const jest = fileURLToPath(new URL('../../../node_modules/jest/bin/jest.js', import.meta.url));
  const outputFile = join(directory, 'report.json');
  const args = [jest, '--rootDir', directory, '--json', `--outputFile=${outputFile}`, '--ci', '-i'];
  const env = { ...process.env, FORCE_COLOR: '1' }; // as under turbo
  expect(() => execFileSync(process.execPath, args, { cwd: directory, env, stdio: 'ignore' })).toThrow(
    'Command failed',
  );
  const { totals, problems } = countReport('a', directory, readFileSync(outputFile, 'utf8'));
  // Failed: c, and the suites syntax, empty and hook.
  expect(totals).toEqual({ passed: 3, failed: 4, skipped: 2 });

  const texts = problems.sort();
  expect(texts.map((text) => text.split('\n')[0])).toEqual([
    'a: suite could not run: test/empty.test.js',
    'a: suite could not run: test/hook.test.js',
    'a: suite could not run: test/syntax.test.js',
    'a: test/mixed.test.js › c fails',
  ]);
  expect(texts[0]).toContain('Your test suite must contain at least one test');
  expect(texts[1]).toContain('no hook');
  expect(texts[3]).toMatch(/expect\(received\)\.toEqual\(expected\).*\n +- +3.*\n +\+ +2.*\n +at .*mixed\.test\.js:3/s);
});

test('of many failures, and of a long message, the beginning', () => {
  const failureMessages = [`${'long '.repeat(100)}\n\n${'line\n'.repeat(100)}    at Object.x (/x/test/a.test.ts:7:1)`];
  const assertionResults = Array.from({ length: 50 }, (_, number) => ({
    status: 'failed',
    fullName: `test ${number}`,
    failureMessages,
  }));
  const text = report({
    success: false,
    numFailedTests: 50,
    testResults: [{ name: '/x/test/a.test.ts', status: 'failed', assertionResults }],
  });
  const { totals, problems } = countReport('a', '/x', text);
  expect(totals.failed).toBe(50);
  expect(problems).toHaveLength(31);
  expect(problems.at(-1)).toBe('a: 20 more');
  const lines = problems[0]?.split('\n') ?? [];
  expect(lines).toHaveLength(10);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(220);
  expect(lines.at(-1)).toBe('    at Object.x (/x/test/a.test.ts:7:1)');
});
