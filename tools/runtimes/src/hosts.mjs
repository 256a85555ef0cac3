// Where the other runtimes come from, and what is said when one is missing.
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/**
 * A line for the end of `npm test`: nobody should take skipped tests for passed ones. Under CI=true it makes the run fail.
 * @param {string} line
 */
export function notice(line) {
  mkdirSync(join(root, 'reports'), { recursive: true });
  appendFileSync(join(root, 'reports', 'notices.txt'), `${line}\n`);
}

/**
 * A runtime from the npm registry, at the version that this package pins; npx keeps it in its cache.
 * @param {'deno' | 'bun' | 'node20' | 'node22' | 'node24' | 'node26'} name
 */
export async function fetchRuntime(name) {
  const packageName = `${name.startsWith('node') ? 'node' : name}@${manifest.config[name]}`;
  /** @param {string[]} args */
  const run = async (args) => {
    const options = { cwd: root, maxBuffer: 2 ** 24, env: { ...process.env, NO_COLOR: '1' } };
    const { stdout } = await promisify(execFile)('npx', ['--yes', packageName, ...args], options);
    return stdout;
  };
  try {
    await run(['--version']);
    return { run };
  } catch (error) {
    return { missing: `npx could not fetch or start ${packageName} (${whatNpxSaid(error)})` };
  }
}

/** @param {unknown} error */
function whatNpxSaid(error) {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return stderr === '' ? String(error) : stderr.split('\n').at(-1);
}

const TYPES = /** @type {Record<string, string>} */ ({
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
});

/**
 * Serves this package's src, the built packages as they are, and one bundle for the browser; on a free port of the loopback interface.
 * @returns {Promise<import('node:http').Server>}
 */
export async function serveFiles() {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'src', 'page', 'bundled-worker.mjs')],
    bundle: true,
    platform: 'browser', // fails where a built-in module of Node is imported
    write: false,
    logLevel: 'silent',
  });
  const bundle = outputFiles[0]?.contents;

  /** @param {string} path @returns {Promise<Uint8Array | undefined>} */
  const content = async (path) => {
    if (path === '/bundle.js') return bundle;
    const [, top, ...rest] = path.split('/');
    if (rest.includes('..')) return undefined;
    if (top === 'src') return readFile(join(root, 'src', ...rest));
    const [name = '', ...file] = rest;
    return top === '@ws' ? readFile(join(root, '..', '..', 'packages', name, 'dist', 'esm', ...file)) : undefined;
  };
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    content(path).then(
      (body) =>
        response
          .writeHead(body === undefined ? 404 : 200, { 'Content-Type': TYPES[extname(path)] ?? 'text/plain' })
          .end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  return server;
}
