// The generator of tools/bench as the topics use it: CPU of the server, and of what stands before it, for each message.
import { compileLoad, missingForLoad } from '../../bench/lib/compile.mjs';
import { chooseCores } from '../../bench/lib/machine.mjs';
import { Load } from '../../bench/lib/process.mjs';
import { cpuOf } from './processes.mjs';

/**
 * @typedef {object} Traffic
 * @property {'echo' | 'churn' | 'idle'} [mode]
 * @property {number} [connections]
 * @property {number} [inFlight] for each connection
 * @property {number} [size] in bytes
 * @property {boolean} [json] documents
 * @property {boolean} [deflate] compression is offered
 * @property {boolean} [tls]
 * @property {number} [seconds]
 *
 * @typedef {object} Result
 * @property {number[]} cpu microseconds for each message, of each process and those that it has started
 * @property {number} rate messages a second
 * @property {number} p50 of the round trip, in microseconds
 * @property {number} p99
 * @property {number} replyBytes on the wire
 */

/** @type {string | undefined} */
let program;

/** Prepares a run. @returns {{ server: number | undefined, load: number | undefined }} a core for each side */
export function prepare() {
  const missing = missingForLoad();
  if (missing !== undefined) throw new Error(`the load generator needs ${missing}`);
  program = compileLoad();
  return chooseCores() ?? { server: undefined, load: undefined };
}

/** @param {number} port @param {Traffic} traffic @returns {string[]} */
function argumentsOf(
  port,
  { mode = 'echo', connections = 64, inFlight = 16, size = 1024, json, deflate, tls, seconds = 0.4 },
) {
  const values = { port, connections, 'in-flight': inFlight, size, seconds, verify: json ? 64 : 8 };
  const flags = { json, deflate, first: json, tls, control: true };
  return [
    mode,
    ...Object.entries(values).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...Object.entries(flags).flatMap(([name, isSet]) => (isSet === true ? [`--${name}`] : [])),
  ];
}

/** @param {string[]} args @param {boolean} pinned */
function startLoad(args, pinned) {
  if (program === undefined) throw new Error('prepare() comes first');
  return new Load(args, {
    load: program,
    cores: pinned ? chooseCores() : undefined,
    malloc: false,
    profile: undefined,
  });
}

/** @param {number} port @param {readonly number[]} pids whose CPU counts @param {Traffic} traffic @param {{ pinned?: boolean }} [options] @returns {Promise<Result>} */
export async function exchange(port, pids, traffic, { pinned = true } = {}) {
  const load = startLoad(argumentsOf(port, traffic), pinned);
  try {
    await load.next('ready');
    const before = pids.map(cpuOf);
    load.go();
    const { messages, rate, p50, p99, receivedBytes = 0 } = await load.next('result');
    const cpu = pids.map((pid, index) => (cpuOf(pid) - /** @type {number} */ (before[index])) / messages);
    await load.finish();
    return { cpu, rate, p50, p99, replyBytes: receivedBytes / messages };
  } catch (error) {
    await load.kill();
    throw error;
  }
}

/** Opens connections, has each exchange a message where the traffic is JSON (before) or TLS (after), and asks while they are open. @template T @param {number} port @param {Traffic} traffic @param {() => Promise<T>} ask @returns {Promise<T>} */
export async function hold(port, traffic, ask) {
  const speaks = traffic.json === true || traffic.tls === true;
  const mode = speaks ? 'echo' : 'idle';
  const args = argumentsOf(port, { ...traffic, mode, seconds: 60, inFlight: 1 });
  const load = startLoad(speaks ? [...args, '--messages', String(traffic.connections)] : args, true);
  try {
    await load.next('ready');
    const answer = await ask();
    if (speaks) {
      load.go();
      await load.next('result');
    }
    await load.finish();
    return answer;
  } catch (error) {
    await load.kill();
    throw error;
  }
}
