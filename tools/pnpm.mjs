#!/usr/bin/env node
// Runs the pnpm version that package.json pins, on a machine that has only node and npm.
// Usage: node tools/pnpm.mjs <pnpm arguments>
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const { version } = manifest.devEngines.packageManager;
const root = new URL('..', import.meta.url).pathname;

const { status, signal, error } = spawnSync('npx', ['--yes', `pnpm@${version}`, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', COREPACK_ENABLE_STRICT: '0', npm_config_loglevel: 'error' },
});
if (error) console.error(`cannot run npx: ${error.message}`);
process.exitCode = status ?? (signal ? 130 : 1);
