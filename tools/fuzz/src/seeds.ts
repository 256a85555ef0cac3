import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../seeds/', import.meta.url));
const CRASHES = fileURLToPath(new URL('../reports/crashes/', import.meta.url));

/** What `--keep` has kept: an input a line, in hex. Any other file is one input, byte by byte. */
const CORPUS = 'corpus.txt';

/** In the order of their names, the kept ones last. */
export function readSeeds(target: string): Uint8Array[] {
  const folder = join(FOLDER, target);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const files = names.filter((name) => name !== CORPUS).map((name) => readFileSync(join(folder, name)));
  const kept = names.includes(CORPUS) ? readFileSync(join(folder, CORPUS), 'latin1').trim().split('\n') : [];
  return [...files, ...kept.map((line) => Buffer.from(line, 'hex'))];
}

/** Shortest first, so that the file changes little. */
export function keepCorpus(target: string, inputs: readonly Uint8Array[]): string {
  const lines = inputs.map((input) => Buffer.from(input).toString('hex'));
  lines.sort((one, other) => one.length - other.length || (one < other ? -1 : 1));
  mkdirSync(join(FOLDER, target), { recursive: true });
  const file = join(FOLDER, target, CORPUS);
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** @returns the file */
export function crashFile(target: string, seed: number): string {
  mkdirSync(CRASHES, { recursive: true });
  return join(CRASHES, `${target}-${seed}-${process.pid}`);
}
