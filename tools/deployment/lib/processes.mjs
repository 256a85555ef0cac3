// What a measurement needs of processes: started where and how the topic says, and what they have used so far.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const START_MS = 20_000;

/**
 * @typedef {object} Started
 * @property {number} pid
 * @property {number} port
 * @property {(command: string | object) => Promise<any>} ask
 * @property {() => Promise<void>} stop
 */

/**
 * A script under tools/deployment that says `{ port }` over IPC and answers what it is asked.
 * @param {string} script @param {object} task its argument, as JSON
 * @param {{ env?: Record<string, string>, core?: number | undefined }} [options]
 * @returns {Promise<Started>}
 */
export async function startScript(script, task, { env = {}, core } = {}) {
  const file = fileURLToPath(new URL(`../${script}`, import.meta.url));
  const node = [process.execPath, '--expose-gc', file, JSON.stringify(task)];
  const [command = '', ...args] = core === undefined ? node : ['taskset', '-c', String(core), ...node];
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  const answer = async () => {
    const [message] = await Promise.race([
      once(child, 'message', { signal: AbortSignal.timeout(START_MS * 3) }),
      ended.then(() => Promise.reject(new Error(`${script} ended`))),
    ]);
    return message;
  };
  const stop = async () => {
    if (child.connected) child.disconnect();
    await ended;
  };
  try {
    const { port } = await answer();
    return {
      pid: /** @type {number} */ (child.pid),
      port,
      stop,
      ask(question) {
        const answered = answer();
        child.send(question);
        return answered;
      },
    };
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  }
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return ''; // gone in the meantime
  }
}

/** A process and those that it has started. @param {number} pid @returns {number[]} */
function familyOf(pid) {
  const children = threadsOf(pid).flatMap((thread) => read(`/proc/${pid}/task/${thread}/children`).trim().split(' '));
  return [pid, ...children.filter((child) => child !== '').flatMap((child) => familyOf(Number(child)))];
}

/** @param {number} pid */
function threadsOf(pid) {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** CPU of a process and those that it has started, user and system, in microseconds. @param {number} pid */
export function cpuOf(pid) {
  let sum = 0;
  for (const each of familyOf(pid))
    for (const thread of threadsOf(each))
      sum += Number(read(`/proc/${each}/task/${thread}/schedstat`).split(' ', 1)[0]);
  return sum / 1000;
}

/** What a process and those that it has started hold of the machine's memory, pages that they share counted once; in bytes. @param {number} pid */
export function memoryOf(pid) {
  let sum = 0;
  for (const each of familyOf(pid))
    sum += Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${each}/smaps_rollup`))?.[1] ?? 0);
  return sum * 1024;
}
