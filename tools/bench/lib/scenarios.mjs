// What is measured, in the order of the default run.
import { ECHOING } from './variants.mjs';

/**
 * @typedef {object} Target what a server has to reach beside another one, by the ratio or difference within each round
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
 * @property {'ascii' | 'mixed'} [text] instead of binary messages; mixed: of several scripts, with characters of 1 to 4 bytes
 * @property {boolean} [json] JSON documents instead of random bytes
 * @property {boolean} [deflate] permessage-deflate where the server has it on
 * @property {boolean} [tls] wss
 * @property {boolean} [each] of a broadcast: each is asked for by itself when an earlier one has arrived, so many under way
 * @property {number} [pace] messages per second; without it as many as the server can do
 * @property {boolean} [steady] before the clock starts each connection exchanges a message, and garbage is collected: that of the handshakes, and of the connections of the round before
 * @property {boolean} [loopDelay] event-loop delay too
 * @property {readonly Target[]} [targets]
 * @property {string} [group] heading under which it is reported
 * @property {boolean} [quick] measured with `--quick` too
 * @property {readonly string[]} [servers] measured here, instead of all that its kind has
 * @property {number} [rounds] at most so many, where one takes long
 * @property {number} [seconds] that one measurement takes, whatever is asked for: for the estimate of what is left
 * @property {number} warmUp seconds of load before the first measurement; with one message in flight V8 takes 5 s and more to optimise everything
 * @property {boolean} [wholeWarmUp] as long with `--quick` too
 */

const KIB = 1024;
const MIB = 1024 * KIB;
const CPU = 'us/msg';

const BESIDE_WS = ['ours', 'baseline', 'ws-native', 'ws', 'net'];
const WITH_TEXT = [...BESIDE_WS, 'nodejs-websocket', 'compat-ws', 'compat-nodejs-websocket'];

/**
 * What the issue asks for: so many times less than ws with bufferutil, without it, and at most so many times the bare TCP echo.
 * @param {{ native?: number, pure?: number, net?: number }} bounds @returns {{ targets: readonly Target[] }}
 */
const targets = ({ native, pure, net }) => ({
  targets: [
    ...(native === undefined ? [] : [{ than: 'ws-native', times: native }]),
    ...(pure === undefined ? [] : [{ than: 'ws', times: pure }]),
    ...(net === undefined ? [] : [{ than: 'net', atMost: net }]),
  ],
});

/** @param {number} size */
const nameOfSize = (size) => (size < KIB ? `${size} B` : size < MIB ? `${size / KIB} KiB` : `${size / MIB} MiB`);

/**
 * One message in flight is a chat; sixteen are what comes in bursts.
 * @param {Pick<Scenario, 'size' | 'connections' | 'inFlight'> & Partial<Scenario>} scenario @returns {Scenario}
 */
function echo({ size, connections, inFlight, ...others }) {
  const title = `${nameOfSize(size)} c${connections} k${inFlight}`;
  return {
    kind: 'echo',
    unit: CPU,
    warmUp: inFlight === 1 ? 6 : 2,
    name: title.replaceAll(/ (?=[BKM])/g, '').replaceAll(' ', '-'),
    title,
    group: 'Echo',
    servers: BESIDE_WS,
    size,
    connections,
    inFlight,
    ...others,
  };
}

/** @param {Pick<Scenario, 'name' | 'title' | 'size' | 'connections' | 'inFlight' | 'targets'> & Partial<Scenario>} scenario @returns {Scenario} */
const deflate = (scenario) => ({
  kind: 'deflate',
  unit: CPU,
  group: 'permessage-deflate',
  json: true,
  deflate: true,
  warmUp: 3,
  ...scenario,
});

/** @param {string} name @param {number} size @param {number} [native] @returns {Scenario[]} */
const smallDeflate = (name, size, native = 4) =>
  [4, 1].map((inFlight) =>
    deflate({
      name: `deflate-${name}-k${inFlight}`,
      title: `deflate ${nameOfSize(size)} c64 k${inFlight}`,
      size,
      connections: 64,
      inFlight,
      quick: size === KIB && inFlight === 4,
      targets: [
        { than: 'ws-native', times: inFlight === 4 ? native : 4 },
        { server: 'ours-public', than: 'ws-native', times: 2.5 },
      ],
    }),
  );

/** @param {number} inFlight @param {number} times @returns {Scenario} */
const deflateBroadcast = (inFlight, times) => ({
  name: `deflate-broadcast-${inFlight}`,
  title: `deflate broadcast 1 KiB to 1000, ${inFlight} a tick`,
  kind: 'broadcast',
  unit: CPU,
  group: 'permessage-deflate',
  json: true,
  deflate: true,
  warmUp: 3,
  size: KIB,
  connections: 1000,
  inFlight,
  targets: [{ than: 'ws-native', times }],
});

/** @param {number} inFlight @param {string} how @param {number} times @returns {Scenario} */
const broadcast = (inFlight, how, times) => ({
  name: `broadcast-${inFlight}`,
  title: `broadcast 64 B to 1000, ${how}`,
  kind: 'broadcast',
  unit: 'us/recipient',
  group: 'Broadcast',
  servers: ['ours', 'ours-loop', 'baseline', 'ws-native', 'ws'],
  json: true,
  each: true,
  warmUp: 3,
  size: 64,
  connections: 1000,
  inFlight,
  quick: inFlight > 1,
  ...targets({ native: times }),
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
  group: 'Client',
  unit: CPU,
  warmUp: 2,
  connections: 8,
  inFlight: burst,
  size,
  quick: size === 16 && mode === 'send',
  targets: ['ws-native', 'undici'].map((than) => ({ than, times })),
});

/** @type {readonly Scenario[]} */
export const SCENARIOS = [
  echo({
    size: 16,
    connections: 64,
    inFlight: 16,
    ...targets({ native: 9, net: 1.3 }),
    servers: ECHOING,
    quick: true,
  }),
  echo({ size: 125, connections: 64, inFlight: 16, ...targets({ native: 9, net: 1.3 }) }),
  echo({ size: 16, connections: 1000, inFlight: 16, ...targets({ native: 9, net: 1.45 }) }),
  echo({
    size: KIB,
    connections: 64,
    inFlight: 16,
    ...targets({ native: 6.5, net: 1.25 }),
    servers: ECHOING,
    quick: true,
  }),
  echo({
    size: 16,
    connections: 64,
    inFlight: 1,
    ...targets({ native: 1.15, net: 1.15 }),
    servers: ECHOING,
    quick: true,
  }),
  echo({ size: KIB, connections: 64, inFlight: 1, ...targets({ native: 1.05, net: 1.15 }) }),
  echo({ size: 16 * KIB, connections: 64, inFlight: 16, ...targets({ native: 1.8 }) }),
  echo({
    size: 64 * KIB,
    connections: 64,
    inFlight: 1,
    ...targets({ native: 1, pure: 3, net: 1.25 }),
    servers: ECHOING,
    quick: true,
  }),
  echo({ size: 64 * KIB, connections: 64, inFlight: 16, ...targets({ native: 1, pure: 3, net: 1.25 }) }),
  echo({ size: MIB, connections: 64, inFlight: 1, ...targets({ native: 1, pure: 3, net: 1.5 }) }),
  echo({
    name: '1KiB-text',
    title: '1 KiB text, ASCII, c64 k16',
    size: KIB,
    connections: 64,
    inFlight: 16,
    text: 'ascii',
    servers: WITH_TEXT,
    ...targets({ native: 6 }),
  }),
  echo({
    name: '1KiB-text-mixed',
    title: '1 KiB text, mixed scripts, c64 k16',
    size: KIB,
    connections: 64,
    inFlight: 16,
    text: 'mixed',
    servers: WITH_TEXT,
    ...targets({ native: 6 }),
  }),
  echo({
    name: 'wss-1KiB',
    title: '1 KiB over TLS, c64 k16',
    size: KIB,
    connections: 64,
    inFlight: 16,
    tls: true,
    ...targets({ native: 3 }),
  }),
  echo({
    name: 'fragments',
    title: '16 KiB in 1 KiB fragments, c16 k4',
    size: 16 * KIB,
    connections: 16,
    inFlight: 4,
    fragment: KIB,
    ...targets({ native: 2.5 }),
  }),
  echo({
    name: 'fragments-64B',
    title: '1 KiB in 64 B fragments, c64 k16',
    size: KIB,
    connections: 64,
    inFlight: 16,
    fragment: 64,
    ...targets({ native: 4 }),
  }),
  echo({
    name: 'active-10000',
    title: '16 B, 10 000 active connections, a message a second each',
    group: 'Many connections',
    size: 16,
    connections: 10_000,
    inFlight: 1,
    pace: 10_000,
    steady: true,
    seconds: 2,
    rounds: 7,
    loopDelay: true,
    targets: [{ than: 'ws-native', times: 1, of: 'loopDelay' }],
  }),
  echo({
    name: 'active-10000-full',
    title: '16 B, 10 000 active connections, full load',
    group: 'Many connections',
    size: 16,
    connections: 10_000,
    inFlight: 1,
    steady: true,
    seconds: 2,
    rounds: 7,
    loopDelay: true,
    targets: [{ than: 'ws-native', times: 1, of: 'loopDelay' }],
  }),
  broadcast(1, 'one at a time', 1.1),
  broadcast(8, 'eight in flight', 5),
  client('send', { size: 16, burst: 64, title: 'client sends 16 B in bursts of 64, c8', times: 5 }),
  client('send', { size: 64 * KIB, burst: 4, title: 'client sends 64 KiB in bursts of 4, c8', times: 2 }),
  client('receive', { size: 16, burst: 1024, title: 'client receives 16 B, 1024 at a time, c8', times: 2 }),
  client('receive', { size: 64 * KIB, burst: 16, title: 'client receives 64 KiB, 16 at a time, c8', times: 1 }),
  {
    name: 'handshake',
    title: 'opening and closing handshake, 32 at a time',
    kind: 'churn',
    unit: 'us/connection',
    group: 'Connections',
    servers: ECHOING.filter((name) => name !== 'nodejs-websocket'), // which never ends the TCP connection, §7.1.1
    warmUp: 3,
    wholeWarmUp: true, // Node 22 optimises what runs once per connection only after 3000 of them, and is done after some 12 000: see docs/decisions/handshake.md
    connections: 32,
    inFlight: 1,
    size: 0,
    quick: true,
    targets: [{ than: 'ws-native', times: 1.2, aim: 1.4 }],
  },
  {
    name: 'idle',
    title: 'memory of an idle connection',
    kind: 'idle',
    unit: 'KiB/connection',
    group: 'Memory',
    servers: ECHOING,
    warmUp: 0,
    seconds: 4,
    connections: 10_000,
    inFlight: 1,
    size: 0,
    targets: [
      { than: 'ws-native', atMost: 0.88 },
      { than: 'ws-native', atMost: 0.5, of: 'heap' },
    ],
  },
  ...[16, 100].map((mib) => ({
    name: `peak-${mib}MiB`,
    title: `peak memory of one ${mib} MiB echo`,
    kind: /** @type {const} */ ('peak'),
    unit: 'MiB',
    group: 'Memory',
    servers: BESIDE_WS,
    warmUp: 0,
    connections: 1,
    inFlight: 1,
    size: mib * MIB,
    seconds: mib === 100 ? 2 : 0.6,
    targets: mib === 100 ? [{ than: 'ws-native', atMost: 0.55 }] : [],
  })),
  ...smallDeflate('64', 64),
  ...smallDeflate('256', 256),
  ...smallDeflate('1k', KIB, 5),
  deflate({
    name: 'deflate-16k',
    title: 'deflate 16 KiB c64 k1',
    size: 16 * KIB,
    connections: 64,
    inFlight: 1,
    targets: [{ than: 'ws-native', times: 1.8 }],
  }),
  deflate({
    name: 'deflate-256k',
    title: 'deflate 256 KiB c16 k1',
    size: 256 * KIB,
    connections: 16,
    inFlight: 1,
    loopDelay: true,
    targets: [
      { than: 'ws-native', times: 1 },
      { than: 'ws-native', times: 1, of: 'loopDelay' },
    ],
  }),
  deflate({
    name: 'deflate-256k-paced',
    title: 'deflate 256 KiB c16, 100 a second',
    size: 256 * KIB,
    connections: 16,
    inFlight: 1,
    pace: 100,
    loopDelay: true,
    targets: [{ than: 'ws-native', times: 1, of: 'loopDelay' }],
  }),
  deflateBroadcast(1, 4),
  deflateBroadcast(10, 20),
  {
    name: 'deflate-idle',
    title: 'memory of a connection after a compressed message',
    kind: 'deflate-idle',
    unit: 'KiB/connection',
    group: 'Memory',
    json: true,
    deflate: true,
    warmUp: 0,
    rounds: 3,
    seconds: 7,
    connections: 10_000,
    inFlight: 1,
    size: KIB,
    targets: [
      { than: 'ws-native', atMost: 0.05 },
      { than: 'ours-plain', above: 1 },
    ],
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
