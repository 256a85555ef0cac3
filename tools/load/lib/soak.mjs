// A server with idle and active connections, each group in a process of its own: does it keep them, and what does it take.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compileWithParts } from '../../bench/lib/compile.mjs';

const pathOf = (/** @type {string} */ name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** @typedef {{ atMs: number, rss: number, heap: number, connections: number }} Sample of the server, once a second */

/**
 * @typedef {object} Task
 * @property {number} idle connections that only answer pings
 * @property {readonly string[]} active groups of connections with messages: `COUNT,BYTES,SECONDS,FORM[,FRAGMENT]`, see soak/soak.c
 * @property {number} warmUpSeconds
 * @property {number} seconds
 * @property {object} [serverOptions] in place of the defaults
 * @property {(text: string) => void} [onProgress]
 */

/**
 * @typedef {object} Figures of a load process
 * @property {number} connections
 * @property {number} alive
 * @property {number} pings answered
 * @property {number} messages echoed
 * @property {number} verified of them, whose content was compared
 * @property {number} p50 us from when a message was due to its echo
 * @property {number} p99
 * @property {number} p999
 * @property {number} max
 * @property {{ connections: number, size: number, deflate: boolean, messages: number, p50: number, p99: number, max: number }[]} classes
 */

/**
 * @typedef {object} SoakOutcome
 * @property {Figures} idle
 * @property {Figures} active
 * @property {{ delayP99: number, delayMax: number, cpuSeconds: number, ends: Record<string, number>, connections: number }} server ms, s; `ends` by initiator and code
 * @property {Sample[]} samples of the measured time
 * @property {{ rss: number, heap: number }} slope bytes a minute, by least squares
 * @property {number} openSeconds until all were there
 */

const PROGRESS_S = 30;

/** @param {Task} task @returns {Promise<SoakOutcome>} */
export async function soak({ idle, active, warmUpSeconds, seconds, serverOptions = {}, onProgress = () => undefined }) {
  const program = compileWithParts(pathOf('soak/soak.c'), pathOf('build/soak'));
  const server = fork(pathOf('servers/soak.mjs'), [JSON.stringify(serverOptions)], { execArgv: [] });
  const gone = once(server, 'exit').then(([code, signal]) =>
    Promise.reject(new Error(`the server ended: ${String(code ?? signal)}`)),
  );
  gone.catch(() => undefined);
  /** @type {Sample[]} */
  const samples = [];
  server.on('message', (/** @type {any} */ message) => {
    if (message.event === 'sample') samples.push(message);
  });
  /** @type {Load[]} */
  const loads = [];
  try {
    const { port } = await told(server, 'ready');
    const start = performance.now();
    loads.push(new Load(program, [port, 'idle', idle]), new Load(program, [port, 'active', ...active]));
    const [idleLoad, activeLoad] = /** @type {[Load, Load]} */ (loads);
    await Promise.race([gone, Promise.all(loads.map((load) => load.next('ready')))]);
    const openSeconds = (performance.now() - start) / 1000;
    onProgress(`open after ${openSeconds.toFixed(1)} s`);

    await Promise.race([gone, later(warmUpSeconds)]);
    await Promise.all(loads.map((load) => load.figures()));
    server.send('begin');
    const first = samples.length;
    for (let left = seconds; left > 0; left -= PROGRESS_S) {
      await Promise.race([gone, later(Math.min(left, PROGRESS_S))]);
      onProgress(progress(samples));
    }
    const [idleFigures, activeFigures] = await Promise.all([idleLoad.figures(), activeLoad.figures()]);
    server.send('figures');
    const figures = await told(server, 'figures');
    const measured = samples.slice(first);
    return {
      idle: idleFigures,
      active: activeFigures,
      server: figures,
      samples: measured,
      slope: { rss: slopeOf(measured, ({ rss }) => rss), heap: slopeOf(measured, ({ heap }) => heap) },
      openSeconds,
    };
  } finally {
    await Promise.all(loads.map((load) => load.stop()));
    if (server.connected) server.disconnect();
    if (server.exitCode === null) await once(server, 'exit');
  }
}

/** Bytes a minute, by least squares. @param {readonly Sample[]} samples @param {(sample: Sample) => number} valueOf */
export function slopeOf(samples, valueOf) {
  const count = samples.length;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / count;
  const mean = samples.reduce((sum, sample) => sum + valueOf(sample), 0) / count;
  let product = 0;
  let square = 0;
  for (const sample of samples) {
    product += (sample.atMs - meanAt) * (valueOf(sample) - mean);
    square += (sample.atMs - meanAt) ** 2;
  }
  return (60_000 * product) / square;
}

/** @param {number} seconds */
const later = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** @param {import('node:child_process').ChildProcess} server @param {string} event @returns {Promise<any>} */
async function told(server, event) {
  for (;;) {
    const [message] = await once(server, 'message');
    if (message.event === event) return message;
  }
}

/** @param {readonly Sample[]} samples */
function progress(samples) {
  const last = samples.at(-1);
  if (last === undefined) return 'no sample';
  return `${last.connections} connections, RSS ${(last.rss / 2 ** 20).toFixed(1)} MiB, heap ${(last.heap / 2 ** 20).toFixed(1)} MiB`;
}

/** A process of soak/soak.c. */
class Load {
  #child;
  #lines;
  #ended;
  #complaint = '';

  /** @param {string} program @param {(string | number)[]} args */
  constructor(program, args) {
    this.#child = spawn(program, args.map(String), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin.on('error', () => undefined); // it may be gone already: its status says why
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#complaint += text));
    this.#ended = once(this.#child, 'close');
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** @param {string} event @returns {Promise<any>} */
  async next(event) {
    const { done, value } = await this.#lines.next();
    if (done) throw new Error(this.#complaint.trim() || 'the load ended early');
    const message = JSON.parse(value);
    if (message.event !== event) throw new Error(`the load said ${value}, expected ${event}`);
    return message;
  }

  /** Since they were asked for last. @returns {Promise<Figures>} */
  figures() {
    this.#child.stdin.write('\n');
    return this.next('figures');
  }

  async stop() {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
