// `npm test`: runs every package's tests through turbo, then adds up the runners' own reports.
// Last on standard output, alone on its line, whatever happened before: `N passed, N failed, N skipped`.
// Arguments go to turbo: `npm test -- --filter=@ws/frame` runs, and counts, one package.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addUp, totalsLine } from './test-totals/src/totals.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const turboArguments = process.argv.slice(2);

const packages = ['packages', 'tools'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .map((name) => join(root, folder, name))
    .filter((directory) => existsSync(join(directory, 'package.json')))
    .map((directory) => ({ directory, manifest: JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => manifest.scripts?.test !== undefined),
);
for (const { directory } of packages) rmSync(join(directory, 'reports'), { recursive: true, force: true });

const summaries = join(root, '.turbo', 'runs');
const olderSummaries = new Set(list(summaries));
const turbo = [
  'exec',
  'turbo',
  'run',
  'test',
  '--continue=dependencies-successful',
  '--output-logs=new-only',
  '--summarize',
];
const { status } = spawnSync(process.execPath, [join(root, 'tools', 'pnpm.mjs'), ...turbo, ...turboArguments], {
  cwd: root,
  stdio: 'inherit',
});

const exitCodes = readExitCodes();
const runs = packages
  .map(({ directory, manifest }) => ({
    name: String(manifest.name),
    report: read(join(directory, 'reports', 'jest.json')),
    notices: read(join(directory, 'reports', 'notices.txt')) ?? '',
    exitCode: exitCodes.get(`${manifest.name}#test`),
  }))
  .filter(({ report }) => report !== undefined || turboArguments.length === 0);

const { totals, problems, notices } = addUp(runs, { noticesFail: isTrue(process.env['CI']) });
for (const [task, exitCode] of exitCodes) {
  if (exitCode !== 0 && !task.endsWith('#test')) problems.push(`${task} ended with exit code ${exitCode}`);
}
if (totals.failed === 0 && (status !== 0 || runs.length === 0)) {
  problems.push(runs.length === 0 ? 'no package was tested' : `turbo ended with exit code ${status}`);
  totals.failed = 1;
}

console.log();
for (const notice of notices) console.log(`Note: ${notice}`);
for (const problem of problems) console.log(`Failed: ${problem}`);
console.log(totalsLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;

/** Exit codes by task, as turbo's own summary of this run has them; tasks from the cache have none. */
function readExitCodes() {
  /** @type {Map<string, number>} */
  const codes = new Map();
  for (const name of list(summaries).filter((file) => !olderSummaries.has(file))) {
    for (const { taskId, execution } of JSON.parse(read(join(summaries, name)) ?? '{}').tasks ?? []) {
      if (typeof execution?.exitCode === 'number') codes.set(taskId, execution.exitCode);
    }
    rmSync(join(summaries, name), { force: true });
  }
  return codes;
}

/** @param {string} directory */
function list(directory) {
  return existsSync(directory) ? readdirSync(directory) : [];
}

/** @param {string} path */
function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** @param {string | undefined} variable */
function isTrue(variable) {
  return variable !== undefined && !['', '0', 'false'].includes(variable);
}
