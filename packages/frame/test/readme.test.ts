import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const root = new URL('..', import.meta.url);

test("the README's first example prints what its comments say", () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const example = readme.split('```js\n')[1]!.split('```')[0]!;
  const promised = [...example.matchAll(/; \/\/ (.+)$/gm)].map(([, output]) => output);
  expect(promised).toHaveLength(2);
  // As a user runs it: its own process, the built package by its name.
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', example], {
    cwd: root,
    encoding: 'utf8',
  });
  expect(printed.trim().split('\n')).toEqual(promised);
});
