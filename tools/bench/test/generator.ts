// The load generator as the tests run it. It is built once for a test file.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { describe, test } from '@jest/globals';
import { compileLoad, missingForLoad, missingForTls } from '../lib/compile.mjs';

/** What is missing is told, and no reason to fail but in CI. */
function note(tests: string, missing: string | undefined) {
  if (missing === undefined) return true;
  appendFileSync('reports/notices.txt', `tools/bench: the tests of ${tests} were skipped, it needs ${missing}\n`);
  if (!['', '0', 'false'].includes(process.env['CI'] ?? ''))
    throw new Error(`${tests} cannot be tested, it needs ${missing}`);
  return false;
}

const hasLoad = note('the load generator', missingForLoad());
export const describeLoad = hasLoad ? describe : describe.skip;
export const testTls = hasLoad && note('the load generator over TLS', missingForTls()) ? test : test.skip;

let program: string | undefined;

export interface Outcome {
  status: number | null;
  result: Record<string, number> | undefined;
  complaint: string;
}

export type LoadOptions = Readonly<Record<string, number | true>>;

export function start(mode: string, options: LoadOptions) {
  program ??= compileLoad();
  const args = Object.entries(options).flatMap(([name, value]) =>
    value === true ? [`--${name}`] : [`--${name}`, String(value)],
  );
  return spawn(program, [mode, ...args]);
}

export async function run(mode: string, options: LoadOptions): Promise<Outcome> {
  const child = start(mode, { seconds: 60, ...options });
  let output = '';
  let complaint = '';
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (complaint += text));
  child.stdin.end();
  const [status] = (await once(child, 'close')) as [number | null];
  const last = output.trim().split('\n').at(-1);
  const event = last === undefined || last === '' ? undefined : JSON.parse(last);
  return { status, result: event?.event === 'result' ? event : undefined, complaint };
}
