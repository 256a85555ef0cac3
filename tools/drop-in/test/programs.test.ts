import { execFile } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { findChromium } from '../../chromium.mjs';
import { SIDES, type Side } from '../install.mjs';

interface Report {
  readonly ws: readonly { readonly to: string; readonly name: string; readonly version: string }[];
  readonly usesRealWs: boolean;
  readonly seen: unknown;
}

interface Program {
  readonly users: readonly (readonly string[])[];
  readonly expected: unknown;
}

const folder = new URL('../programs/', import.meta.url);
const NAMES = readdirSync(folder)
  .map((file) => file.replace('.mjs', ''))
  .filter((name) => name !== 'parts');

/** What is not run here, and why. */
const SKIPPED: Record<string, string> = {};
if (findChromium() === undefined) SKIPPED['chrome-remote-interface'] = 'it needs chromium';
// aedes 1.2 reads once for each 'readable', and Node 26 gives one chunk for it: with `ws` too a second message in a packet waits for ever.
if (Number(process.versions.node.split('.')[0]) >= 26)
  SKIPPED['mqtt'] = 'its broker, aedes 1.2, does not run on Node 26';
for (const [name, reason] of Object.entries(SKIPPED))
  appendFileSync('reports/notices.txt', `tools/drop-in: ${name} was skipped, ${reason}\n`);

async function run(side: Side, name: string): Promise<Report> {
  const command = [fileURLToPath(new URL('../run.mjs', import.meta.url)), side, name];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, {
    timeout: 25_000,
    env: { ...process.env, NODE_NO_WARNINGS: '1' },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as Report;
}

const manifest = (side: Side): { dependencies: Record<string, string> } =>
  JSON.parse(readFileSync(new URL(`../${side}/package.json`, import.meta.url), 'utf8')) as never;

test('the two installs differ in ws and its types alone', () => {
  const [real, ours] = SIDES.map((side) => manifest(side).dependencies);
  const alias = 'workspace:@ws/compat@*';
  expect(ours).toEqual({ ...real, '@types/ws': alias, ws: alias });
  expect(real!['ws']).toMatch(/^8\./);
  expect(Object.values(real!).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
});

test.each(NAMES.filter((name) => SKIPPED[name] === undefined))('%s: with ws and with @ws/compat', async (name) => {
  const { users, expected } = (await import(new URL(`${name}.mjs`, folder).href)) as Program;
  const [real, ours] = await Promise.all(SIDES.map((side) => run(side, name)));
  // What each of them loads as `ws`, and which of the two was loaded at all.
  const whose = ({ ws }: Report): string[] => ws.map(({ to, name: found }) => `${to}: ${found}`);
  expect(whose(real!)).toEqual(users.map((user) => `${user.join(' > ')}: ws`));
  expect(whose(ours!)).toEqual(users.map((user) => `${user.join(' > ')}: @ws/compat`));
  expect([real!.usesRealWs, ours!.usesRealWs]).toEqual([true, name === 'socket-io-engine']); // there its client does
  expect(real!.seen).toEqual(expected);
  expect(ours!.seen).toEqual(expected);
});
