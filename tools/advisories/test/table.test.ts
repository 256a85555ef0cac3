import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { HELD } from '../regressions.mjs';
import { NOT_APPLICABLE, ROWS } from '../rows.mjs';

const root = new URL('../../../', import.meta.url);
const here = new URL('./', import.meta.url);

/** The rows that have a block in the tests, with the file of each. */
const tested = readdirSync(here)
  .filter((name) => name.endsWith('.test.ts'))
  .flatMap((name) =>
    [...readFileSync(new URL(name, here), 'utf8').matchAll(/^advisory\('([^']+)'/gm)].map(
      ([, row]) => `${row} in ${name}`,
    ),
  );

test('every row has its block of tests, in the file that it names, and no block is without a row', () => {
  const rows = Object.entries(ROWS).map(([row, { file }]) => `${row} in ${file}.test.ts`);
  expect(tested.toSorted()).toEqual(rows.toSorted());
});

test('no number is there twice, and each has the form that it is known by', () => {
  const ids = [...Object.values(ROWS), ...NOT_APPLICABLE]
    .flatMap((row) => row.ids)
    .filter((id) => !id.startsWith('RFC'));
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids)
    expect(id).toMatch(/^(CVE-\d{4}-\d{4,}|GHSA(-[23456789cfghjmpqrvwx]{4}){3}|[a-z]+(#\d+| [0-9a-f]{7}| PR#\d+))$/);
});

test('SECURITY.md says what rows.mjs says', () => {
  const program = fileURLToPath(new URL('../security.mjs', here));
  const { status, stderr } = spawnSync(process.execPath, [program, '--check'], { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});

test('the files that SECURITY.md points to are there', () => {
  const text = readFileSync(new URL('SECURITY.md', root), 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target]) => target ?? '');
  expect(targets.length).toBeGreaterThan(40);
  expect(targets.filter((target) => !existsSync(new URL(target, root)))).toEqual([]);
});

test('every fault of older libraries is held by a test that has its number', () => {
  const numbers = Array.from({ length: 45 }, (_, i) => `B-${String(i + 1).padStart(2, '0')}`);
  expect(Object.keys(HELD)).toEqual(numbers);
  const missing = Object.entries(HELD).filter(([number, { file }]) => !stringsOf(file).includes(number));
  expect(missing).toEqual([]);
});

/** What stands in a file in quotes, comments left out: the names of its tests among it. */
function stringsOf(file: string): string {
  const lines = readFileSync(new URL(file, root), 'utf8').split('\n');
  return lines.map((line) => (/^\s*(\/\/|\*|\/\*)/.test(line) ? '' : line.replace(/^[^'"`]*/, ''))).join('\n');
}
