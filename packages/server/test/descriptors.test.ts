import { expect, jest, test } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { devNull, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { descriptorLimit, Descriptors } from '../src/descriptors.js';
import { closeLater, handshake, parseAnswer, RawPeer } from './support.js';

function lowestFree(): number {
  const descriptor = openSync(devNull, 'r');
  closeSync(descriptor);
  return descriptor;
}

test('says once that few are left, and once that there are enough again', () => {
  jest.useFakeTimers();
  try {
    const told: string[] = [];
    const limit = lowestFree() + 40; // an eighth of it is kept, and others may come and go
    const listener = {
      paused: (error: NodeJS.ErrnoException) => told.push(String(error.code)),
      resumed: () => told.push('on'),
    };
    const descriptors = new Descriptors(listener, limit);
    descriptors.start();
    jest.advanceTimersByTime(5000);
    expect([told, descriptors.isShort]).toEqual([[], false]);
    const opened: number[] = [];
    const open = (count: number): void => {
      for (let i = 0; i < count; i++) opened.push(openSync(devNull, 'r'));
    };
    const close = (count: number): void => opened.splice(-count).forEach((descriptor) => closeSync(descriptor));
    open(40 - (limit >> 3));
    for (let i = 0; i < 10; i++) descriptors.accepted();
    expect([told, descriptors.isShort]).toEqual([['EMFILE'], true]);
    jest.advanceTimersByTime(5000);
    close(limit >> 4);
    jest.advanceTimersByTime(5000);
    expect([told, descriptors.isShort]).toEqual([['EMFILE'], true]);
    close(limit >> 3);
    jest.advanceTimersByTime(100);
    expect([told, descriptors.isShort]).toEqual([['EMFILE', 'on'], false]);
    open(limit >> 2); // by somebody else: nothing is accepted meanwhile
    jest.advanceTimersByTime(1000);
    expect(told).toEqual(['EMFILE', 'on', 'EMFILE']);
    close(opened.length);
    descriptors.stop();
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});

test('where nobody knows how many there may be, there are enough', () => {
  const paused = jest.fn();
  const descriptors = new Descriptors({ paused, resumed: paused }, Infinity);
  for (let i = 0; i < 100; i++) descriptors.accepted();
  expect([paused.mock.calls, descriptors.isShort]).toEqual([[], false]);
});

test('the system has none left: its own error is told; another one means nothing', () => {
  const told: unknown[] = [];
  let error: NodeJS.ErrnoException | undefined;
  const answer = (): number => {
    if (error) throw error;
    return 20;
  };
  const listener = { paused: (given: Error) => told.push(given), resumed: () => told.push('on') };
  const descriptors = new Descriptors(listener, 100, answer);
  const look = (): void => {
    for (let i = 0; i < 3; i++) descriptors.accepted();
  };
  error = Object.assign(new Error('of the disk'), { code: 'EIO' });
  look();
  expect(told).toEqual([]);
  const enfile = Object.assign(new Error('ENFILE: file table overflow'), { code: 'ENFILE' });
  error = enfile;
  look();
  look();
  expect(told).toEqual([enfile]);
  descriptors.stop();
});

test('how many there may be is read where Linux says it, and unknown elsewhere', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ws-limits-'));
  const file = join(folder, 'limits');
  const read = (text: string): number => {
    writeFileSync(file, text);
    return descriptorLimit(file);
  };
  expect(read('Limit    Soft Limit  Hard Limit  Units\nMax open files    1024    4096    files \n')).toBe(1024);
  expect(read('Max open files            unlimited            unlimited            files\n')).toBe(Infinity);
  expect(read('')).toBe(Infinity);
  expect(descriptorLimit(join(folder, 'none'))).toBe(Infinity);
  rmSync(folder, { recursive: true });
});

test('a listener that throws does not end the looking', async () => {
  const program = `
    import { Descriptors } from './descriptors.ts';
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const fail = (what) => () => { console.log(what); throw new Error('of a listener'); };
    let lowest = 99;
    const descriptors = new Descriptors({ paused: fail('paused'), resumed: fail('resumed') }, 100, () => lowest);
    setInterval(() => {}, 1000); // its own timer keeps nothing alive
    descriptors.start();
    for (const next of [10, 99]) {
      const was = descriptors.isShort;
      while (descriptors.isShort === was) await new Promise((resolve) => setTimeout(resolve, 10));
      lowest = next;
    }
    while (!descriptors.isShort) await new Promise((resolve) => setTimeout(resolve, 10));
    process.exit();`;
  const resolveDir = fileURLToPath(new URL('../src', import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir },
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
  });
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', outputFiles[0]!.text]);
  const told = (what: string): string[] => [what, 'uncaught of a listener'];
  expect(stdout.trim().split('\n')).toEqual([...told('paused'), ...told('resumed'), ...told('paused')]);
});

const PROGRAM = `
  import { closeSync, openSync } from 'node:fs';
  import { WebSocketServer } from '@ws/server';
  process.on('uncaughtException', (error) => console.log('uncaught', error.message));
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' }, () => console.log('port', server.address().port));
  for (const event of ['acceptPaused', 'acceptResumed', 'error'])
    server.on(event, (error) => console.log(event, error?.code, server.clients.size > 10));
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  const files = [];
  process.on('message', (command) => {
    if (command === 'end') return server.close(process.disconnect());
    if (command === 'close') return files.splice(0).forEach((file) => closeSync(file));
    try {
      for (;;) files.push(openSync('/dev/null'));
    } catch (error) {
      console.log(error.code);
    }
  });`;

// Elsewhere nobody tells a process how many files it may have open, and there is nothing to notice.
const limited = process.platform === 'linux' ? test : test.skip;

/** A server in a process that may have 100 files open. */
async function startLimited() {
  const command = 'ulimit -n 100 && exec "$0" --input-type=module -e "$1"';
  const child = spawn('/bin/sh', ['-c', command, process.execPath, PROGRAM], {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const line = async (): Promise<string> => (await lines.next()).value;
  const exit = once(child, 'exit');
  closeLater(() => {
    child.kill();
    return exit;
  });
  const port = Number((await line()).split(' ')[1]);
  return { child, exit, line, port };
}

async function echoes(raw: RawPeer): Promise<boolean> {
  raw.received = '';
  raw.write(Buffer.from('81810000000078', 'hex'));
  return (await raw.until('\x82\x01x')).endsWith('\x82\x01x');
}

limited(
  'clients use up the descriptors: the others get 503, open connections go on, and so it does when some have left',
  async () => {
    const { line, port } = await startLimited();
    const open: RawPeer[] = [];
    let refusals = 0;
    while (refusals < 150) {
      const raw = new RawPeer(port).write(handshake());
      const head = await Promise.race([raw.until('\r\n\r\n'), raw.closed]);
      if (head.includes(' 101 ')) open.push(raw);
      else {
        refusals++;
        const answer = parseAnswer(await raw.closed);
        expect([answer.status, Number(answer.headers['retry-after']) > 0]).toEqual([503, true]);
      }
    }
    expect(open.length).toBeGreaterThan(40);
    expect(await line()).toBe('acceptPaused EMFILE true');
    for (const raw of open) expect(await echoes(raw)).toBe(true);
    for (const raw of open.splice(0, 40)) raw.socket.destroy();
    expect(await line()).toMatch(/^acceptResumed undefined /);
    const next = new RawPeer(port).write(handshake());
    expect(await next.until('\r\n\r\n')).toMatch(/ 101 /);
    for (const raw of open) expect(await echoes(raw)).toBe(true);
  },
);

limited('the process itself uses them up: the server says so, and comes back', async () => {
  const { child, exit, line, port } = await startLimited();
  const before = new RawPeer(port).write(handshake());
  await before.until(' 101 ');
  child.send('open');
  expect(await line()).toBe('EMFILE');
  expect(await line()).toBe('acceptPaused EMFILE false');
  for (let i = 0; i < 20; i++) await new RawPeer(port).write(handshake()).closed; // by the system, without a word
  expect(await echoes(before)).toBe(true);
  child.send('close');
  expect(await line()).toBe('acceptResumed undefined false');
  const next = new RawPeer(port).write(handshake());
  expect(await next.until('\r\n\r\n')).toMatch(/ 101 /);
  before.socket.destroy();
  next.socket.destroy();
  child.send('end');
  expect(await exit).toEqual([0, null]); // no timer keeps it alive
});
