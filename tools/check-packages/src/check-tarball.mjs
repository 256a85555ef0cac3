import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { root } from './pack.mjs';
import { run } from './run.mjs';

/** @typedef {import('./pack.mjs').Packed} Packed */

const ALLOWED_FILE =
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|dist\/cjs\/package\.json|dist\/(esm|cjs)\/.*\.(js|js\.map|d\.m?ts))$/;
const REQUIRED_FILES = ['package.json', 'README.md', 'LICENSE', 'dist/cjs/package.json'];

/**
 * What is in the tarball, and what publint and attw say about it.
 * @param {Packed} packed
 * @returns {Promise<string[]>}
 */
export async function checkTarball(packed) {
  return [...checkFiles(packed), ...(await checkWithPublint(packed)), ...(await checkWithAttw(packed))];
}

/** @param {Packed} packed */
function checkFiles({ files }) {
  return [
    ...REQUIRED_FILES.filter((path) => !files.includes(path)).map((path) => `the tarball has no ${path}`),
    ...files.filter((path) => !ALLOWED_FILE.test(path)).map((path) => `the tarball has ${path}`),
  ];
}

/** @param {Packed} packed */
async function checkWithPublint({ tarball }) {
  const { buffer, byteOffset, byteLength } = readFileSync(tarball);
  const { messages, pkg } = await publint({
    pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) },
    strict: true,
  });
  return messages.map((message) => `publint: ${message.type}: ${formatMessage(message, pkg, { color: false })}`);
}

/** All of TypeScript's module resolutions, node10 among them. @param {Packed} packed */
async function checkWithAttw({ tarball }) {
  const { passed, output } = await run(join(root, 'node_modules', '.bin', 'attw'), [
    tarball,
    '--no-color',
    '--no-emoji',
    '--format',
    'ascii',
  ]);
  return passed ? [] : [`attw:\n${output}`];
}
