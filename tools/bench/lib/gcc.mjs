// Programs in C, built with the machine's gcc.
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import path from 'node:path';

const FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror=incompatible-pointer-types'];

/** As a clause for a message; undefined: nothing is missing. */
export const missingGcc = () =>
  spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'gcc (Debian: apt-get install gcc libc6-dev)';

/** Whether this compiles and links. @param {string} source @param {readonly string[]} libraries */
export function builds(source, libraries) {
  const args = ['-x', 'c', '-o', '/dev/null', '-', ...libraries];
  return spawnSync('gcc', args, { input: source, stdio: ['pipe', 'ignore', 'ignore'] }).status === 0;
}

/** A program that runs at the moment keeps its file. @param {string} target @param {readonly string[]} more sources, folders to include and libraries, in gcc's order @returns {string} `target` */
export function compile(target, more) {
  mkdirSync(path.dirname(target), { recursive: true });
  const own = `${target}.${process.pid}`;
  const { status, stderr } = spawnSync('gcc', [...FLAGS, '-o', own, ...more], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc could not build ${path.basename(target)}:\n${stderr}`);
  renameSync(own, target);
  return target;
}
