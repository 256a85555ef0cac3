// What a command line means: which cases and servers, and whether the run is kept.
import { expect, test } from '@jest/globals';
import { readOptions, USAGE } from '../lib/run-options.mjs';
import { roundsOf, serversOf } from '../lib/rounds.mjs';
import { SCENARIOS } from '../lib/scenarios.mjs';

const whole = readOptions([]);
const quick = readOptions(['--quick']);

test('without options all cases are measured and kept, with at least six rounds of those that a target names', () => {
  expect(whole.scenarios).toEqual(SCENARIOS);
  expect(whole).toMatchObject({ isWhole: true, isKept: true, quick: false, node: undefined });
  expect(whole.rounds).toBeGreaterThanOrEqual(6);
  expect(whole.servers).toEqual(expect.arrayContaining(['ours', 'ws', 'ws-native', 'net', 'undici']));
  expect(whole.servers.filter((name) => name.startsWith('baseline'))).toEqual([]);
});

test('every server of every target is measured', () => {
  for (const scenario of whole.scenarios) {
    const named = (scenario.targets ?? []).flatMap(({ server = 'ours', than = 'ws' }) => [server, than]);
    expect([scenario.name, ...serversOf(scenario, whole.servers)]).toEqual(expect.arrayContaining(named));
  }
});

test('servers that no target names have a third of the rounds, in a whole run only', () => {
  const scenario = { ...SCENARIOS.find(({ kind }) => kind === 'echo')!, targets: [{ than: 'net', atMost: 1 }] };
  const three = readOptions(['--rounds', '9', '--servers', 'ours,ws,net']);
  expect(['ours', 'net', 'ws'].map((server) => roundsOf(scenario, whole, server))).toEqual([9, 9, 3]);
  expect(['ours', 'net', 'ws'].map((server) => roundsOf(scenario, three, server))).toEqual([9, 9, 9]);
});

test('a quick run is of the chosen cases, with no server that no target names, and kept', () => {
  expect(quick.scenarios.length).toBeGreaterThan(5);
  expect(quick.scenarios.length).toBeLessThan(SCENARIOS.length);
  for (const scenario of quick.scenarios) {
    const named = ['ours', ...(scenario.targets ?? []).map(({ than = 'ws' }) => than)];
    const measured = serversOf(scenario, quick.servers);
    expect(measured.length).toBeGreaterThan(1);
    expect(named).toEqual(expect.arrayContaining([...measured]));
  }
  expect(quick).toMatchObject({ isWhole: true, isKept: true, quick: true });
});

test.each([
  [['--scenario', 'handshake']],
  [['--servers', 'ours,net']],
  [['--rounds', '3']],
  [['--quick', '--seconds', '0.1']],
  [['--malloc']],
  [['--baseline', '/tmp']],
  [['--profile', '/tmp/profiles']],
  [['--no-keep']],
])('%j changes no file', (args) => {
  expect(readOptions(args).isKept).toBe(false);
});

test('--keep keeps a run of some cases, which is not a whole one; not one whose figures mean something else', () => {
  expect(readOptions(['--scenario', 'handshake', '--keep'])).toMatchObject({ isKept: true, isWhole: false });
  expect(() => readOptions(['--keep', '--malloc'])).toThrow('--keep is for runs without');
});

test('--baseline puts the other checkout beside each server of ours', () => {
  const { servers, baseline } = readOptions(['--servers', 'ours,net', '--baseline', '.']);
  expect(servers).toEqual(['ours', 'net', 'baseline']);
  expect(baseline).toBe(process.cwd());
});

test('--node hands on all other options', () => {
  expect(readOptions(['--quick', '--node', '22', '--no-keep'])).toMatchObject({
    node: '22',
    rest: ['--quick', '--no-keep'],
  });
  expect(readOptions(['--node=24', '--quick'])).toMatchObject({ node: '24', rest: ['--quick'] });
});

test.each([
  [['--servers', 'ours,nobody'], 'no server nobody'],
  [['--scenario', 'nothing'], '--scenario is nothing, expected one of'],
  [['--rounds', 'many'], '--rounds is many, expected 1 to 100'],
  [['--seconds', '0'], '--seconds is 0, expected 0.05 to 60'],
])('%j is refused', (args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});

test('the usage names every option', () => {
  for (const name of [
    'quick',
    'node',
    'scenario',
    'servers',
    'rounds',
    'seconds',
    'keep',
    'no-keep',
    'json',
    'baseline',
  ])
    expect(USAGE).toContain(`--${name}`);
});
