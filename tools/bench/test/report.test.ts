// Page and chart are made from stored samples: these are of a real run, of three cases, in which one server was made to fail.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { isReportCurrent, renderChart, renderPage } from '../lib/report.mjs';
import { fileOf, formatRun, mergeRun, packRun, readRun, readRuns, resultsOf, storeRun } from '../lib/results.mjs';
import type { Scenario } from '../lib/scenarios.mjs';
import { formatDoubts, formatTable, formatTargets, labelOf } from '../lib/table.mjs';

const SAMPLES = path.join(import.meta.dirname, 'samples/node-20.json');
const RUN = readRun(SAMPLES);

const [WS, NATIVE, NET] = ['ws', 'ws-native', 'net'].map(labelOf);

const BASE = { unit: 'us/msg', connections: 64, inFlight: 16, size: 16, warmUp: 0 } as const;
const SCENARIOS: readonly Scenario[] = [
  {
    ...BASE,
    name: '16B-c64-k16',
    title: '16 B c64 k16',
    kind: 'echo',
    targets: [{ times: 9 }, { than: 'net', atMost: 1.3 }, { than: 'net', atMost: 1.55 }],
  },
  {
    ...BASE,
    name: 'client-send-16B',
    title: 'client sends <16 B>',
    kind: 'client-send',
    targets: [{ than: 'ws-native', times: 5, aim: 6 }],
  },
  {
    ...BASE,
    name: 'peak',
    title: 'peak memory',
    kind: 'peak',
    unit: 'MiB',
    targets: [
      { than: 'net', atMost: 2 },
      { above: 1, than: 'ws' },
    ],
  },
];
const RESULTS = resultsOf(RUN, SCENARIOS);

describe('the page', () => {
  const page = renderPage([RUN], SCENARIOS);
  const line = (begin: string) => page.split('\n').filter((text) => text.startsWith(begin));
  const cells = (text: string | undefined) =>
    text
      ?.split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());

  test('has every target with its figure, interval, rounds and whether it holds', () => {
    const from = page.indexOf('### Targets');
    const table = page
      .slice(from, page.indexOf('### Costs'))
      .split('\n')
      .filter((text) => text.startsWith('|'));
    expect(table.slice(2).map(cells)).toEqual([
      ['16 B c64 k16', `${WS} / @ws`, '8.64', '7.77 to 9.23', '6', '≥ 9', 'yes, by its interval'],
      ['16 B c64 k16', `@ws / ${NET}`, '1.57', '1.36 to 1.83', '6', '≤ 1.3', '**no**'],
      ['16 B c64 k16', `@ws / ${NET}`, '1.57', '1.36 to 1.83', '6', '≤ 1.55', 'yes, by its interval'],
      ['client sends <16 B>', `${NATIVE} / @ws`, '19.0', '15.7 to 20.6', '6', '≥ 5, aim 6', 'yes'],
      ['peak memory', `@ws / ${NET}`, '', '', '', '≤ 2', '**not measured**'],
      ['peak memory', `@ws − ${WS}`, '4.44', '4.03 to 8.24 (94 %)', '5', '≤ 1 MiB more', '**no**'],
    ]);
    expect(page).toContain('3 of 6 targets hold, 2 of them by the better end of the interval only.');
  });

  test('has medians and spread of every server', () => {
    expect(cells(line('| peak memory')[2])).toEqual([
      'peak memory',
      'MiB',
      '37.1 ± 5 %',
      '',
      '32.6 ± 1 %',
      '',
      'failed',
    ]);
  });

  test('says where the figures come from, and what is doubtful', () => {
    expect(page).toContain(
      'Node v20.20.2 (V8 11.3.244.8-node.38), bufferutil 4.1.0, undici 7.30.2, ws 8.23.0; this repository at 702095b.',
    );
    expect(page).toContain(
      'AMD EPYC, 2 cores of a virtual machine, 24 GiB; Debian GNU/Linux 12 (bookworm), Linux 6.1.0; server and load generator on a core each.',
    );
    expect(line('- failed:')).toEqual([`- failed: peak memory, ${NET}: an echo has another length`]);
  });

  test('names the cases that were not measured', () => {
    const part = renderPage([{ ...RUN, results: RUN.results.slice(1) }], SCENARIOS);
    expect(part).toContain('\n- not measured: 16 B c64 k16\n');
    expect(page).not.toContain('not measured: ');
  });

  test('of no run at all says so', () => {
    expect(renderPage([], SCENARIOS)).toContain('No run is kept yet.');
    expect(renderChart([], SCENARIOS)).toBeUndefined();
  });

  test('has quick runs of other versions of Node beside each other, a row for each target', () => {
    const quick = (node: string, cases: number) => ({
      settings: { ...RUN.settings, kind: 'quick' as const },
      taken: { ...RUN.taken, environment: { ...RUN.taken.environment, node } },
      results: RUN.results.slice(0, cases),
    });
    const both = renderPage([RUN, quick('v22.1.0', 1), quick('v24.0.0', 2)], SCENARIOS);
    const table = both
      .slice(both.indexOf('## Versions of Node'))
      .split('\n')
      .filter((text) => text.startsWith('|'));
    expect(table.map(cells)).toEqual([
      ['case', 'compared', 'target', 'v22.1.0', 'v24.0.0'],
      expect.anything(),
      ['16 B c64 k16', `${WS} / @ws`, '≥ 9', '8.64', '8.64'],
      ['16 B c64 k16', `@ws / ${NET}`, '≤ 1.3', '**1.57**', '**1.57**'],
      ['16 B c64 k16', `@ws / ${NET}`, '≤ 1.55', '1.57', '1.57'],
      ['client sends <16 B>', `${NATIVE} / @ws`, '≥ 5, aim 6', '', '19.0'],
    ]);
  });

  test('in the repository is that of the kept runs: node tools/bench/report.mjs writes it', () => {
    expect(isReportCurrent()).toBe(true);
  });
});

describe('the chart', () => {
  const chart = renderChart([RUN], SCENARIOS) ?? '';

  test('has a row for each case, targets and floor, told apart by shape', () => {
    const shapes = (name: string) => chart.split(`class="${name}"`).length - 1;
    expect(chart).toContain('client sends &lt;16 B&gt;</text>');
    expect(chart).toContain('8.64×');
    expect(shapes('floor')).toBe(2); // one of them in the legend
    expect(shapes('target')).toBe(2);
  });

  test('is an XML document', () => {
    const open: string[] = [];
    for (const [, slash, name = '', closed] of chart.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (slash === '/') expect(open.pop()).toBe(name);
      else if (closed === '') open.push(name);
    }
    expect(open).toEqual([]);
  });
});

test('the table of the console has the median, the ratio and what failed', () => {
  const text = formatTable(RESULTS);
  expect(text).toMatch(/16 B c64 k16 +@ws +0\.80 +us\/msg +16 % +1\.24M +737 +1885 +99\/60 +8\.64/);
  expect(text).toMatch(/net +failed/);
  expect(formatTargets(RESULTS).split('\n')).toEqual([
    `target 16 B c64 k16: ${WS} / @ws >= 9: 8.64 (7.77 to 9.23), holds by its interval`,
    `target 16 B c64 k16: @ws / ${NET} <= 1.3: 1.57 (1.36 to 1.83), MISSED`,
    `target 16 B c64 k16: @ws / ${NET} <= 1.55: 1.57 (1.36 to 1.83), holds by its interval`,
    `target client sends <16 B>: ${NATIVE} / @ws >= 5 (aim 6): 19.0 (15.7 to 20.6), reached`,
    `target peak memory: @ws / ${NET} <= 2: not measured`,
    `target peak memory: @ws - ${WS} <= 1 MiB: 4.44 (4.03 to 8.24 (94 %)), MISSED`,
  ]);
  expect(formatDoubts(RESULTS)).toBe(`failed: peak memory, ${NET}: an echo has another length`);
});

describe('runs', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(path.join(os.tmpdir(), 'bench-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  const later = (name: string, server: string, ...values: number[]) => {
    const scenario = SCENARIOS.find((each) => each.name === name)!;
    const taken = { ...RUN.taken, at: '2026-11-22T10:00:00.000Z' };
    return packRun(RUN.settings, taken, [
      { scenario, rows: [{ server, samples: values.map((value) => ({ value })) }] },
    ]);
  };

  test('are kept as they are', () => {
    expect(JSON.parse(formatRun(RUN))).toEqual(RUN);
    expect(formatRun(RUN).match(/\n {4}\{"server":.*\}/g)).toHaveLength(10); // a line for each server of a case
    expect(packRun(RUN.settings, RUN.taken, RESULTS)).toEqual(RUN);
    const first = { value: 1.001, rate: 996_400, p50: 745.5, p99: 5702, serverBusy: 0.9971 };
    expect(RESULTS[0]?.rows[0]?.samples[0]).toMatchObject(first);
  });

  test('of all cases take the place of the last of the same kind and version, and of no other', () => {
    const quick = { ...RUN, settings: { ...RUN.settings, kind: 'quick' as const } };
    storeRun(RUN, true, directory);
    storeRun(quick, true, directory);
    storeRun(later('peak', 'ours', 1), true, directory);
    expect(path.basename(fileOf(quick))).toBe('node-20-quick.json');
    expect(readRuns(directory).map(({ settings, results }) => [settings.kind, results.length])).toEqual([
      ['quick', 3],
      ['full', 1],
    ]);
  });

  test('of some cases replace only those, which the page tells', () => {
    storeRun(RUN, true, directory);
    storeRun(later('client-send-16B', 'ours', 1, 2, 3), false, directory);
    const run = readRun(fileOf(RUN, directory));
    expect(resultsOf(run, SCENARIOS).map(({ scenario, rows }) => [scenario.name, rows.length])).toEqual([
      ['16B-c64-k16', 3],
      ['client-send-16B', 1],
      ['peak', 3],
    ]);
    expect(renderPage([run], SCENARIOS)).toContain(
      '- Measured again, apart from the rest: `client-send-16B`, 2026-11-22T10:00Z, commit 702095b',
    );
    expect(
      mergeRun(RUN, later('peak', 'ours', 1)).results.map(({ name, apart }) => [name, apart === undefined]),
    ).toEqual([
      ['16B-c64-k16', true],
      ['client-send-16B', true],
      ['peak', false],
    ]);
  });

  test('of some cases may be the first', () => {
    storeRun(later('peak', 'ours', 1), false, directory);
    expect(readRuns(directory)).toHaveLength(1);
  });
});
