// Bun comes from the npm registry by npx, and not as a dependency: its package fetches itself by an install script.
import { spawnSync } from 'node:child_process';

export const BUN_VERSION = '1.4.5';

/** @type {string | false | undefined} */
let found;

/** Path of the executable; undefined: npx cannot fetch it. */
export function findBun() {
  if (found === undefined) {
    const args = ['--yes', '--package', `bun@${BUN_VERSION}`, '--', 'bun', '--print', 'process.execPath'];
    const { status, stdout } = spawnSync('npx', args, { encoding: 'utf8', timeout: 180_000 });
    found = (status === 0 && stdout.trim().split('\n').at(-1)) || false;
  }
  return found === false ? undefined : found;
}
