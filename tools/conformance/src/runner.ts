import { rolesOf, type Case, type Role } from './case.js';
import type { Peer } from './endpoint.js';
import { MODES, type Mode } from './modes.js';
import { runFrames, type FrameResult } from './run-frames.js';
import { runRequest, runResponse } from './run-handshake.js';
import { captureUncaught, withUncaught, type Uncaught } from './uncaught.js';
import { Watch } from './watch.js';

export interface Problem {
  readonly mode: Mode;
  readonly text: string;
}

export interface CaseResult {
  readonly testCase: Case;
  readonly role: Role;
  readonly problems: readonly Problem[];
  /** `'pass'`, `'fail'`, or the name of the alternative that came out in some mode. */
  readonly verdict: string;
}

export interface RunOptions {
  readonly modes?: readonly Mode[];
  /** How many cases at a time. */
  readonly concurrency?: number;
  /** A run in which nothing happens for so long has failed. */
  readonly watchdogMs?: number;
}

/** The modes that make sense for a case. */
function fits(testCase: Case, mode: Mode): boolean {
  if (mode === 'bare') return testCase.kind !== 'frames' || testCase.app?.kind !== 'closes';
  if (mode !== 'glued') return true;
  if (testCase.kind === 'request') return testCase.expect.status.join() === '101';
  return testCase.kind === 'frames' || testCase.expect.kind === 'open';
}

function runOnce(
  peer: Peer,
  testCase: Case,
  role: Role,
  mode: Mode,
  watch: Watch,
  uncaught: Uncaught,
): Promise<FrameResult> {
  switch (testCase.kind) {
    case 'frames':
      return runFrames(peer, testCase, role, mode, watch);
    case 'request':
      return runRequest(peer, testCase, mode, watch);
    case 'response':
      return runResponse(peer, testCase, mode, watch, uncaught);
    default:
      return testCase satisfies never;
  }
}

interface Job {
  readonly testCase: Case;
  readonly role: Role;
}

async function runJob(peer: Peer, { testCase, role }: Job, options: Required<RunOptions>): Promise<CaseResult> {
  const problems: Problem[] = [];
  let verdict = 'pass';
  for (const mode of options.modes.filter((m) => fits(testCase, m))) {
    const watch = new Watch(options.watchdogMs);
    // Only the failed connect of a client may throw; after any other exception there is nothing to wait for.
    const mayThrow = testCase.kind === 'response' && mode === 'bare';
    const uncaught: Uncaught = { errors: [], changed: () => (mayThrow ? watch.poke() : watch.expire()) };
    try {
      const result = await withUncaught(uncaught, () => runOnce(peer, testCase, role, mode, watch, uncaught));
      problems.push(...result.problems.map((text) => ({ mode, text })));
      if (result.alternative !== undefined) verdict = result.alternative;
    } catch (error) {
      problems.push({ mode, text: String(error) });
    }
    watch.stop();
    problems.push(...uncaught.errors.map((error) => ({ mode, text: `uncaught exception: ${String(error)}` })));
  }
  return { testCase, role, problems, verdict: problems.length > 0 ? 'fail' : verdict };
}

const hasUncaught = (result: CaseResult): boolean =>
  result.problems.some(({ text }) => text.startsWith('uncaught exception'));

export const jobsOf = (cases: readonly Case[], roles: readonly Role[]): Job[] =>
  cases.flatMap((testCase) =>
    rolesOf(testCase)
      .filter((role) => roles.includes(role))
      .map((role) => ({ testCase, role })),
  );

/** Runs cases against one peer, several at a time. The results come in the order of the cases. */
export async function runCases(
  peer: Peer,
  cases: readonly Case[],
  roles: readonly Role[],
  { modes = MODES, concurrency = 12, watchdogMs = 5000 }: RunOptions = {},
): Promise<CaseResult[]> {
  const options = { modes, concurrency, watchdogMs };
  const jobs = jobsOf(cases, roles);
  const results = new Map<Job, CaseResult>();
  const release = captureUncaught();
  try {
    const waiting = jobs.values();
    const worker = async (): Promise<void> => {
      for (const job of waiting) results.set(job, await runJob(peer, job, options));
    };
    await Promise.all(Array.from({ length: concurrency }, worker));
    // An exception that names no run is held against all that were on; alone, only the guilty one fails.
    for (const [job, result] of results) if (hasUncaught(result)) results.set(job, await runJob(peer, job, options));
  } finally {
    release();
  }
  return jobs.flatMap((job) => results.get(job) ?? []);
}
