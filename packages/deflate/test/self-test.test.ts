import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { hasFastPath } from '../src/node/index.js';

// In a process of its own, Node's internals are made other than they are; then one message goes there and back.
const script = fileURLToPath(new URL('altered-zlib.mjs', import.meta.url));

const run = (alteration: string): unknown =>
  JSON.parse(execFileSync(process.execPath, [script, alteration]).toString());

test('with the internals as they are, the fast path is used', () => {
  expect(run('none')).toEqual({ hasFastPath: true, isRight: true });
});

test.each([
  'no writeSync',
  'no reset',
  'no handle',
  'no state',
  'another kind of state',
  'no _processChunk',
  'other arguments',
  'wrong output',
  'reset does nothing',
  'errors go elsewhere',
])('%s: the public path is used instead', (alteration) => {
  expect(run(alteration)).toEqual({ hasFastPath: false, isRight: true });
});

test('the tests of this package use it too', () => {
  expect(hasFastPath()).toBe(true);
});
