// The page's tables are those that the tool would write.
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { formatTable, insertTable } from '../lib/table.mjs';
import { TOPICS } from '../topics/index.mjs';

const page = readFileSync(new URL('../../../docs/deployment.md', import.meta.url), 'utf8');

test.each(Object.entries(TOPICS))(
  'the table of %s has the columns that are measured',
  (name, { place = name, columns }) => {
    const [, head = ''] = new RegExp(`<!-- ${place} -->\\n\\n\\|(.*)\\|\\n`).exec(page) ?? [];
    const titles = head.split(' | ').map((title) => title.trim());
    expect(titles.slice(1)).toEqual(columns.map(({ title }) => title));
  },
);

test('a table', () => {
  const rows = new Map([
    ['a setting', { time: 1234.5, count: 7.4 }],
    ['b', { time: 0.123, count: -0.2 }],
    ['c', { time: 45.67 }],
  ]);
  const columns = [
    { title: 'us', key: 'time' },
    { title: 'n', key: 'count', digits: 0 },
  ];
  const lines = [
    '| name      | us   | n   |',
    '| --------- | ---- | --- |',
    '| a setting | 1235 | 7   |',
    '| b         | 0.12 | 0   |',
    '| c         | 45.7 |     |',
  ];
  expect(formatTable('name', columns, rows).split('\n')).toEqual(lines);
});

test('goes between its marks, in the place of the one before', () => {
  const first = insertTable('x\n\n<!-- t -->\n<!-- /t -->\n\ny', 't', '| $& |');
  expect(first).toBe('x\n\n<!-- t -->\n\n| $& |\n\n<!-- /t -->\n\ny');
  expect(insertTable(first, 't', '| b |')).toBe('x\n\n<!-- t -->\n\n| b |\n\n<!-- /t -->\n\ny');
  expect(() => insertTable(first, 'u', '')).toThrow('no place for u');
});
