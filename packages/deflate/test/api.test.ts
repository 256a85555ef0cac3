import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as deflate from '../src/index.js';
import * as node from '../src/node/index.js';
import { codec, encode } from './codec.js';

const folder = new URL('..', import.meta.url);
const run = (code: string): string =>
  execFileSync(process.execPath, ['--no-warnings', '--input-type=module', '-e', code], {
    cwd: folder,
    encoding: 'utf8',
  });

test('the public names', () => {
  expect(Object.keys(deflate).sort()).toEqual([
    'DeflateError',
    'PerMessageDeflate',
    'TAIL',
    'Window',
    'answer',
    'checkAnswer',
    'offer',
  ]);
  expect(Object.keys(node).sort()).toEqual(['hasFastPath', 'zlibBackend']);
});

test('the public members', () => {
  const members = ({ prototype }: { prototype: object }): string =>
    Object.getOwnPropertyNames(prototype).sort().join(' ');
  expect(members(deflate.PerMessageDeflate)).toBe('close constructor decode encode name relieve reportMemory rsv');
  expect(members(deflate.Window)).toBe('add block byteLength bytes constructor copy length');
  const backend = node.zlibBackend();
  expect(members(backend.constructor as never)).toBe(
    'constructor contexts deflate deflateSync deflater dropIdle inflateSync inflater release rest',
  );
  expect(node.zlibBackend({ maxContexts: 128, zlibDeflateOptions: { level: 1 } })).toBe(backend);
  expect(node.zlibBackend({ concurrencyLimit: 11 })).not.toBe(backend);
});

test('import and require give the same classes, from both entries', () => {
  const code = `
    import { PerMessageDeflate } from '@ws/deflate';
    import { zlibBackend } from '@ws/deflate/node';
    import { createRequire } from 'node:module';
    const require = createRequire(process.cwd() + '/x.js');
    console.log(PerMessageDeflate === require('@ws/deflate').PerMessageDeflate, zlibBackend === require('@ws/deflate/node').zlibBackend);`;
  expect(run(code)).toBe('true true\n');
});

test("the README's example prints what the README says, and its message is as short as it says", async () => {
  const readme = readFileSync(new URL('README.md', folder), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  const [, printed, length] = /It prints `(.*)`; on the way were (\d+) bytes/.exec(readme) ?? [];
  expect(run(example)).toBe(`${printed}\n`);
  const [frame] = await encode(codec({ threshold: 1024 }), Buffer.from('hello '.repeat(1000)));
  expect(6 + frame!.payload.length).toBe(Number(length));
});
