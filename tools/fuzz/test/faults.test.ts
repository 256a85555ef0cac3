import { readFileSync, rmSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { FAULTS } from '../src/faults.js';
import { TARGETS } from '../src/targets/index.js';
import { fuzz } from './fuzz.js';

test('each target has faults to find', () => {
  expect([...new Set(FAULTS.map(({ target }) => target))].sort()).toEqual(Object.keys(TARGETS).sort());
});

// Each in a process of its own, which breaks the module as it loads it.
describe.each(FAULTS)('$target: $name', ({ name, target }) => {
  test('is found, written down, and replayed with the fault alone', async () => {
    const found = await fuzz(target, '--plant', name, '--seconds', '60', '--seed', '1');
    expect(found.output).toContain('BROKEN');
    expect(found.status).toBe(1);
    const [, file = ''] = /--replay (\S+)/.exec(found.output) ?? [];
    try {
      expect(readFileSync(file).length).toBeLessThan(4097);
      expect((await fuzz(target, '--replay', file, '--plant', name)).status).toBe(1);
      const sound = await fuzz(target, '--replay', file);
      expect(sound.output).toContain('the invariant holds');
      expect(sound.status).toBe(0);
    } finally {
      rmSync(file, { force: true });
    }
  });
});

test('what is asked for wrongly is told, and nothing runs', async () => {
  for (const args of [
    ['nothing'],
    ['--nothing'],
    ['--seed'],
    ['--plant', 'nothing'],
    ['--seconds', 'x'],
    ['frame', 'inflate', '--replay', 'x'],
  ]) {
    const { status, output } = await fuzz(...args);
    expect(output).toContain('npm run fuzz');
    expect(status).toBe(2);
  }
});
