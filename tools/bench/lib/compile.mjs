// Builds the load generator with the machine's gcc.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

export const hasCompiler = () => spawnSync('gcc', ['--version'], { stdio: 'ignore' }).status === 0;

/** @returns {string} path of the executable */
export function compileLoad() {
  const sources = path.join(HERE, 'load');
  const build = path.join(HERE, 'build');
  const target = path.join(build, 'load');
  mkdirSync(build, { recursive: true });
  const files = readdirSync(sources).filter((name) => name.endsWith('.c'));
  const args = ['-std=c11', '-O2', '-Wall', '-Wextra', '-o', `${target}.${process.pid}`, ...files];
  const { status, stderr } = spawnSync('gcc', args, { cwd: sources, encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc could not build the load generator:\n${stderr}`);
  renameSync(`${target}.${process.pid}`, target); // a generator that runs at the moment keeps its file
  return target;
}
