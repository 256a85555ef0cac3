// start.mjs as a process of its own: what it prints, how it ends.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from '@jest/globals';
import { freePort } from '@ws/testing';
import { parsePort, startDemo } from '../start.mjs';
import { Peer } from './peer.mjs';
import { connectMute } from './raw.mjs';

const FOLDER = fileURLToPath(new URL('..', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Far above what an end should take, far below what a peer can draw out. */
const BOUND_MS = 10_000;
const GOING_AWAY = Buffer.from([0x03, 0xe9]);

/** @type {import('node:child_process').ChildProcess[]} */
const children = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/**
 * @param {Record<string, string>} [env]
 * @param {string} [folder]
 */
const run = (env = {}, folder = FOLDER) => watch(process.execPath, [join(folder, 'start.mjs')], env);

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} env
 */
function watch(command, args, env) {
  const child = spawn(command, args, {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (output.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (output.err += text));
  /** @type {Promise<{ code: number | null, signal: string | null, out: string, err: string }>} */
  const ended = new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  /** @type {Promise<string>} */
  const url = new Promise((resolve, reject) => {
    child.stdout.on('data', () => {
      const found = /(http:\/\/\S+)/.exec(output.out);
      if (found?.[1] && output.out.includes('\n')) resolve(found[1]);
    });
    void ended.then(({ err }) => reject(new Error(`ended before it printed a URL: ${err}`)));
  });
  url.catch(() => {}); // not every test waits for it
  return { child, url, ended };
}

test.each(/** @type {const} */ (['SIGINT', 'SIGTERM']))('%s: 1001 to everybody, exit 0', async (signal) => {
  const { child, url: printed, ended } = run();
  const url = await printed;
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
  const ada = await Peer.join(url, 'Ada');
  const echo = await Peer.connect(url, '/echo');
  ada.send({ type: 'say', text: '/dice' });
  await ada.next('said', ({ from, text }) => from.bot && text.includes('rolls')); // so the bot is connected, too
  const unfinished = connect(Number(new URL(url).port), '127.0.0.1', () => unfinished.write('GET / HTTP/1.1\r\nHo'));
  unfinished.on('error', () => {});
  const idle = await fetch(url);
  await idle.text();

  child.kill(signal);
  child.kill(signal); // npm hands on what the terminal has already sent
  await expect(ada.closed).resolves.toMatchObject({ code: 1001 });
  await expect(echo.closed).resolves.toMatchObject({ code: 1001 });
  const { code, signal: killedBy, out, err } = await ended;
  expect({ code, killedBy, err }).toEqual({ code: 0, killedBy: null, err: '' });
  expect(out.trim().split('\n')).toHaveLength(1);
  unfinished.destroy();
});

test('npm start: a signal that reaches npm alone reaches the demo, not a shell in between', async () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const { child, url, ended } = watch('sh', ['-c', scripts.start], {}); // as npm runs it, and signals it
  await url;
  child.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, signal: null, err: '' });
});

test('SIGINT: a peer that never answers gets its 1001 and does not hold up the exit', async () => {
  const { child, url: printed, ended } = run();
  const url = await printed;
  const mutes = [connectMute(url, '/chat'), connectMute(url, '/echo')];
  await Promise.all(mutes.map(({ open }) => open));
  const sentAt = performance.now();
  child.kill('SIGINT');
  const { code, err } = await ended;
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(performance.now() - sentAt).toBeLessThan(BOUND_MS);
  for (const { received, socket } of mutes) {
    socket.end();
    const frame = await received;
    expect(frame[0]).toBe(0x88);
    expect(frame.subarray(2, 4)).toEqual(GOING_AWAY);
  }
});

test('close() of a started demo: once for all callers, and the port is free again', async () => {
  const port = await freePort();
  const demo = await startDemo({ port });
  await Promise.all([demo.close(), demo.close()]);
  const again = await startDemo({ port });
  expect(new URL(again.url).port).toBe(String(port));
  await again.close();
});

test('a peer that reads nothing does not hold up close()', async () => {
  const demo = await startDemo();
  const { socket, open } = connectMute(demo.url, '/echo');
  await open;
  socket.pause();
  // 64 masked messages of 64 KiB: their echoes fill every buffer on the way.
  const head = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const message = Buffer.concat([head, Buffer.alloc(65_536)]);
  for (let i = 0; i < 64; i++) socket.write(message);
  const startedAt = performance.now();
  await demo.close();
  expect(performance.now() - startedAt).toBeLessThan(BOUND_MS);
  socket.destroy();
});

test.each(['abc', '-1', '65536', '99999', '80.5', '0x50', '1e3', ' 80', '8080 ', '１２'])(
  'PORT=%j: exit 1',
  async (port) => {
    const { code, out, err } = await run({ PORT: port }).ended;
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(`PORT is ${JSON.stringify(port)}, expected a whole number from 0 to 65535.\n`);
  },
);

test('no PORT, an empty one and 0: a free port', () => {
  expect([undefined, '', '0', '8080', '65535'].map(parsePort)).toEqual([0, 0, 0, 8080, 65535]);
});

test('PORT in use: exit 1 and a sentence', async () => {
  const demo = await startDemo();
  const { port } = new URL(demo.url);
  const { code, out, err } = await run({ PORT: port }).ended;
  await demo.close();
  expect({ code, out }).toEqual({ code: 1, out: '' });
  expect(err).toBe(`Port ${port} is in use. Choose another, or leave PORT unset for a free one.\n`);
});

test('a HOST that is not ours: exit 1 and a sentence', async () => {
  const { code, err } = await run({ HOST: '192.0.2.1' }).ended;
  expect(code).toBe(1);
  expect(err).toMatch(/^HOST is not an address of this machine: .*\n$/);
});

test.each([
  ['not installed', []],
  ['installed, not built', ['package.json']],
])('packages that are %s: exit 1, and it says what builds', async (_name, files) => {
  const folder = mkdtempSync(join(tmpdir(), 'ws-demo-'));
  const isOurs = (/** @type {string} */ path) => !/node_modules|reports/.test(path.slice(FOLDER.length));
  try {
    cpSync(FOLDER, folder, { recursive: true, filter: isOurs });
    for (const file of files) {
      cpSync(join(FOLDER, '../../packages/server', file), join(folder, 'node_modules/@ws/server', file));
    }
    const { code, out, err } = await run({}, folder).ended;
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/^The packages are not built yet\. Run `npm start`.*\n$/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
