import { expect, test } from '@jest/globals';
import { Counters } from '../src/counting/counters.js';
import { TARGETS } from '../src/targets/index.js';
import { fuzz } from './fuzz.js';

test('counts what was reached, of files and of all that begin with a name', () => {
  const counters = new Counters();
  const first = counters.region(['a/one.ts:1', 'a/one.ts:2', 'a/two.ts:1']);
  const second = counters.region(['b/one.ts:7', 'b/one.ts:7']);
  first[1] = second[0] = 3;
  expect(counters.collectCode()).toHaveLength(2);
  counters.reset();
  expect([counters.steps(), [...first]]).toEqual([0, [0, 0, 0]]);
  expect(counters.reached(['a/'])).toEqual({ hit: 1, total: 3 });
  expect(counters.reached(['a/two', 'b/'])).toEqual({ hit: 1, total: 3 });
  expect(counters.missed(['a/', 'b/'])).toEqual(['a/one.ts:1', 'a/two.ts:1', 'b/one.ts:7']);
});

test('a file in which nothing is counted is a failure, though others are there', () => {
  const counters = new Counters();
  expect(() => counters.reached(['a/'])).toThrow('there is nothing to be covered in a/');
  counters.region(['a/one.ts:1']);
  expect(counters.reached(['a/'])).toEqual({ hit: 0, total: 1 });
  expect(() => counters.reached(['a/', 'a/renamed'])).toThrow(RangeError);
});

test.each(Object.keys(TARGETS))('%s reaches branches of the sources that it is there for', async (target) => {
  const { status, output } = await fuzz(target, '--seconds', '0.5', '--seed', '1', '--missed');
  expect(output).toMatch(/; coverage [1-9]\d* of [1-9]\d* branches \(\d+\.\d %\)/);
  expect(output).toMatch(/^  missed [a-z]+\/[a-z/-]+\.ts:\d+$/m);
  expect(output).not.toMatch(/missed .*(shared-|dist)/);
  expect(status).toBe(0);
});
