// What a reader has to know about where figures come from: machine, versions, what else ran.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { BUN_VERSION } from './bun.mjs';
import { variantOf } from './variants.mjs';

/**
 * @typedef {object} Environment
 * @property {string} cpu
 * @property {number} cores
 * @property {number} memoryGiB
 * @property {boolean} isVirtual
 * @property {string} system
 * @property {string} kernel
 * @property {string} node
 * @property {string} v8
 * @property {string} commit of this repository; with `+` where files differ from it
 * @property {Readonly<Record<string, string>>} peers npm package and its version
 */

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../..');
const require = createRequire(import.meta.url);

/** @param {string} file @param {RegExp} pattern */
function lineOf(file, pattern) {
  try {
    return pattern.exec(readFileSync(file, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

/** @param {readonly string[]} args */
const git = (args) => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout?.trim() ?? '';

function commit() {
  const name = git(['rev-parse', '--short', 'HEAD']);
  const isChanged = git(['status', '--porcelain', '--untracked-files=no', '--', 'packages', 'tools/bench']) !== '';
  return name === '' ? 'unknown' : `${name}${isChanged ? '+' : ''}`;
}

/** @param {string} name of an npm package that tools/bench depends on */
function versionOf(name) {
  const places = require.resolve.paths(name) ?? [];
  if (name === 'bun') return BUN_VERSION; // by npx
  return places.map((place) => lineOf(path.join(place, name, 'package.json'), /"version":\s*"([^"]+)"/)).find(Boolean);
}

/** The npm packages behind servers and clients: a library goes by the name of its own. @param {readonly string[]} servers */
function peersOf(servers) {
  const names = servers
    .map(variantOf)
    .flatMap(({ library, native = false }) => [library, ...(native ? ['bufferutil'] : [])]);
  const versions = [...new Set(names)].toSorted().map((name) => [name, versionOf(name)]);
  return Object.fromEntries(versions.filter(([, version]) => version !== undefined));
}

/** @param {readonly string[]} servers those that are measured @returns {Environment} */
export function describeEnvironment(servers) {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    isVirtual: lineOf('/proc/cpuinfo', /^flags\s*:.*\b(hypervisor)\b/m) !== undefined,
    system: lineOf('/etc/os-release', /^PRETTY_NAME="?([^"\n]+)/m) ?? os.type(),
    kernel: /^[\d.]*\d/.exec(os.release())?.[0] ?? os.release(),
    node: process.version,
    v8: process.versions.v8,
    commit: commit(),
    peers: peersOf(servers),
  };
}

/**
 * @typedef {object} Quiet how much of the machine others had
 * @property {number} loadBefore average of the minute before
 * @property {number} loadAfter
 * @property {number} stolen share of the time of all cores that the host took
 */

/** Time of all cores so far, in ticks, and what of it the host took. */
function ticks() {
  const line =
    lineOf('/proc/stat', /^cpu\s+(.+)$/m)
      ?.split(/\s+/)
      .map(Number) ?? [];
  return { all: line.slice(0, 8).reduce((sum, part) => sum + part, 0), stolen: line[7] ?? 0 };
}

/** Watches from now on. @returns {() => Quiet} */
export function watchMachine() {
  const loadBefore = os.loadavg()[0] ?? NaN;
  const before = ticks();
  return () => {
    const after = ticks();
    const stolen = (after.stolen - before.stolen) / Math.max(1, after.all - before.all);
    return { loadBefore, loadAfter: os.loadavg()[0] ?? NaN, stolen };
  };
}
