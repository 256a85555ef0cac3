import { expect, test } from '@jest/globals';
import { Counters } from '../src/counting/counters.js';
import { distill } from '../src/engine/distill.js';
import { Engine } from '../src/engine/engine.js';
import { must } from '../src/engine/failure.js';
import type { Target } from '../src/target.js';

/** A maze: each letter of the word is reached through the one before it. */
function maze(word: string, counters: Counters, isLate = false): Target {
  const region = counters.region([...word].map((_, i) => `maze/maze.ts:${i + 1}`));
  return {
    name: 'maze',
    covers: ['maze/'],
    maxLength: 64,
    seeds: () => [],
    dictionary: [],
    run(input) {
      for (const [i, letter] of [...word].entries()) {
        if (input[i] !== letter.charCodeAt(0)) return;
        region[i] = (region[i] ?? 0) + 1;
      }
      if (isLate) return Promise.reject(new Error('found'));
      return must(input.length < word.length, 'found');
    },
  };
}

test.each([{ isLate: false }, { isLate: true }])(
  'what is reached step by step is found, and made short (async: $isLate)',
  async ({ isLate }) => {
    const counters = new Counters();
    const engine = new Engine(maze('magic', counters, isLate), counters);
    const { crash } = await engine.fuzz([], 60, 1);
    expect(Buffer.from(crash?.input ?? []).toString()).toBe('magic');
    expect(String(crash?.error)).toContain('found');
  },
);

test('without coverage it is not found', async () => {
  const target = maze('magic', new Counters());
  const { crash, executions } = await new Engine(target, new Counters()).fuzz([], 1, 1);
  expect(crash).toBeUndefined();
  expect(executions).toBeGreaterThan(1000);
});

test('the same seed makes the same inputs', async () => {
  const inputs = async (): Promise<string[]> => {
    const counters = new Counters();
    const seen: string[] = [];
    const target = maze('ab', counters);
    const recording: Target = {
      ...target,
      run: (input) => {
        if (seen.push(Buffer.from(input).toString('hex')) >= 500) throw new Error('enough');
      },
    };
    await new Engine(recording, counters).fuzz([], 60, 7);
    return seen.slice(0, 500);
  };
  expect(await inputs()).toEqual(await inputs());
});

test('the corpus keeps the shortest input of each feature, and few of them are worth a file', async () => {
  const counters = new Counters();
  const target = maze('ab', counters);
  const engine = new Engine(
    { ...target, run: (input) => void (input.length < 3 && target.run(input.subarray(0, 1))) },
    counters,
  );
  for (const text of ['axx', 'ax', 'a', 'b', '']) expect(await engine.execute(Buffer.from(text))).toBeUndefined();
  expect(engine.corpus.inputs.map((input) => Buffer.from(input).toString())).toEqual(['a']);
  expect(
    await distill([Buffer.from('a'), Buffer.from('ax')], counters, async (input) => engine.execute(input)),
  ).toEqual([Buffer.from('a')]);
});
