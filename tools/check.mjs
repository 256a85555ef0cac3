// `npm run check`: everything that is checked beside the tests. Goes on after a failure, and fails at the end.
// Usage: node tools/check.mjs [name of a step …]
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = (/** @type {string} */ name) => join(root, 'node_modules', '.bin', name);
const turbo = [
  process.execPath,
  'tools/pnpm.mjs',
  'exec',
  'turbo',
  'run',
  '--output-logs=errors-only',
  '--continue=dependencies-successful',
];

/** @type {{ name: string, what: string, commands: string[][] }[]} */
const steps = [
  { name: 'build', what: 'compiles every package', commands: [[...turbo, 'build']] },
  {
    name: 'types',
    what: 'type-checks sources, tests and tools',
    commands: [
      [...turbo, 'typecheck'],
      [bin('tsc'), '-p', 'tsconfig.tools.json'],
    ],
  },
  { name: 'lint', what: 'oxlint, type-aware', commands: [[bin('oxlint'), '--type-aware']] },
  { name: 'format', what: 'prettier', commands: [[bin('prettier'), '--check', '--cache', '--log-level', 'warn', '.']] },
  {
    name: 'layers',
    what: 'imports and dependencies point down',
    commands: [[process.execPath, 'tools/check-layers/src/main.mjs']],
  },
  {
    name: 'packages',
    what: 'each package, packed and installed alone',
    commands: [[process.execPath, 'tools/check-packages/src/main.mjs']],
  },
  {
    name: 'unused',
    what: 'knip: unused files, exports and dependencies',
    commands: [[bin('knip'), '--no-progress', '--no-config-hints']],
  },
  {
    name: 'fuzz',
    what: 'a few seconds of each target, from its seeds',
    commands: [
      [...turbo, 'build'],
      [process.execPath, 'tools/fuzz/run.mjs', '--seconds', '3', '--seed', '1'],
    ],
  },
];

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(`No such step: ${unknown.join(', ')}. There are ${steps.map(({ name }) => name).join(', ')}.`);
  process.exit(2);
}

const results = steps
  .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
  .map(({ name, what, commands }) => {
    console.log(`\n=== ${name}: ${what}`);
    const startedMs = performance.now();
    const passed = commands.map(run).every(Boolean);
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    console.log(`=== ${name}: ${passed ? 'passed' : 'FAILED'} in ${seconds} s`);
    return { name, passed, seconds };
  });

console.log();
for (const { name, passed, seconds } of results) console.log(`${passed ? 'passed' : 'FAILED'}  ${name} (${seconds} s)`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;

/** @param {string[]} command */
function run([file = '', ...args]) {
  const { status, error } = spawnSync(file, args, { cwd: root, stdio: 'inherit', shell: process.platform === 'win32' });
  if (error) console.error(`${file}: ${error.message}`);
  return status === 0;
}
