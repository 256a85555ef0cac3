import { expect, test } from '@jest/globals';
import { themeOf, type Case, type FrameCase } from '../src/case.js';
import { CASES } from '../src/cases/index.js';
import { keyOf, loadExpected, parseExpected } from '../src/expected.js';
import { jobsOf } from '../src/runner.js';

const frameCases = CASES.filter((testCase): testCase is FrameCase => testCase.kind === 'frames');
const frames = frameCases.flatMap(({ input }) => input.filter((piece) => piece.kind === 'frame'));

test('there are more than 250 cases, each with a name of its own, a title and a section', () => {
  expect(CASES.length).toBeGreaterThan(250);
  const ids = CASES.map(({ id }) => id);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  for (const { id, title, section } of CASES) {
    expect(id).toMatch(/^[a-z0-9-]+\/\S+$/);
    expect(title).not.toBe('');
    expect(section).toMatch(/^(RFC \d{4} )?§\d+(\.\d+)*$|^RFC \d{4}$/);
  }
});

test('every theme has its share on every end that it concerns', () => {
  const count = (of: Case['kind'] | 'theme', name: string): number =>
    CASES.filter((testCase) => (of === 'theme' ? themeOf(testCase) === name : testCase.kind === of)).length;
  for (const theme of [
    'framing',
    'masking',
    'reserved',
    'control',
    'fragmentation',
    'utf8',
    'close',
    'limits',
    'request',
    'response',
    'deflate',
    'deflate-window',
    'deflate-frames',
    'deflate-corrupt',
    'deflate-content',
    'deflate-limits',
    'deflate-bits',
    'deflate-replies',
    'deflate-offers',
    'deflate-answers',
  ])
    expect([theme, count('theme', theme) >= 30]).toEqual([theme, true]);
});

test('all sixteen opcodes are sent, and all combinations of RSV bits with all six that mean something', () => {
  expect([...new Set(frames.map(({ opcode }) => opcode))].sort((a, b) => a - b)).toEqual(
    Array.from({ length: 16 }, (_, i) => i),
  );
  const combinations = new Set(frames.map(({ opcode, rsv }) => `${opcode} ${rsv}`));
  for (const opcode of [0x0, 0x1, 0x2, 0x8, 0x9, 0xa])
    for (let rsv = 0; rsv < 8; rsv++) expect(combinations).toContain(`${opcode} ${rsv}`);
});

test('each kind of fault is met on both ends', () => {
  const codes = new Map<string, Set<string>>();
  for (const { role, expect: expected } of frameCases)
    if (expected.outcome.kind === 'fail')
      for (const code of [expected.outcome.error].flat()) codes.set(code, new Set([...(codes.get(code) ?? []), role]));
  const oneSided = ['WS_ERR_EXPECTED_MASK', 'WS_ERR_UNEXPECTED_MASK'];
  for (const [code, roles] of codes) expect([code, oneSided.includes(code) || roles.has('both')]).toEqual([code, true]);
  expect([...codes.keys()].sort()).toEqual([
    'WS_ERR_EXPECTED_FIN',
    'WS_ERR_EXPECTED_MASK',
    'WS_ERR_INFLATION_RATIO',
    'WS_ERR_INVALID_CLOSE_CODE',
    'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    'WS_ERR_INVALID_DEFLATE_DATA',
    'WS_ERR_INVALID_OPCODE',
    'WS_ERR_INVALID_UTF8',
    'WS_ERR_NON_MINIMAL_LENGTH',
    'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    'WS_ERR_UNEXPECTED_MASK',
    'WS_ERR_UNEXPECTED_RSV_1',
    'WS_ERR_UNEXPECTED_RSV_2_3',
    'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH',
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
  ]);
});

test('expected-failures.txt names cases and alternatives that there are, each once', () => {
  const keys = new Map(jobsOf(CASES, ['server', 'client']).map((job) => [keyOf(job), job.testCase]));
  for (const { key, verdict } of loadExpected().values()) {
    const testCase = keys.get(key);
    const names = testCase?.kind === 'frames' ? (testCase.alternatives ?? []).map(({ name }) => name) : [];
    expect([key, ['fail', ...names]]).toEqual([key, expect.arrayContaining([verdict])]);
  }
});

test.each([
  'server close/x',
  'server close/x fail',
  'server close/x fail why',
  'proxy close/x fail a good long reason',
])('a line without a reason is refused: %s', (line) => {
  expect(() => parseExpected(line)).toThrow(SyntaxError);
});

test('a line may speak of both ends', () => {
  expect(parseExpected('both close/x fail because it is so').map(({ key }) => key)).toEqual([
    'server close/x',
    'client close/x',
  ]);
});

test('a line is a role, a case, a verdict and a reason', () => {
  expect(parseExpected('# comment\n\nserver close/x no-pong because it is so\n')).toEqual([
    { key: 'server close/x', verdict: 'no-pong', reason: 'because it is so' },
  ]);
});
