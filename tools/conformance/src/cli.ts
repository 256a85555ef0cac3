import { parseArgs } from 'node:util';
import type { Role } from './case.js';
import { CASES } from './cases/index.js';
import { loadPeer, PEERS, type PeerName } from './endpoint.js';
import { keyOf, loadExpected } from './expected.js';
import { MODES, type Mode } from './modes.js';
import { summary } from './report.js';
import { runCases } from './runner.js';

const USAGE = `usage: node run.mjs [--peer @ws|ws] [--role server|client] [--filter text] [--mode ${MODES.join('|')}] [--watchdog ms]`;

const isPeer = (name: string): name is PeerName => (PEERS as readonly string[]).includes(name);
const isMode = (name: string): name is Mode => (MODES as readonly string[]).includes(name);
const isRole = (name: string): name is Role => name === 'server' || name === 'client';

/** Runs the table and prints what came out. @returns the exit status */
export async function main(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      peer: { type: 'string', default: '@ws' },
      role: { type: 'string', multiple: true, default: ['server', 'client'] },
      filter: { type: 'string', default: '' },
      mode: { type: 'string', multiple: true },
      watchdog: { type: 'string', default: '5000' },
    },
  });
  const roles = values.role.filter(isRole);
  // ws throws in bare mode, by its own rules: there every violation is an unhandled 'error'.
  const asked = values.mode ?? MODES.filter((mode) => values.peer === '@ws' || mode !== 'bare');
  const modes = asked.filter(isMode);
  if (!isPeer(values.peer) || roles.length !== values.role.length || modes.length !== asked.length) {
    console.error(USAGE);
    return 2;
  }
  const peer = await loadPeer(values.peer);
  const cases = CASES.filter(({ id }) => id.includes(values.filter));
  const started = performance.now();
  const results = await runCases(peer, cases, roles, { modes, watchdogMs: Number(values.watchdog) });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  // The file speaks of our own packages.
  const expected = peer.name === '@ws' ? loadExpected() : new Map<string, never>();
  const surprises = results.filter((result) => result.verdict !== (expected.get(keyOf(result))?.verdict ?? 'pass'));
  for (const result of surprises) {
    const { testCase, problems, verdict } = result;
    console.log(`${verdict.toUpperCase()}  ${keyOf(result)}: ${testCase.title} (${testCase.section})`);
    for (const text of new Set(problems.map((problem) => problem.text))) {
      const where = problems.filter((problem) => problem.text === text).map(({ mode }) => mode);
      console.log(`      ${text}  [${where.join(' ')}]`);
    }
  }
  console.log(`${surprises.length > 0 ? '\n' : ''}${summary(results)}`);
  console.log(`\n${peer.name}: ${surprises.length} not as expected, ${expected.size} listed, ${seconds} s`);
  return surprises.length > 0 ? 1 : 0;
}
