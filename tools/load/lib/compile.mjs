// Builds a program of this package from its own sources and the parts of the benchmark's load generator.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const PARTS = path.join(HERE, '../bench/load');
const MAIN = 'load.c';

/** @param {string} source under tools/load, such as soak/soak.c @returns {string} path of the executable */
export function compileWithParts(source) {
  const build = path.join(HERE, 'build');
  const target = path.join(build, path.basename(source, '.c'));
  mkdirSync(build, { recursive: true });
  const parts = readdirSync(PARTS).filter((name) => name.endsWith('.c') && name !== MAIN);
  const files = [path.join(HERE, source), ...parts.map((name) => path.join(PARTS, name))];
  const args = [
    '-std=c11',
    '-O2',
    '-Wall',
    '-Wextra',
    '-Werror=incompatible-pointer-types',
    '-I',
    PARTS,
    '-o',
    `${target}.${process.pid}`,
    ...files,
    '-lz',
  ];
  const { status, stderr } = spawnSync('gcc', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`gcc could not build ${source}:\n${stderr}`);
  renameSync(`${target}.${process.pid}`, target); // one that runs at the moment keeps its file
  return target;
}
