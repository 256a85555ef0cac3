// Which Chromium the tests use, and how they start it.
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The program that CHROMIUM_PATH names; without it, what is on the PATH. */
export function findChromium() {
  const { CHROMIUM_PATH, PATH = '' } = process.env;
  const candidates = PATH.split(delimiter).flatMap((directory) => NAMES.map((name) => join(directory, name)));
  return (CHROMIUM_PATH ? [CHROMIUM_PATH] : candidates).find(isExecutable);
}

const NAMES = ['chromium', 'chromium-browser'];

/** Runs as root in a container, and asks no other host for anything. */
export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
