import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';

const folder = fileURLToPath(new URL('.', import.meta.url));

/** What a program prints that is run by Node, as its users run it, on the package as it is built: one JSON line for each `show`. */
export async function inForms(
  program: string,
  expected: unknown[],
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const type = program.startsWith('import ') ? 'module' : 'commonjs';
  const show = 'const show = (...what) => console.log(JSON.stringify(what));';
  const code =
    type === 'module'
      ? `${program.split(';', 1)[0]}; ${show} ${program.slice(program.indexOf(';') + 1)}`
      : `${show} ${program}`;
  const args = ['--disable-warning=ExperimentalWarning', ...flags, `--input-type=${type}`, '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(expected);
}
