// What is measured, in the order of the default run: the three targets first.

/**
 * @typedef {object} Scenario
 * @property {string} name as `--scenario` takes it
 * @property {string} title
 * @property {'echo' | 'client' | 'churn' | 'idle' | 'peak'} kind
 * @property {string} unit of the value that is compared; less is better
 * @property {number} connections
 * @property {number} inFlight messages in flight per connection; of a client: messages per burst
 * @property {number} size payload bytes of a message
 * @property {number} [fragment] payload bytes of a frame, where a message has several
 * @property {boolean} [text]
 * @property {number} [target] what ws / ours has to reach
 * @property {number} warmUp seconds of load before the first measurement; with one message in flight V8 takes 5 s and more to optimise everything
 */

const CPU = 'us/msg';

/** @param {Omit<Scenario, 'kind' | 'unit' | 'warmUp'>} scenario @returns {Scenario} */
const echo = (scenario) => ({ kind: 'echo', unit: CPU, warmUp: scenario.inFlight === 1 ? 6 : 2, ...scenario });

const KIB = 1024;
const MIB = 1024 * KIB;

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  echo({ name: '16B-c64-k16', title: '16 B c64 k16', connections: 64, inFlight: 16, size: 16, target: 6 }),
  echo({ name: '16B-c64-k1', title: '16 B c64 k1', connections: 64, inFlight: 1, size: 16, target: 1 }),
  echo({ name: '64KiB-c64-k1', title: '64 KiB c64 k1', connections: 64, inFlight: 1, size: 64 * KIB, target: 2 }),
  echo({ name: '64KiB-c1-k16', title: '64 KiB c1 k16', connections: 1, inFlight: 16, size: 64 * KIB, target: 2 }),
  echo({ name: '1KiB-c64-k16', title: '1 KiB c64 k16', connections: 64, inFlight: 16, size: KIB }),
  echo({ name: '1KiB-c64-k1', title: '1 KiB c64 k1', connections: 64, inFlight: 1, size: KIB }),
  echo({ name: '1KiB-text', title: '1 KiB text c64 k16', connections: 64, inFlight: 16, size: KIB, text: true }),
  echo({ name: '16B-c1000-k16', title: '16 B c1000 k16', connections: 1000, inFlight: 16, size: 16 }),
  echo({
    name: 'fragments',
    title: '16 KiB in 1 KiB pieces c16 k4',
    connections: 16,
    inFlight: 4,
    size: 16 * KIB,
    fragment: KIB,
  }),
  {
    name: 'client-16B',
    title: 'client sends 16 B in bursts of 64, c8',
    kind: 'client',
    unit: CPU,
    warmUp: 2,
    connections: 8,
    inFlight: 64,
    size: 16,
  },
  {
    name: 'handshake',
    title: 'opening and closing handshake, 32 at a time',
    kind: 'churn',
    unit: 'us/connection',
    warmUp: 3,
    connections: 32,
    inFlight: 1,
    size: 0,
  },
  {
    name: 'idle',
    title: 'memory of an idle connection',
    kind: 'idle',
    unit: 'KiB/connection',
    warmUp: 0,
    connections: 10_000,
    inFlight: 1,
    size: 0,
  },
  {
    name: 'peak',
    title: 'peak memory of one 16 MiB echo',
    kind: 'peak',
    unit: 'MiB',
    warmUp: 0,
    connections: 1,
    inFlight: 1,
    size: 16 * MIB,
  },
];

/** @param {readonly string[]} wanted names; none: all of them @returns {readonly Scenario[]} */
export function pickScenarios(wanted) {
  if (wanted.length === 0) return SCENARIOS;
  const known = SCENARIOS.map(({ name }) => name);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new RangeError(`--scenario is ${unknown}, expected one of ${known.join(', ')}`);
  return SCENARIOS.filter(({ name }) => wanted.includes(name));
}
