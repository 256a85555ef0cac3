// What every measured process answers its parent, over node's IPC channel: what it has used so far.
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/**
 * @typedef {object} Usage
 * @property {number} cpu user and system time of the whole process, in microseconds
 * @property {number} rss bytes
 * @property {number} peakRss bytes; the highest rss since the last 'reset-peak'
 * @property {number} heapUsed bytes
 * @property {number} external bytes
 * @property {number} loopDelay 99th percentile since the last 'watch-delay', in ms; 1 is none
 */

/** @type {import('node:perf_hooks').IntervalHistogram | undefined} */
let delays;

/** @returns {Usage} */
export function usage() {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  const loopDelay = (delays?.percentile(99) ?? 0) / 1e6;
  return { cpu: user + system, rss, peakRss: peakRss(), heapUsed, external, loopDelay };
}

function peakRss() {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return line === null ? process.resourceUsage().maxRSS * 1024 : Number(line[1]) * 1024;
}

function watchDelay() {
  delays ??= monitorEventLoopDelay({ resolution: 1 });
  delays.enable();
  delays.reset();
}

/** @type {Readonly<Record<string, () => void>>} */
const COMMANDS = {
  usage: () => undefined,
  collect: () => {
    // `true` is "the young ones only" to Node, and "now" to Bun
    const collect = globalThis.gc ?? (() => /** @type {any} */ (globalThis).Bun?.gc(true));
    for (let round = 0; round < 4; round++) collect();
  },
  'reset-peak': () => writeFileSync('/proc/self/clear_refs', '5'),
  'watch-delay': watchDelay,
};

/** Does what a command says and answers with the usage after it ('collect': garbage first); ends with the parent. */
export function answerParent() {
  process.on('message', (command) => {
    const run = typeof command === 'string' ? COMMANDS[command] : undefined;
    if (run === undefined) return;
    run();
    process.send?.(usage());
  });
  process.on('disconnect', () => process.exit(0));
}
