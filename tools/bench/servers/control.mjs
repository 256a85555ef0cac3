// What every measured process answers its parent, over node's IPC channel: what it has used so far.
import { readFileSync, writeFileSync } from 'node:fs';

/**
 * @typedef {object} Usage
 * @property {number} cpu user and system time of the whole process, in microseconds
 * @property {number} rss bytes
 * @property {number} peakRss bytes; the highest rss since the last 'reset-peak'
 * @property {number} heapUsed bytes
 * @property {number} external bytes
 */

/** @returns {Usage} */
export function usage() {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { cpu: user + system, rss, peakRss: peakRss(), heapUsed, external };
}

function peakRss() {
  const line = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return line === null ? process.resourceUsage().maxRSS * 1024 : Number(line[1]) * 1024;
}

/** Answers 'usage', 'collect' (garbage first, then usage) and 'reset-peak'; ends with the parent. */
export function answerParent() {
  process.on('message', (command) => {
    if (command === 'collect') for (let round = 0; round < 4; round++) globalThis.gc?.();
    if (command === 'reset-peak') writeFileSync('/proc/self/clear_refs', '5');
    if (command === 'usage' || command === 'collect' || command === 'reset-peak') process.send?.(usage());
  });
  process.on('disconnect', () => process.exit(0));
}
