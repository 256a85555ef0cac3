// The processes of a measurement: node ones with an IPC channel, and the load generator with its lines of JSON.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/**
 * @typedef {object} Runs how a script is run
 * @property {boolean} [baseline] with our packages of the other checkout
 * @property {boolean} [native] with bufferutil, which ws loads by itself
 * @property {string} [library] bun: by Bun instead of node
 */

const DEADLINE_MS = 120_000;
/** A process that is told to end and does not is busy with something that has no end. */
const STOP_MS = 10_000;

/** @typedef {import('../servers/control.mjs').Usage} Usage */

/**
 * @typedef {object} Setup
 * @property {string} load path of the load generator
 * @property {{ server: number, load: number } | undefined} cores
 * @property {boolean} malloc with raised glibc thresholds
 * @property {string | undefined} profile directory for CPU profiles
 * @property {string | undefined} [bun] path of Bun, where it is there
 * @property {string | undefined} [baseline] another checkout of this repository, built
 */

/** @param {number | undefined} core @param {string} command @param {string[]} args @returns {[string, string[]]} */
const pinned = (core, command, args) =>
  core === undefined ? [command, args] : ['taskset', ['-c', String(core), command, ...args]];

/** @template T @param {Promise<T>} promise @param {string} what @param {number} [deadlineMs] @returns {Promise<T>} */
async function within(promise, what, deadlineMs = DEADLINE_MS) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const deadline = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no answer within ${deadlineMs / 1000} s`)), deadlineMs);
  });
  try {
    return /** @type {T} */ (await Promise.race([promise, deadline]));
  } finally {
    clearTimeout(timer);
  }
}

/** A measured node process. */
export class Measured {
  /** @param {string} script under tools/bench @param {readonly (string | number)[]} args @param {Setup} setup @param {Runs} runs @param {number | undefined} core */
  constructor(script, args, setup, { baseline = false, native = false, library }, core) {
    const isBun = library === 'bun';
    if (isBun && setup.bun === undefined) throw new Error('Bun is not there');
    const profile = setup.profile === undefined || isBun ? [] : ['--cpu-prof', '--cpu-prof-dir', setup.profile];
    const flags = isBun ? [] : ['--expose-gc', ...profile];
    const runtime = (isBun && setup.bun) || process.execPath;
    const [command, rest] = pinned(core, runtime, [...flags, path.join(HERE, script), ...args.map(String)]);
    /** @type {NodeJS.ProcessEnv} */
    const env = { ...process.env };
    for (const name of ['NODE_OPTIONS', 'WS_NO_BUFFER_UTIL', 'BENCH_PACKAGES']) delete env[name];
    if (!native) env['WS_NO_BUFFER_UTIL'] = '1';
    if (baseline && setup.baseline !== undefined) env['BENCH_PACKAGES'] = path.join(setup.baseline, 'packages');
    if (setup.malloc) Object.assign(env, { MALLOC_TRIM_THRESHOLD_: '268435456', MALLOC_MMAP_THRESHOLD_: '268435456' });
    this.name = script;
    this.port = 0;
    this.child = spawn(command, rest, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.ended = once(this.child, 'exit');
  }

  /** Waits for the next IPC message. @param {number} [deadlineMs] @returns {Promise<any>} */
  async message(deadlineMs) {
    const controller = new AbortController();
    const { signal } = controller;
    try {
      const arrived = once(this.child, 'message', { signal }).then(([message]) => message);
      const gone = this.ended.then(() => Promise.reject(new Error(`${this.name} ended`)));
      return await within(Promise.race([arrived, gone]), this.name, deadlineMs);
    } finally {
      controller.abort();
    }
  }

  /** @param {string | object} command @param {number} [deadlineMs] @returns {Promise<any>} */
  ask(command, deadlineMs) {
    const answer = this.message(deadlineMs);
    this.child.send(command);
    return answer;
  }

  /** @param {'usage' | 'collect' | 'reset-peak' | 'watch-delay'} command @returns {Promise<Usage>} */
  usage(command = 'usage') {
    return this.ask(command);
  }

  async stop() {
    if (this.child.connected) this.child.disconnect();
    const overdue = setTimeout(() => this.child.kill('SIGKILL'), STOP_MS);
    await this.ended;
    clearTimeout(overdue);
  }
}

/**
 * Starts a server or client and waits until it is ready.
 * @param {string} script under tools/bench @param {readonly (string | number)[]} args @param {Setup} setup @param {Runs} [runs]
 * @param {number} [core] that of the servers if left out
 */
export async function startMeasured(script, args, setup, runs = {}, core = setup.cores?.server) {
  const measured = new Measured(script, args, setup, runs, core);
  try {
    measured.port = (await measured.message()).port;
  } catch (error) {
    await measured.stop();
    throw error;
  }
  return measured;
}

/** A run of the load generator. */
export class Load {
  /** @param {readonly (string | number)[]} args @param {Setup} setup */
  constructor(args, setup) {
    const [command, rest] = pinned(setup.cores?.load, setup.load, args.map(String));
    this.child = spawn(command, rest, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.child.stdin.on('error', () => undefined); // the generator may be gone already: its status says why
    this.complaint = '';
    this.child.stderr.setEncoding('utf8').on('data', (text) => (this.complaint += text));
    this.ended = once(this.child, 'close').then(([status]) => {
      if (status !== 0) throw new Error(this.complaint.trim() || `load ended with status ${status}`);
    });
    this.ended.catch(() => undefined); // reported where somebody waits
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line, which must be this event. @param {string} event @returns {Promise<any>} */
  async next(event) {
    const { done, value } = await within(this.lines.next(), 'load');
    if (done) {
      await this.ended;
      throw new Error('load ended early');
    }
    const message = JSON.parse(value);
    if (message.event !== event) throw new Error(`load said ${value}, expected ${event}`);
    return message;
  }

  go() {
    this.child.stdin.write('\n');
  }

  /** Lets a run that waits go to its end. */
  async finish() {
    this.child.stdin.end();
    await within(this.ended, 'load');
  }

  /** After a fault: whatever state it is in. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended.catch(() => undefined);
  }
}
