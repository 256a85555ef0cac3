// One of the two installs: the same programs, with `ws` or with @ws/compat in its place.
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const SIDES = /** @type {const} */ (['with-ws', 'with-compat']);

/** @typedef {(typeof SIDES)[number]} Side */
/** @typedef {{ side: Side, folder: string, cjs: NodeJS.Require, esm: (name: string) => Promise<any> }} Install */

/** @param {Side} side @returns {Promise<Install>} */
export async function openInstall(side) {
  const folder = fileURLToPath(new URL(side, import.meta.url));
  const { cjs, esm } = await import(`./${side}/load.mjs`);
  return { side, folder, cjs, esm };
}

/**
 * The package that `ws` is to the last of `users`: as `['socket.io', 'engine.io']`, to the engine.io of this install's socket.io.
 * @param {Install} install @param {readonly string[]} users
 * @returns {{ name: string, version: string, folder: string }}
 */
export function wsOf(install, users) {
  const folder = [...users, 'ws'].reduce(folderOf, install.folder);
  const entry = realpathSync(
    createRequire(join([...users].reduce(folderOf, install.folder), 'package.json')).resolve('ws'),
  );
  if (!entry.startsWith(folder + sep))
    throw new Error(`${users.join(' > ')} loads ${entry}, which is not in ${folder}`);
  const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return { name, version, folder };
}

/** The folder of a package as one in `from` sees it, whatever its exports. @param {string} from @param {string} name */
function folderOf(from, name) {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
  const found = places.map((place) => join(place, name)).find((place) => existsSync(join(place, 'package.json')));
  if (found === undefined) throw new Error(`no ${name} for ${from}`);
  return realpathSync(found);
}
