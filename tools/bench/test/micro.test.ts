// Which figures of the micro-benchmarks count as slower, and that every case of every file runs.
import { describe, expect, test } from '@jest/globals';
import { compareMicro, formatMicro, gather } from '../lib/micro-table.mjs';
import { FILES, type Case } from '../micro/cases.mjs';
import { writeNowhere } from '../micro/echo-socket.mjs';

const measured = (name: string, ...all: number[]) => all.map((ns) => ({ name, ns }));

describe('beside kept figures', () => {
  const stored = gather([...measured('mask', 10, 11, 12), ...measured('parse', 100, 101, 99)]);

  test.each([
    ['slower', 'by a tenth and more in every process', [13, 13, 14]],
    ['same', 'slower, but not in every process', [13, 11.5, 14]],
    ['same', 'slower in every process, but by little', [12.05, 12.05, 12.05]],
    ['faster', 'by a tenth and more in every process', [9, 8, 9.9]],
    ['same', 'faster, but not in every process', [9, 8, 10]],
  ])('is %s: %s', (verdict, _why, now) => {
    expect(compareMicro(gather(measured('mask', ...now)), stored)).toMatchObject([{ before: 11, verdict }]);
  });

  test('a case that was not kept is new; one that is gone is not missed', () => {
    expect(compareMicro(gather(measured('utf8', 3)), stored)).toEqual([
      { name: 'utf8', ns: 3, low: 3, high: 3, verdict: 'new' },
    ]);
  });

  test('without any there is no verdict, and no column for it', () => {
    const text = formatMicro(compareMicro(stored));
    expect(text.split('\n').map((line) => line.trim().split(/ {2,}/))).toEqual([
      ['case', 'ns', 'lowest', 'highest'],
      ['mask', '11.0', '10.0', '12.0'],
      ['parse', '100.0', '99.0', '101.0'],
    ]);
    const beside = formatMicro(compareMicro(gather(measured('mask', 22, 22, 22)), stored));
    expect(beside).toMatch(/mask +22\.0 +22\.0 +22\.0 +11\.0 +0\.50 +slower$/);
  });
});

describe.each(FILES)('%s', (file) => {
  test('has cases with names of their own, and each of them runs', async () => {
    const { cases } = (await import(`../micro/${file}.mjs`)) as { cases: readonly Case[] };
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect(cases.length).toBeGreaterThan(4);
    const restore = writeNowhere();
    try {
      for (const { run } of [...cases, ...cases]) await run();
    } finally {
      restore();
    }
  });
});
