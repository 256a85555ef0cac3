#!/usr/bin/env node
// The permessage-deflate matrix: ours against each peer, in every role and with every pair of parameters that it supports.
// node deflate.mjs [--peer ws|python|undici|chromium] [--role client|server] [--cells N | --all] [--filter text]
//                  [--seed text] [--jobs N] [--subject ours|ws]
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { cellsOf, PEERS, spread } from './deflate/cells.mjs';
import { ours, ws } from './deflate/ends.mjs';
import { Peers } from './deflate/peers.mjs';
import { runCell } from './deflate/run-cell.mjs';

const MESSAGES = 1000;
/** @type {Record<string, import('./deflate/ends.mjs').End>} */
const SUBJECTS = { ours, ws };

const { values } = parseArgs({
  options: {
    peer: { type: 'string' },
    role: { type: 'string' },
    cells: { type: 'string' },
    all: { type: 'boolean', default: false },
    filter: { type: 'string', default: '' },
    seed: { type: 'string', default: String(randomInt(2 ** 32)) },
    jobs: { type: 'string', default: '2' },
    subject: { type: 'string', default: 'ours' },
  },
});
const { seed, filter } = values;
const subject =
  SUBJECTS[values.subject] ?? fail(`--subject is ${values.subject}, expected ${Object.keys(SUBJECTS).join(' or ')}`);
const names = values.peer === undefined ? Object.keys(PEERS) : [oneOf('peer', values.peer, Object.keys(PEERS))];
if (values.role !== undefined) oneOf('role', values.role, ['client', 'server']);
const jobs = countOf('jobs', values.jobs);
const cellsPerRole = values.all || values.cells === undefined ? Infinity : countOf('cells', values.cells);

console.log(`seed ${seed}`);
const peers = new Peers();
const rows = [];
/** @type {Set<string>} */
const running = new Set();
process.on('uncaughtException', (error) => {
  console.error(`FAILED --seed ${seed}: uncaught while these cells ran: ${[...running].join(' ')}`, error);
  process.exit(1);
});
try {
  for (const name of /** @type {import('./deflate/cells.mjs').PeerName[]} */ (names)) {
    for (const role of PEERS[name].roles.filter((each) => values.role === undefined || each === values.role)) {
      const meant = cellsOf(name, role).filter(({ id }) => id.includes(filter));
      const cells = spread(meant, cellsPerRole);
      if (cells.length === 0) continue;
      const row = await runCells(name, role, cells).catch((error) => {
        console.log(`FAILED ${name}: ${error.message}`);
        return { peer: name, role, cells: cells.length, passed: 0, failed: cells.length, seconds: 0 };
      });
      rows.push(row);
    }
  }
} finally {
  await peers.close();
}
if (rows.length === 0) fail('no cell is meant');
console.table(rows);
process.exitCode = rows.some(({ failed }) => failed > 0) ? 1 : 0;

/**
 * @param {import('./deflate/cells.mjs').PeerName} name
 * @param {import('./deflate/cells.mjs').Role} role
 * @param {readonly import('./deflate/cells.mjs').Cell[]} cells
 */
async function runCells(name, role, cells) {
  const startedMs = performance.now();
  const queue = [...cells];
  let passed = 0;
  let failed = 0;
  const peer = await peers.get(name);
  const work = async () => {
    for (let cell = queue.shift(); cell !== undefined; cell = queue.shift()) {
      running.add(cell.id);
      const run = { subject, peer, seed, count: MESSAGES };
      const problems = await runCell(cell, run).catch((error) => [String(error)]);
      running.delete(cell.id);
      if (problems.length === 0) passed++;
      else failed++;
      for (const problem of problems) console.log(`FAILED --filter ${cell.id} --seed ${seed}: ${problem}`);
      const done = passed + failed;
      if (done % 28 === 0 || done === cells.length) {
        console.log(`${name} as ${role}: ${done} of ${cells.length} cells, ${failed} failed, ${seconds(startedMs)} s`);
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, work));
  return { peer: name, role, cells: cells.length, passed, failed, seconds: seconds(startedMs) };
}

/** @param {number} startedMs */
function seconds(startedMs) {
  return Math.round((performance.now() - startedMs) / 1000);
}

/** @template {string} T @param {string} option @param {string} value @param {readonly T[]} allowed @returns {any} */
function oneOf(option, value, allowed) {
  return allowed.find((each) => each === value) ?? fail(`--${option} is ${value}, expected ${allowed.join(' or ')}`);
}

/** @param {string} option @param {string} value */
function countOf(option, value) {
  const number = Number(value);
  return Number.isSafeInteger(number) && number > 0
    ? number
    : fail(`--${option} is ${value}, expected a number from 1 up`);
}

/** @param {string} message @returns {never} */
function fail(message) {
  console.error(message);
  process.exit(2);
}
