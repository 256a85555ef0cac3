#!/usr/bin/env node
// Runs the pnpm version that package.json pins, on a machine that has only node and npm.
// Usage: node tools/pnpm.mjs <pnpm arguments>
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findChromium } from './chromium.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const { version } = manifest.devEngines.packageManager;
const env = {
  ...process.env,
  TURBO_TELEMETRY_DISABLED: '1',
  npm_config_loglevel: 'error',
  npm_config_update_notifier: 'false',
  WS_TEST_MACHINE: describeMachine(),
};

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
const [neededMajor, neededMinor] = manifest.engines.node.match(/\d+/g).map(Number);
if (major < neededMajor || (major === neededMajor && minor < neededMinor)) {
  console.error(`This repository needs Node.js ${neededMajor}.${neededMinor} or newer; this is ${process.version}.`);
  process.exit(1);
}

const { status, signal, error } = npx(process.argv.slice(2), 'inherit');
if (error) console.error(`npx, which comes with npm, could not be started: ${error.message}`);
else if (status !== 0 && signal === null && npx(['--version'], 'ignore').status !== 0) {
  console.error(
    `pnpm ${version} could not be fetched. npx takes it from the npm registry (npm config get registry), which must be in reach once.`,
  );
}
process.exitCode = status ?? (signal === null ? 1 : 130);

/** @param {string[]} args @param {'inherit' | 'ignore'} stdio */
function npx(args, stdio) {
  const shell = process.platform === 'win32'; // npx is npx.cmd there
  return spawnSync('npx', ['--yes', `pnpm@${version}`, ...args], { cwd: root, stdio, env, shell });
}

/** What test results depend on beside the repository: part of turbo's cache key, so that they are not taken for those of another machine. */
function describeMachine() {
  return `${process.platform} ${process.arch} node ${process.version} chromium ${findChromium() ?? 'missing'}`;
}
