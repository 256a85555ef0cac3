import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);

const readme = readFileSync(new URL('README.md', root), 'utf8');
const [first, ...others] = readme.split('```js\n').slice(1);

/** Runs an example as a user does: its own process, the built package by its name. */
const run = (example: string): string =>
  execFileSync(process.execPath, ['--input-type=module', '--eval', example], { cwd: root, encoding: 'utf8' });

test("the README's first example prints what its comments say", () => {
  const example = first!.split('```')[0]!;
  const promised = [...example.matchAll(/; \/\/ (.+)$/gm)].map(([, output]) => output);
  expect(promised).toHaveLength(2);
  expect(run(example).trim().split('\n')).toEqual(promised);
});

test('there are examples of streams', () => {
  expect(others).toHaveLength(7);
});

test.each(others.map((text) => text.split('```')))(
  'the example %# prints what stands below it',
  (example, between, output) => {
    expect([between.trim(), output.slice(0, 5)]).toEqual(['', 'text\n']);
    expect(run(example)).toBe(output.slice(5));
  },
);
