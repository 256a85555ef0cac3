import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { migration as nodejsWebsocket } from './rows/nodejs-websocket.js';
import { page, type Migration } from './rows.js';
import { migration as ws8 } from './rows/ws.js';
import { migration as ws2 } from './rows/ws2.js';
import { migration as websockets } from './rows/websockets.js';
import { migration as wesos } from './rows/wesos.js';

const migrations: Readonly<Record<string, Migration>> = {
  ws: ws8,
  ws2,
  websockets,
  wesos,
  'nodejs-websocket': nodejsWebsocket,
};

test.each(Object.entries(migrations))('docs/migrate/%s.md says what the table says', (name, migration) => {
  const file = new URL(`../../../docs/migrate/${name}.md`, import.meta.url);
  if (process.env['WRITE_PAGES']) writeFileSync(file, page(migration));
  expect(readFileSync(file, 'utf8')).toBe(page(migration));
});
