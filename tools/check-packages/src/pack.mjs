import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

export const root = fileURLToPath(new URL('../../..', import.meta.url));

/**
 * @typedef {object} Packed
 * @property {string} name
 * @property {string} tarball
 * @property {readonly string[]} files         paths in the tarball
 * @property {readonly string[]} dependencies  names
 * @property {readonly string[]} entries       keys of `exports` that are modules
 */

/**
 * Packs all packages, lower layers first.
 * @param {string} directory  receives the tarballs
 * @returns {Promise<Map<string, Packed>>} by name
 */
export async function pack(directory) {
  const args = [
    join(root, 'tools', 'pnpm.mjs'),
    '--filter',
    './packages/*',
    'pack',
    '--pack-destination',
    directory,
    '--json',
  ];
  const { passed, stdout, output } = await run(process.execPath, args, { cwd: root });
  if (!passed) throw new Error(`pnpm pack failed:\n${output}`);
  /** @type {{ name: string, filename: string, files: { path: string }[] }[]} */
  const packed = [JSON.parse(stdout)].flat();
  const manifests = readManifests();
  return new Map(
    packed.map(({ name, filename, files }) => {
      const { dependencies = {}, exports = {} } = manifests.get(name) ?? {};
      const tarball = join(directory, basename(filename));
      const entries = Object.keys(exports).filter((entry) => entry !== './package.json');
      return [
        name,
        { name, tarball, files: files.map(({ path }) => path), dependencies: Object.keys(dependencies), entries },
      ];
    }),
  );
}

/** @returns {Map<string, { name: string, dependencies?: Record<string, string>, exports?: Record<string, unknown> }>} */
function readManifests() {
  const folder = join(root, 'packages');
  const paths = readdirSync(folder)
    .map((name) => join(folder, name, 'package.json'))
    .filter(existsSync);
  return new Map(
    paths.map((path) => JSON.parse(readFileSync(path, 'utf8'))).map((manifest) => [manifest.name, manifest]),
  );
}
