import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { checkWorkspace } from '../src/check.mjs';
import { LAYERS } from '../src/table.mjs';
import { format } from '../src/violation.mjs';

/** @type {string[]} */
const roots = [];
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

/** Writes files by path; each package gets a package.json that declares what is imported. @param {Record<string, string | object>} files */
function workspace(files) {
  const root = mkdtempSync(join(tmpdir(), 'check-layers-'));
  roots.push(root);
  mkdirSync(join(root, 'packages'));
  for (const path of Object.keys(files)) {
    const [, name] = path.split('/');
    const manifest = `packages/${name}/package.json`;
    const imported = [...JSON.stringify(files).matchAll(/'(@ws\/[a-z]+)/g)].map(([, dependency]) => [
      dependency,
      'workspace:^',
    ]);
    write(join(root, manifest), {
      name: `@ws/${name}`,
      dependencies: Object.fromEntries(imported),
      ...object(files[manifest]),
    });
    if (path !== manifest) write(join(root, path), files[path] ?? '');
  }
  return root;
}

/** @param {Record<string, string | object>} files */
const violationsIn = (files) => checkWorkspace(workspace(files)).map(format);

/** @param {string} path @param {string | object} content */
function write(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

/** @param {string | object | undefined} value */
const object = (value) => (typeof value === 'object' ? value : {});

/** One file, its imports declared as dependencies. @param {string} path @param {string} code */
const check = (path, code) => violationsIn({ [`packages/${path}`]: code });

describe('imports that point down, and nothing else', () => {
  const ALLOWED = [
    ['frame/src/index.ts', `export { a } from './a.js';`],
    ['frame/src/stream/index.ts', `import { Duplex } from 'node:stream'; import { a } from '../a.js';`],
    ['deflate/src/index.ts', `import type { Opcode } from '@ws/frame';`],
    [
      'deflate/src/node/index.ts',
      `import { createInflateRaw } from 'node:zlib'; import { Window } from '../window.js';`,
    ],
    ['connection/src/protocol/index.ts', `import { mask } from '@ws/frame'; import type { Offer } from '@ws/deflate';`],
    [
      'connection/src/websocket.ts',
      `import { Duplex } from 'node:stream'; import { Protocol } from './protocol/index.js';`,
    ],
    ['connection/src/websocket.ts', `import { Socket } from 'node:net';`],
    [
      'server/src/index.ts',
      `import { createServer } from 'node:http'; import '@ws/connection/protocol'; import '@ws/handshake';`,
    ],
    ['client/src/index.ts', `import { connect } from 'node:tls'; import '@ws/connection'; import '@ws/deflate/node';`],
    ['compat/src/ws/index.ts', `import '@ws/server'; import '@ws/client';`],
  ];
  test.each(ALLOWED)('%s: %s', (path, code) => {
    expect(check(path, code)).toEqual([]);
  });
});

describe('imports that do not point down', () => {
  const FORBIDDEN = [
    ['up', 'frame/src/a.ts', `import { WebSocket } from '@ws/connection';`],
    ['up, types alone', 'frame/src/a.ts', `import type { WebSocket } from '@ws/connection';`],
    ['up, in an import type', 'frame/src/a.ts', `export type A = import('@ws/server').Server;`],
    ['up, dynamic', 'handshake/src/a.ts', `export const a = () => import('@ws/server');`],
    ['up, require', 'connection/src/a.ts', `const a = require('@ws/client');`],
    ['up, import = require', 'connection/src/a.ts', `import a = require('@ws/server');`],
    ['up, export from', 'connection/src/a.ts', `export { a } from '@ws/server';`],
    ['up, export star', 'connection/src/a.ts', `export * from '@ws/server';`],
    ['up, for its side effect', 'connection/src/a.ts', `import '@ws/server';`],
    ['up, resolved at run time', 'connection/src/a.ts', `import.meta.resolve('@ws/server');`],
    ['up, from a template without holes', 'connection/src/a.ts', 'import(`@ws/server`);'],
    ['up, in a .mts file in a folder', 'connection/src/deep/er/a.mts', `import '@ws/server';`],
    ['up, by path', 'frame/src/a.ts', `import '../../connection/src/a.js';`],
    ['sideways: server to client', 'server/src/a.ts', `import '@ws/client';`],
    ['sideways: client to server', 'client/src/a.ts', `import type { A } from '@ws/server';`],
    ['sideways: handshake to frame', 'handshake/src/a.ts', `import '@ws/frame';`],
    ['sideways: handshake to deflate', 'handshake/src/a.ts', `import type { A } from '@ws/deflate';`],
    ['sideways: deflate to handshake', 'deflate/src/a.ts', `import type { A } from '@ws/handshake';`],
    ['sideways: deflate to connection', 'deflate/src/a.ts', `import type { A } from '@ws/connection';`],
    ['sideways: connection to handshake', 'connection/src/a.ts', `import '@ws/handshake';`],
    ['more than types: deflate to frame', 'deflate/src/node/index.ts', `import { mask } from '@ws/frame';`],
    ['more than types, as the compiler sees it', 'connection/src/a.ts', `import { type Offer } from '@ws/deflate';`],
    ['past the entries of a package below', 'server/src/a.ts', `import '@ws/connection/dist/esm/writer.js';`],
    ['a later package under an earlier one', 'compat/src/ws/a.ts', `import '@ws/cli';`],
    ['a portable entry to one that is not', 'connection/src/protocol/a.ts', `import '@ws/frame/stream';`],
    ['a portable part to one that is not', 'connection/src/protocol/a.ts', `import type { A } from '../websocket.js';`],
    ['a portable part to one that is not', 'deflate/src/window.ts', `import { zlibBackend } from './node/index.js';`],
    ['a portable part to one that is not', 'frame/src/parser.ts', `export { a } from './stream/index.js';`],
    ['a third party', 'client/src/a.ts', `import 'undici';`],
    ['something computed', 'server/src/a.ts', `export const load = (name: string) => import(name);`],
    ['out of src', 'server/src/a.ts', `import manifest from '../package.json';`],
    ['a part without an entry', 'compat/src/other/a.ts', ''],
  ];
  test.each(FORBIDDEN)('%s: %s: %s', (_, path, code) => {
    const violations = check(path, code).filter((violation) => !violation.includes('package.json  ')); // where it is wrong as well
    expect(violations).toEqual([expect.stringContaining(`packages/${path}`)]);
  });
});

describe('built-in modules', () => {
  const FORBIDDEN = [
    ['frame/src/a.ts', `import 'node:buffer';`],
    ['frame/src/a.ts', `import type { Duplex } from 'node:stream';`],
    ['frame/src/a.ts', `import 'crypto';`],
    ['frame/src/a.ts', `/// <reference types="node" />`],
    ['frame/src/stream/index.ts', `import 'node:net';`],
    ['handshake/src/a.ts', `import { createHash } from 'node:crypto';`],
    ['handshake/src/a.ts', `import 'fs/promises';`],
    ['deflate/src/index.ts', `import 'node:zlib';`],
    ['deflate/src/node/index.ts', `import 'node:stream';`],
    ['connection/src/protocol/a.ts', `import { EventEmitter } from 'node:events';`],
    ['connection/src/protocol/a.ts', `process.getBuiltinModule('node:fs');`],
    ['server/src/a.ts', `import 'http';`],
  ];
  test.each(FORBIDDEN)('%s: %s', (path, code) => {
    expect(check(path, code)).toContainEqual(expect.stringMatching(/may not|is written 'node:/));
  });
});

describe('globals of portable entries', () => {
  const FOREIGN = [
    ['Buffer', `export const a = Buffer.alloc(1);`],
    ['process', `export const a = process.env;`],
    ['process', `export const a = { process };`],
    ['setTimeout', `export const a = () => setTimeout(() => {}, 1);`],
    ['setImmediate', `export const a = (b = setImmediate) => b;`],
    ['setInterval', `setInterval(() => {}, 1);`],
    ['console', `console.log('here');`],
    ['window', `export const a = window.crypto;`],
    ['globalThis.Buffer', `export const a = globalThis.Buffer;`],
    ['globalThis.process', `export const a = (globalThis as any).process;`],
    ['globalThis', `export const a = globalThis['Buf' + 'fer'];`],
    ['Buffer', `export const a = (bytes: Buffer) => bytes;`],
    ['NodeJS', `export const a = (timer: NodeJS.Timeout) => timer;`],
    ['Buffer', `function hides(Buffer: number) { return Buffer; } export const a = [hides, Buffer];`],
    ['setTimeout', `declare const setTimeout: (run: () => void) => void; export const a = setTimeout;`],
    ['Buffer', `declare global { const Buffer: number; } export {};`],
    ['Buffer', `interface Buffer { a: 1 } export type A = Buffer;`],
    ['lib "dom"', `/// <reference lib="dom" />`],
  ];
  test.each(FOREIGN)('%s: %s', (name, code) => {
    for (const path of ['frame/src/a.ts', 'handshake/src/a.ts', 'connection/src/protocol/a.ts', 'deflate/src/a.ts']) {
      expect(check(path, code)).toContainEqual(expect.stringMatching(new RegExp(`^packages/${path}:1  .?${name}`)));
    }
  });

  test('a foreign global that runtime.d.ts declares', () => {
    const files = {
      'packages/frame/src/runtime.d.ts': 'declare const process: object;',
      'packages/frame/src/a.ts': 'export const a = process;',
    };
    expect(violationsIn(files)).toEqual([expect.stringContaining('runtime.d.ts:1  `process`')]);
  });

  test('what every runtime has, and names that only look foreign', () => {
    const code = `
      import { process } from './process.js';
      const decoder = new TextDecoder('utf-8', { fatal: true });
      export const key = crypto.getRandomValues(new Uint8Array(16)), other = globalThis.crypto;
      interface Options { Buffer?: number }
      export class Reader<T extends object> {
        process: number = Math.max(1, NaN);
        setTimeout(process: Options & Partial<T>): typeof process { return process; }
        [Symbol.iterator]() { return arguments; }
      }
      export const { Buffer: renamed }: Options = { Buffer: undefined };
      export const all = [process, decoder, renamed, new Map(), Promise, BigInt(1)] as const;
      outer: for (;;) break outer;
    `;
    const runtime = `
      declare class TextDecoder { constructor(label: string, options: object); decode(bytes: Uint8Array): string }
      declare const crypto: { getRandomValues(bytes: Uint8Array): Uint8Array };
    `;
    expect(violationsIn({ 'packages/frame/src/a.ts': code, 'packages/frame/src/runtime.d.ts': runtime })).toEqual([]);
  });

  test('elsewhere they are welcome', () => {
    expect(check('connection/src/a.ts', `export const a = setTimeout(() => Buffer.alloc(1), 1);`)).toEqual([]);
  });
});

describe('package.json', () => {
  const manifest = 'packages/connection/package.json';
  /** @param {object} fields */
  const connection = (fields) =>
    violationsIn({ [manifest]: fields, 'packages/connection/src/a.ts': `import '@ws/frame';` });
  const frame = { '@ws/frame': 'workspace:^' };

  test('what src imports', () => {
    expect(connection({ dependencies: frame, devDependencies: { jest: '30' } })).toEqual([]);
  });

  /** @type {[string, object][]} */
  const WRONG = [
    ['missing', { dependencies: {} }],
    ['declared in the wrong field', { dependencies: {}, devDependencies: frame }],
    ['up', { dependencies: { ...frame, '@ws/server': 'workspace:^' } }],
    ['sideways', { dependencies: { ...frame, '@ws/handshake': 'workspace:^' } }],
    ['up, as a peer', { dependencies: frame, peerDependencies: { '@ws/server': '*' } }],
    ['up, as an option', { dependencies: frame, optionalDependencies: { '@ws/server': '*' } }],
    ['a third party', { dependencies: { ...frame, bufferutil: '4' } }],
    ['a third party, as a peer', { dependencies: frame, peerDependencies: { bufferutil: '4' } }],
    ['a third party, as an option', { dependencies: frame, optionalDependencies: { bufferutil: '4' } }],
    ['not imported', { dependencies: { ...frame, '@ws/deflate': 'workspace:^' } }],
    ['bundled', { dependencies: frame, bundledDependencies: ['@ws/frame'] }],
    [
      'an entry without a row',
      { dependencies: frame, exports: { '.': './a.js', './package.json': './package.json', './extra': './b.js' } },
    ],
  ];
  test.each(WRONG)('%s', (_, fields) => {
    expect(connection(fields)).toEqual([expect.stringContaining(manifest)]);
  });

  test('a package without a row', () => {
    expect(check('extra/src/a.ts', '')).toEqual([expect.stringContaining('not in the table')]);
  });
});

describe('adapters of @ws/compat', () => {
  /** @param {number} count */
  const lines = (count) => Array.from({ length: count }, (_, i) => `export const a${i} = ${i};`).join('\n');

  test('400 lines in all of an entry, types, comments and empty lines not counted', () => {
    const rest = `${'// a comment\n\n'.repeat(200)}\nexport interface A {\n${'  a: 1;\n'.repeat(200)}}\n`;
    const files = {
      'packages/compat/src/ws/index.ts': lines(200) + rest,
      'packages/compat/src/ws/b.ts': lines(200),
      'packages/compat/src/wesos/index.ts': lines(400),
    };
    expect(violationsIn(files)).toEqual([]);
    const more = { ...files, 'packages/compat/src/ws/c.ts': lines(1) };
    expect(violationsIn(more)).toEqual(['packages/compat/src/ws  401 lines of code, at most 400']);
  });

  test.each(['zlib', 'crypto'])('node:%s', (name) => {
    for (const file of ['ws/index.ts', 'ws2/a.ts', 'forward.ts'])
      expect(check(`compat/src/${file}`, `import * as a from 'node:${name}';`)).toEqual([
        expect.stringContaining(`may not import 'node:${name}'`),
      ]);
  });
});

test('the table itself has no cycles, and portable entries import portable entries alone', () => {
  /** @param {string} specifier */
  const packageOf = (specifier) => specifier.split('/').slice(0, 2).join('/');
  /** @param {string} name @param {readonly string[]} path */
  const walk = (name, path) => {
    expect(path).not.toContain(name);
    for (const part of LAYERS[name] ?? []) for (const entry of part.imports) walk(packageOf(entry), [...path, name]);
  };
  for (const [name, parts] of Object.entries(LAYERS)) {
    walk(name, []);
    for (const { builtins, imports } of parts.filter((part) => part.builtins === 'none')) {
      expect(builtins).toBe('none');
      for (const specifier of imports) {
        const entry = specifier.replace(packageOf(specifier), '.');
        expect(LAYERS[packageOf(specifier)]?.find((part) => part.entry === entry)?.builtins).toBe('none');
      }
    }
  }
});

test('the command says where, and fails', () => {
  const main = fileURLToPath(new URL('../src/main.mjs', import.meta.url));
  /** @param {string} code */
  const run = (code) =>
    spawnSync(process.execPath, [main, workspace({ 'packages/frame/src/a.ts': code })], { encoding: 'utf8' });
  expect(run('')).toMatchObject({ status: 0, stdout: 'Every import points down.\n', stderr: '' });
  expect(run(`\nimport 'node:fs';`)).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('packages/frame/src/a.ts:2  '),
  });
});
