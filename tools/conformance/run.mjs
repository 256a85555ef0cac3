#!/usr/bin/env node
// node run.mjs [--peer @ws|ws] [--role server|client] [--filter text] [--mode whole|bytes|random|glued|bare]
import { existsSync } from 'node:fs';

if (!existsSync(new URL('./dist/cli.js', import.meta.url))) {
  console.error('not built yet: npm run build');
  process.exit(2);
}
const { main } = await import('./dist/cli.js');
process.exitCode = await main(process.argv.slice(2));
