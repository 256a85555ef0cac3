// Runs one program in one of the installs, and prints what it saw as JSON.
// Usage: node run.mjs with-ws|with-compat NAME
import { openInstall, SIDES, wsOf } from './install.mjs';

const side = SIDES.find((known) => known === process.argv[2]);
if (side === undefined) throw new Error(`node run.mjs ${SIDES.join('|')} NAME`);

const install = await openInstall(side);
const { run, users } = await import(`./programs/${process.argv[3]}.mjs`);
const ws = users.map((/** @type {string[]} */ path) => ({ to: path.join(' > '), ...wsOf(install, path) }));
const seen = await run(install);
// CommonJS files that an ES module imports are among them.
const real = Object.keys(install.cjs.cache).some((file) => file.includes('/node_modules/ws/lib/'));
process.stdout.write(`${JSON.stringify({ ws, usesRealWs: real, seen })}\n`);
