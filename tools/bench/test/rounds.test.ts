// The order of measurements, what a failing server does to the others, and the line that tells how far it is.
import { expect, test } from '@jest/globals';
import { Progress, planSeconds } from '../lib/progress.mjs';
import { runScenario } from '../lib/rounds.mjs';
import type { Scenario } from '../lib/scenarios.mjs';

const SCENARIO: Scenario = {
  name: 'echo',
  title: '16 B c64 k16',
  kind: 'echo',
  unit: 'us/msg',
  connections: 64,
  inFlight: 16,
  size: 16,
  warmUp: 2,
  servers: ['ours', 'ws', 'net'],
};
const SETUP = { load: '', cores: undefined, malloc: false, profile: undefined };
const OPTIONS = { rounds: 3, seconds: 0.4, warmUp: Infinity, servers: ['ours', 'ws', 'net'] };

/** Servers that note when they are measured; `fails` throws in its n-th measurement, warm-up first. */
function fakes(fails: Record<string, number> = {}) {
  const log: string[] = [];
  const start = (server: string) => {
    let count = 0;
    return Promise.resolve({
      measure: (seconds: number) => {
        log.push(`${server} ${seconds}`);
        if (++count === fails[server]) throw new Error(`echo of ${server} has another length`);
        return Promise.resolve({ value: count });
      },
      close: () => Promise.resolve(void log.push(`${server} closed`)),
    });
  };
  return { log, start };
}

const silent = { step: () => undefined };

test('servers take turns, and every other round the other way', async () => {
  const { log, start } = fakes();
  const rows = await runScenario(SCENARIO, OPTIONS, SETUP, silent, start);
  expect(log.join(', ').split(', ours 0.4')).toEqual([
    'ours 2, ws 2, net 2',
    ', ws 0.4, net 0.4, net 0.4, ws 0.4',
    '',
    ', ws 0.4, net 0.4, ours closed, ws closed, net closed',
  ]);
  expect(rows.map(({ server, samples }) => [server, samples.map(({ value }) => value)])).toEqual([
    ['ours', [2, 3, 4]],
    ['ws', [2, 3, 4]],
    ['net', [2, 3, 4]],
  ]);
});

test('a server that fails scores nothing, is measured no more, and stops nobody else', async () => {
  const { log, start } = fakes({ ws: 3 });
  const rows = await runScenario(SCENARIO, OPTIONS, SETUP, silent, start);
  expect(rows[1]).toEqual({ server: 'ws', samples: [], failure: 'echo of ws has another length' });
  expect(rows.map(({ samples }) => samples.length)).toEqual([3, 0, 3]);
  expect(log.filter((line) => line.startsWith('ws'))).toEqual(['ws 2', 'ws 0.4', 'ws 0.4', 'ws closed']);
});

test('a server that does not start, or whose end tells of a fault, scores nothing', async () => {
  const { start } = fakes();
  const rows = await runScenario(SCENARIO, OPTIONS, SETUP, silent, async (server) => {
    if (server === 'ws') throw new Error('no such module');
    const subject = await start(server);
    return server === 'net' ? { ...subject, close: () => Promise.reject(new Error('counted 7 of 8')) } : subject;
  });
  expect(rows.map(({ server, samples, failure }) => [server, samples.length, failure])).toEqual([
    ['ours', 3, undefined],
    ['ws', 0, 'no such module'],
    ['net', 0, 'counted 7 of 8'],
  ]);
});

test('a scenario has as many rounds and as much warming up as it and the plan allow', async () => {
  const { log, start } = fakes();
  await runScenario({ ...SCENARIO, rounds: 2 }, { ...OPTIONS, warmUp: 0.3, servers: ['net'] }, SETUP, silent, start);
  expect(log).toEqual(['net 0.3', 'net 0.4', 'net 0.4', 'net closed']);
});

test('a scenario that needs its whole warm-up has it in a quick run, and the estimate counts it', async () => {
  const { log, start } = fakes();
  const quick = { ...OPTIONS, rounds: 1, warmUp: 0.3, servers: ['net'] };
  const whole = { ...SCENARIO, wholeWarmUp: true };
  await runScenario(whole, quick, SETUP, silent, start);
  expect(log).toEqual(['net 2', 'net 0.4', 'net closed']);
  expect(planSeconds(whole, quick) - planSeconds(SCENARIO, quick)).toBeCloseTo(1.7);
});

test('servers that no target names may have a third of the rounds, the first ones', async () => {
  const { log, start } = fakes();
  const scenario = { ...SCENARIO, warmUp: 0, targets: [{ than: 'net', atMost: 1.3 }] };
  await runScenario(scenario, { ...OPTIONS, fewerOfOthers: true }, SETUP, silent, start);
  expect(log.filter((line) => line.endsWith('0.4')).map((line) => line.split(' ')[0])).toEqual(
    'ours ws net net ours ours net'.split(' '),
  );
});

function screen(isTTY: boolean) {
  const written: string[] = [];
  return { written, terminal: { isTTY, columns: 70, write: (text: string) => written.push(text) } };
}

test('on a terminal one line follows the measurements, with the time that is left', async () => {
  const { written, terminal } = screen(true);
  const { start } = fakes();
  const plan = { ...OPTIONS, rounds: 1, servers: ['ours', 'net'] };
  let now = 0;
  const progress = new Progress([SCENARIO, { ...SCENARIO, title: 'other' }], plan, terminal, () => now);
  const watch = { step: (what: string) => (progress.step(what), (now += planSeconds(SCENARIO, plan) / 2)) };
  progress.next();
  await runScenario(SCENARIO, plan, SETUP, watch, start);
  progress.next();
  watch.step('start');
  progress.clear();
  expect(written.map((text) => text.replace('\r\u001b[K', ''))).toEqual([
    '[1/2] 0:11 left: 16 B c64 k16, start',
    '[1/2] 0:11 left: 16 B c64 k16, warm-up, ours',
    '[1/2] 0:39 left: 16 B c64 k16, warm-up, net',
    '[1/2] 0:25 left: 16 B c64 k16, round 1 of 1, ours',
    '[1/2] 0:19 left: 16 B c64 k16, round 1 of 1, net',
    '[2/2] 0:14 left: other, start',
    '',
  ]);
  expect(written.every((text) => text.startsWith('\r\u001b[K'))).toBe(true);
});

test('in a log there is a line for each case, and nothing to wipe out', () => {
  const { written, terminal } = screen(false);
  const progress = new Progress([SCENARIO], OPTIONS, terminal, () => 0);
  progress.next();
  progress.step('start');
  progress.clear();
  expect(written).toEqual(['[1/1] 0:11 left: 16 B c64 k16\n']);
});
