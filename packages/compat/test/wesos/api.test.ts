import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import * as wesos from '../../src/wesos/index.js';

const own = ({ prototype }: { prototype: object }): string[] =>
  Object.getOwnPropertyNames(prototype)
    .filter((name) => name !== 'constructor' && !name.startsWith('_'))
    .sort();

test('its names, and no others', () => {
  expect(Object.keys(wesos).sort()).toEqual(['Incoming', 'Outgoing', 'Server', 'Socket', 'createServer']);
  expect(own(wesos.Server)).toEqual(['end', 'listen', 'write']);
  expect(own(wesos.Socket)).toEqual(['destroy', 'on', 'once', 'pipe', 'unpipe']);
  expect(own(wesos.Incoming)).toEqual([]);
  expect(own(wesos.Outgoing)).toEqual(['begin', 'giveUp', 'send', 'write']);
  expect(wesos.Server.prototype).toBeInstanceOf(EventEmitter);
  for (const { prototype } of [wesos.Socket, wesos.Incoming]) expect(prototype).toBeInstanceOf(Readable);
  expect(wesos.Outgoing.prototype).toBeInstanceOf(Writable);
});

test('import and require give the same classes', async () => {
  const program = `
    import { createRequire } from 'node:module';
    import * as imported from '@ws/compat/wesos';
    const required = createRequire(import.meta.url)('@ws/compat/wesos');
    const names = ['Incoming', 'Outgoing', 'Server', 'Socket', 'createServer'];
    console.log(names.map((name) => typeof imported[name] === 'function' && imported[name] === required[name]).join());`;
  const cwd = new URL('../..', import.meta.url);
  const run = (...args: string[]): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, ['--no-warnings', ...args], { cwd });
  const [major = 0] = process.versions.node.split('.').map(Number);
  if (major >= 22) {
    const { stdout } = await run('--input-type=module', '-e', program);
    expect(stdout.trim()).toBe('true,true,true,true,true');
  }
  const { stdout } = await run(
    '--input-type=commonjs',
    '-e',
    "const { createServer, Server } = require('@ws/compat/wesos'); console.log(createServer() instanceof Server)",
  );
  expect(stdout.trim()).toBe('true');
});
