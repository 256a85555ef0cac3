#!/usr/bin/env node
// npm run fuzz -- [TARGET …] [--seconds N] [--seed N] …; see README.md
import { existsSync } from 'node:fs';

if (!existsSync(new URL('./dist/cli.js', import.meta.url))) {
  console.error('not built yet: npm run build');
  process.exit(2);
}
const { main } = await import('./dist/cli.js');
process.exitCode = main(process.argv.slice(2));
