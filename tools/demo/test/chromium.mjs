// Finds Chromium and starts it. Where there is none, the run's notices say so.
import { execFileSync } from 'node:child_process';
import { accessSync, appendFileSync, constants, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** @returns {string | undefined} */
export function findChromium() {
  const named = process.env['CHROMIUM_PATH'];
  const candidates = named ? [named] : ['/usr/bin/chromium', ...['chromium', 'chromium-browser'].flatMap(which)];
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/**
 * @param {string} name
 * @returns {string[]}
 */
function which(name) {
  try {
    return [execFileSync('which', [name], { encoding: 'utf8' }).trim()];
  } catch {
    return [];
  }
}

/** The test runner prints the notices of all packages at its end. */
export function noticeMissing() {
  const reports = fileURLToPath(new URL('../reports/', import.meta.url));
  mkdirSync(reports, { recursive: true });
  appendFileSync(`${reports}notices.txt`, 'Chromium is missing: the demo page was not tested in a browser.\n');
}

/** @param {string} executablePath Its profile is a new, temporary folder. */
export const launchChromium = (executablePath) => chromium.launch({ executablePath, args: FLAGS });
