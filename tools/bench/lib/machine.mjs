// Cores and file descriptors of this machine, as far as this process may use them.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';

/** @param {string} file @param {RegExp} pattern */
function field(file, pattern) {
  try {
    return pattern.exec(readFileSync(file, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

/** @param {string} list such as 0-2,5 */
function parseCores(list) {
  return list.split(',').flatMap((range) => {
    const [first = NaN, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}

/** @returns {{ server: number, load: number } | undefined} a core for each side; undefined: cannot pin here */
export function chooseCores() {
  const list = field('/proc/self/status', /^Cpus_allowed_list:\s*(.+)$/m);
  const [server, load] = list === undefined ? [] : parseCores(list);
  if (server === undefined || load === undefined) return undefined;
  return spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0 ? { server, load } : undefined;
}

/** Most file descriptors that one process may have. */
export function fileLimit() {
  const limit = Number(field('/proc/self/limits', /^Max open files\s+\S+\s+(\S+)/m));
  return Number.isNaN(limit) ? 1024 : limit;
}

export function describeMachine() {
  const cpus = os.cpus();
  return {
    node: process.version,
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    load: Number(os.loadavg()[0]?.toFixed(2)),
  };
}
