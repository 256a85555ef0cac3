// What is measured, in the order of the default run.

/**
 * @typedef {object} Target what a server has to reach beside another one
 * @property {string} [server] ours if left out
 * @property {string} [than] ws if left out
 * @property {number} [times] so many times less
 * @property {number} [atMost] at most so many times the other's
 * @property {number} [above] in the scenario's unit; at most so much more
 * @property {number} [aim] what is hoped for, shown beside it
 * @property {Exclude<keyof import('./measures.mjs').Sample, 'more'>} [of] this instead of the value
 *
 * @typedef {object} Scenario
 * @property {string} name as `--scenario` takes it
 * @property {string} title
 * @property {'echo' | 'client-send' | 'client-receive' | 'churn' | 'idle' | 'peak' | 'deflate' | 'deflate-idle' | 'broadcast'} kind
 * @property {string} unit of the value that is compared; less is better
 * @property {number} connections
 * @property {number} inFlight messages in flight per connection; of a client: messages of a burst; of a broadcast: messages per tick
 * @property {number} size payload bytes of a message
 * @property {number} [fragment] payload bytes of a frame, where a message has several
 * @property {boolean} [text]
 * @property {boolean} [json] JSON documents instead of random bytes, and permessage-deflate where the server has it on
 * @property {number} [pace] messages per second; without it as many as the server can do
 * @property {boolean} [loopDelay] event-loop delay too
 * @property {readonly Target[]} [targets]
 * @property {string} [group] heading under which it is reported
 * @property {boolean} [quick] measured with `--quick` too
 * @property {readonly string[]} [servers] measured here, instead of all that its kind has
 * @property {number} [rounds] at most so many, where one takes long
 * @property {number} [seconds] that one measurement takes, whatever is asked for: for the estimate of what is left
 * @property {number} warmUp seconds of load before the first measurement; with one message in flight V8 takes 5 s and more to optimise everything
 */

const CPU = 'us/msg';
const KIB = 1024;
const MIB = 1024 * KIB;

/** @param {Omit<Scenario, 'kind' | 'unit' | 'warmUp'>} scenario @returns {Scenario} */
const echo = (scenario) => ({ kind: 'echo', unit: CPU, warmUp: scenario.inFlight === 1 ? 6 : 2, ...scenario });

/** @param {number} times what ws / ours has to reach */
const target = (times) => ({ targets: [{ times }] });

/** @param {Pick<Scenario, 'name' | 'title' | 'size' | 'connections' | 'inFlight' | 'targets'> & Partial<Scenario>} scenario @returns {Scenario} */
const deflate = (scenario) => ({ kind: 'deflate', unit: CPU, json: true, warmUp: 3, ...scenario });

/** @param {string} name @param {string} title @param {number} size @returns {Scenario[]} */
const smallDeflate = (name, title, size) =>
  [4, 1].map((inFlight) =>
    deflate({
      name: `deflate-${name}-k${inFlight}`,
      title: `deflate ${title} c64 k${inFlight}`,
      size,
      connections: 64,
      inFlight,
      targets: [{ times: 4 }, { server: 'ours-public', times: 2.5 }],
    }),
  );

/** @param {number} inFlight @param {number} times @returns {Scenario} */
const broadcast = (inFlight, times) => ({
  name: `deflate-broadcast-${inFlight}`,
  title: `deflate broadcast 1 KiB to 1000, ${inFlight} a tick`,
  kind: 'broadcast',
  unit: CPU,
  json: true,
  warmUp: 3,
  size: KIB,
  connections: 1000,
  inFlight,
  ...target(times),
});

/**
 * @param {'send' | 'receive'} mode
 * @param {{ size: number, burst: number, title: string, times: number }} scenario `times`: what every other client needs at least
 * @returns {Scenario}
 */
const client = (mode, { size, burst, title, times }) => ({
  name: `client-${mode}-${size < KIB ? `${size}B` : `${size / KIB}KiB`}`,
  title,
  kind: `client-${mode}`,
  unit: CPU,
  warmUp: 2,
  connections: 8,
  inFlight: burst,
  size,
  targets: ['ws-bufferutil', 'undici'].map((than) => ({ than, times })),
});

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  echo({ name: '16B-c64-k16', title: '16 B c64 k16', connections: 64, inFlight: 16, size: 16, ...target(6) }),
  echo({ name: '16B-c64-k1', title: '16 B c64 k1', connections: 64, inFlight: 1, size: 16, ...target(1) }),
  echo({ name: '64KiB-c64-k1', title: '64 KiB c64 k1', connections: 64, inFlight: 1, size: 64 * KIB, ...target(2) }),
  echo({ name: '64KiB-c1-k16', title: '64 KiB c1 k16', connections: 1, inFlight: 16, size: 64 * KIB, ...target(2) }),
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
  client('send', { size: 16, burst: 64, title: 'client sends 16 B in bursts of 64, c8', times: 5 }),
  client('send', { size: 64 * KIB, burst: 4, title: 'client sends 64 KiB in bursts of 4, c8', times: 2 }),
  client('receive', { size: 16, burst: 1024, title: 'client receives 16 B, 1024 at a time, c8', times: 2 }),
  client('receive', { size: 64 * KIB, burst: 16, title: 'client receives 64 KiB, 16 at a time, c8', times: 1 }),
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
  ...smallDeflate('64', '64 B', 64),
  ...smallDeflate('256', '256 B', 256),
  ...smallDeflate('1k', '1 KiB', KIB),
  deflate({
    name: 'deflate-16k',
    title: 'deflate 16 KiB c64 k1',
    size: 16 * KIB,
    connections: 64,
    inFlight: 1,
    ...target(1.8),
  }),
  deflate({
    name: 'deflate-256k',
    title: 'deflate 256 KiB c16 k1',
    size: 256 * KIB,
    connections: 16,
    inFlight: 1,
    loopDelay: true,
    targets: [{ times: 1 }, { times: 1, of: 'loopDelay' }],
  }),
  deflate({
    name: 'deflate-256k-paced',
    title: 'deflate 256 KiB c16, 100 a second',
    size: 256 * KIB,
    connections: 16,
    inFlight: 1,
    pace: 100,
    loopDelay: true,
    targets: [{ times: 1, of: 'loopDelay' }],
  }),
  broadcast(1, 4),
  broadcast(10, 20),
  {
    name: 'deflate-idle',
    title: 'memory of a connection after a message',
    kind: 'deflate-idle',
    unit: 'KiB/connection',
    json: true,
    warmUp: 0,
    connections: 5000,
    inFlight: 1,
    size: KIB,
    targets: [{ than: 'ours-plain', above: 1 }],
  },
];

/** @param {readonly string[]} wanted names, or how names begin before a hyphen; none: all scenarios @returns {readonly Scenario[]} */
export function pickScenarios(wanted) {
  /** @param {string} text @param {Scenario} scenario */
  const means = (text, { name }) => name === text || name.startsWith(`${text}-`);
  const unknown = wanted.find((text) => !SCENARIOS.some((scenario) => means(text, scenario)));
  const known = SCENARIOS.map(({ name }) => name);
  if (unknown !== undefined) throw new RangeError(`--scenario is ${unknown}, expected one of ${known.join(', ')}`);
  return wanted.length === 0 ? SCENARIOS : SCENARIOS.filter((each) => wanted.some((text) => means(text, each)));
}
