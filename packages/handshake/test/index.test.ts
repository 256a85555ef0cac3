import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import * as handshake from '../src/index.js';

test('the public names', () => {
  expect(Object.keys(handshake).sort()).toEqual([
    'HandshakeError',
    'acceptFor',
    'addressKey',
    'checkHost',
    'checkOrigin',
    'checkUpgradeRequest',
    'checkUpgradeResponse',
    'clientAddress',
    'formatExtensions',
    'formatRequest',
    'formatResponse',
    'generateKey',
    'isHostEntry',
    'isOrigin',
    'isToken',
    'negotiateExtensions',
    'parseExtensions',
    'parseSubprotocols',
    'refusalResponse',
    'selectSubprotocol',
    'upgradeRequest',
    'upgradeResponse',
  ]);
});

const packageFolder = new URL('..', import.meta.url);
const run = (...args: string[]): string =>
  execFileSync(process.execPath, args, { cwd: packageFolder, encoding: 'utf8' });

test('the built package has them too, by import and by require, as the same classes', () => {
  const code = `
    import * as imported from '@ws/handshake';
    import { createRequire } from 'node:module';
    const required = createRequire(process.cwd() + '/x.js')('@ws/handshake');
    console.log(JSON.stringify([Object.keys(imported).sort(), Object.keys(required).sort(), imported.HandshakeError === required.HandshakeError]));`;
  const [imported, required, same] = JSON.parse(run('--no-warnings', '--input-type=module', '-e', code)) as [
    string[],
    string[],
    boolean,
  ];
  const names = Object.keys(handshake).sort();
  expect(imported).toEqual(names);
  expect(required.filter((name) => name !== '__esModule' && name !== 'default')).toEqual(names);
  expect(same).toBe(true);
});

test('the example of the README does what it says', () => {
  const readme = readFileSync(new URL('README.md', packageFolder), 'utf8');
  const block = (language: string): string => readme.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? '';
  expect(block('text')).toContain('101 Switching Protocols');
  expect(run('--input-type=module', '-e', block('js')).replaceAll('\r', '')).toBe(block('text'));
});

test('the sources are portable, and keep regular expressions and chance away from peers', () => {
  const folder = new URL('src/', packageFolder);
  for (const file of readdirSync(folder)) {
    const source = readFileSync(new URL(file, folder), 'utf8');
    for (const word of [
      'node:',
      'Buffer',
      'process.',
      'require(',
      'RegExp',
      '.match(',
      '.matchAll(',
      '.replace(',
      '.search(',
      'JSON.',
      'Math.random',
      'eval(',
    ]) {
      expect([file, source.includes(word)]).toEqual([file, false]);
    }
  }
});
