// A target beside a server that is not measured would never be judged, and nobody would notice.
import { expect, test } from '@jest/globals';
import { MEASURES } from '../lib/measures.mjs';
import { serversOf } from '../lib/rounds.mjs';
import { pickScenarios, SCENARIOS } from '../lib/scenarios.mjs';
import { VARIANTS } from '../lib/variants.mjs';

test('names are distinct', () => {
  expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
  expect(new Set(SCENARIOS.map(({ title }) => title)).size).toBe(SCENARIOS.length);
});

test.each(SCENARIOS)('$name: its servers exist, and every target names two that are measured', (scenario) => {
  const { variants } = MEASURES[scenario.kind];
  const known = Object.keys(VARIANTS);
  const servers = scenario.servers ?? variants;
  expect(servers.filter((name) => !known.includes(name) || !variants.includes(name))).toEqual([]);
  const measured = serversOf(scenario, known);
  for (const { server = 'ours', than = 'ws', times, atMost, above } of scenario.targets ?? []) {
    expect(measured).toEqual(expect.arrayContaining([server, than]));
    expect([times, atMost, above].filter((bound) => bound !== undefined)).toHaveLength(1);
  }
});

test('a name picks its scenario and those that go on behind a hyphen', () => {
  expect(pickScenarios(['fragments']).map(({ name }) => name)).toEqual(['fragments', 'fragments-64B']);
  expect(pickScenarios(['16B-c64-k1']).map(({ name }) => name)).toEqual(['16B-c64-k1']);
  expect(() => pickScenarios(['16B-c64-k1', '16B-c6'])).toThrow(/--scenario is 16B-c6, expected one of/);
  expect(pickScenarios([])).toBe(SCENARIOS);
});
