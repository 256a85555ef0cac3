// `npm test`: runs every package's tests through turbo, then adds up the runners' own reports.
// Last on standard output, whatever happened before: each failed test, by name; then, alone on its line,
// `N passed, N failed, N skipped`.
// Arguments go to turbo: `npm test -- --filter=@ws/frame` runs, and counts, one package.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { addUp, totalsLine } from './test-totals/src/totals.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const turboArguments = process.argv.slice(2);

const packages = ['packages', 'tools']
  .flatMap((folder) => readdirSync(join(root, folder)).map((name) => join(root, folder, name)))
  .concat(join(root, 'examples'))
  .filter((directory) => existsSync(join(directory, 'package.json')))
  .map((directory) => ({ directory, manifest: JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8')) }))
  .filter(({ manifest }) => manifest.scripts?.test !== undefined)
  .map(({ directory, manifest }) => ({ name: String(manifest.name), directory, reports: join(directory, 'reports') }));
for (const { reports } of packages) rmSync(reports, { recursive: true, force: true });

const first = runTurbo(turboArguments);
const { tasks } = first;

// A note about something that was missing then is no news about now.
const outdated = packages.filter(
  ({ name, reports }) => readNotices(reports) !== '' && tasks.get(`${name}#test`)?.cached,
);
if (outdated.length > 0) {
  const again = runTurbo(['--only', '--force', ...outdated.map(({ name }) => `--filter=${name}`)]);
  for (const [task, outcome] of again.tasks) tasks.set(task, outcome);
}

const runs = packages
  .map(({ name, directory, reports }) => ({
    name,
    directory,
    report: read(join(reports, 'jest.json')),
    notices: readNotices(reports),
    exitCode: tasks.get(`${name}#test`)?.exitCode,
  }))
  .filter(({ name, report }) => report !== undefined || tasks.has(`${name}#test`) || turboArguments.length === 0);

const { totals, problems, notices } = addUp(runs, { noticesFail: isTrue(process.env['CI']) });
for (const [task, { exitCode }] of tasks) {
  if (exitCode !== 0 && !task.endsWith('#test')) problems.push(`${task} ended with exit code ${exitCode}`);
}
if (totals.failed === 0 && (first.status !== 0 || runs.length === 0)) {
  problems.push(runs.length === 0 ? 'no package was tested' : `turbo ended with exit code ${first.status}`);
  totals.failed = 1;
}

console.log();
for (const notice of notices) console.log(`Note: ${notice}`);
for (const problem of problems) console.log(`Failed: ${problem}`);
console.log(totalsLine(totals));
process.exitCode = totals.failed === 0 ? 0 : 1;

/**
 * Runs the `test` tasks; what became of each task, builds included, is taken from turbo's own summary of the run.
 * @param {readonly string[]} args
 */
function runTurbo(args) {
  const summaries = join(root, '.turbo', 'runs');
  const older = new Set(list(summaries));
  const turbo = [
    'exec',
    'turbo',
    'run',
    'test',
    '--continue=dependencies-successful',
    '--output-logs=new-only',
    '--summarize',
  ];
  const { status } = spawnSync(process.execPath, [join(root, 'tools', 'pnpm.mjs'), ...turbo, ...args], {
    cwd: root,
    stdio: 'inherit',
  });

  /** @type {Map<string, { exitCode: number | undefined, cached: boolean }>} */
  const outcomes = new Map();
  for (const name of list(summaries).filter((file) => !older.has(file))) {
    for (const { taskId, execution, cache } of JSON.parse(read(join(summaries, name)) ?? '{}').tasks ?? []) {
      // Of the task, not of its absence: a package without a build script has a build task that never ran.
      if (typeof execution?.exitCode === 'number')
        outcomes.set(taskId, { exitCode: execution.exitCode, cached: cache?.status === 'HIT' });
    }
    rmSync(join(summaries, name), { force: true });
  }
  return { status, tasks: outcomes };
}

/** @param {string} reports */
function readNotices(reports) {
  return read(join(reports, 'notices.txt')) ?? '';
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
