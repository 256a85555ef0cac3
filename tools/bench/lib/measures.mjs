// How each kind of scenario is measured once, for one of the servers.
import { makeCertificate } from '@ws/testing';
import { fileLimit } from './machine.mjs';
import { Load, startMeasured } from './process.mjs';
import { ECHOING, variantOf } from './variants.mjs';

/**
 * @typedef {import('./process.mjs').Setup} Setup
 * @typedef {import('./scenarios.mjs').Scenario} Scenario
 *
 * @typedef {object} Sample
 * @property {number} value in the scenario's unit
 * @property {number} [rate] per second
 * @property {number} [p50] us
 * @property {number} [p99] us
 * @property {number} [serverBusy] share of its core
 * @property {number} [loadBusy] share of its core
 * @property {number} [loopDelay] in ms, the 99th percentile
 * @property {number} [replyBytes] on the wire, of a message that the server sent
 * @property {number} [compressed] share of the messages that the server sent
 * @property {number} [heap] KiB of JavaScript heap per connection
 * @property {Record<string, number>} [more] for the JSON file
 *
 * @typedef {object} Subject
 * @property {(seconds: number) => Promise<Sample>} measure
 * @property {() => Promise<void>} close
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** @type {import('@ws/testing').Certificate | undefined} */
let made;
const certificate = () => (made ??= makeCertificate());

/** @param {Scenario} scenario @param {string} variant @param {number} port @param {number} seconds */
function loadArgs(scenario, variant, port, seconds) {
  const { connections, inFlight, size, fragment = 0, text, json = false, pace = 0, each = false } = scenario;
  const { library, deflate } = variantOf(variant);
  const isCompressed = scenario.deflate === true && deflate !== false;
  const verify = json ? 64 : size < KIB ? 16 : 8;
  const values = { port, connections, 'in-flight': inFlight, size, fragment, seconds, verify, rate: pace };
  const args = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
  const flags = {
    text: text === 'ascii',
    mixed: text === 'mixed',
    raw: library === 'net',
    json,
    each,
    tls: scenario.tls === true,
    first: scenario.deflate === true || scenario.steady === true, // what a connection allocates for its first compressed message is not part of a message's cost
    deflate: isCompressed,
    control: true,
  };
  return [...args, ...Object.entries(flags).flatMap(([name, isSet]) => (isSet ? [`--${name}`] : []))];
}

/** @param {Scenario} scenario @param {string} variant @param {Setup} setup */
function startServer(scenario, variant, setup) {
  const { library, deflate, loop = false } = variantOf(variant);
  const task = {
    broadcast: scenario.kind === 'broadcast',
    loop,
    tls: scenario.tls === true ? certificate() : undefined,
    perMessageDeflate: scenario.deflate === true && deflate,
  };
  return startMeasured(`servers/${library}.mjs`, [JSON.stringify(task)], setup, variantOf(variant));
}

/** Runs the generator once and gives back its result. @template T @param {Load} load @param {(load: Load) => Promise<T>} use */
async function withLoad(load, use) {
  try {
    return await use(load);
  } catch (error) {
    await load.kill();
    throw error;
  }
}

/** CPU of the server between the generator's start and its result. @param {'echo' | 'churn' | 'broadcast'} mode */
const throughput =
  (mode) =>
  /** @param {Scenario} scenario @param {string} variant @param {Setup} setup @returns {Promise<Subject>} */
  async (scenario, variant, setup) => {
    const server = await startServer(scenario, variant, setup);
    /** @param {number} seconds @returns {Promise<Sample>} */
    const measure = (seconds) => {
      const args = loadArgs(scenario, variant, server.port, scenario.seconds ?? seconds);
      return withLoad(new Load([mode, ...args], setup), async (load) => {
        await load.next('ready');
        if (scenario.steady === true) await server.usage('collect');
        const before = await server.usage(scenario.loopDelay === true ? 'watch-delay' : 'usage');
        load.go();
        const result = await load.next('result');
        const after = await server.usage();
        await load.finish();
        /** @type {Sample} */
        const sample = {
          value: (after.cpu - before.cpu) / result.messages,
          rate: result.rate,
          p50: result.p50,
          p99: result.p99,
          serverBusy: (after.cpu - before.cpu) / 1e6 / result.seconds,
          loadBusy: result.cpuSeconds / result.seconds,
          more: { messages: result.messages },
        };
        if (scenario.loopDelay === true) sample.loopDelay = after.loopDelay;
        if (scenario.deflate === true) {
          sample.replyBytes = result.receivedBytes / result.messages;
          sample.compressed = result.compressed / result.messages;
        }
        return sample;
      });
    };
    return { measure, close: () => server.stop() };
  };

/** A client under test against the sink in C, which it sends to, or the source, which sends to it. @param {'send' | 'receive'} mode */
const client =
  (mode) =>
  /** @param {Scenario} scenario @param {string} variant @param {Setup} setup @returns {Promise<Subject>} */
  async (scenario, variant, setup) => {
    const { connections, inFlight, size } = scenario;
    const { library } = variantOf(variant);
    const otherEnd = mode === 'send' ? ['sink', '--in-flight', inFlight, '--verify', size < KIB ? 16 : 8] : ['source'];
    const load = new Load([...otherEnd, '--connections', connections, '--size', size, '--seconds', 600], setup);
    const { port } = await load.next('listening');
    const args = [port, connections, inFlight, size, mode];
    const measured = await startMeasured(`clients/${library}.mjs`, args, setup, variantOf(variant));
    let expected = 0;
    return {
      measure: async (seconds) => {
        const { messages, seconds: taken, cpu } = await measured.ask({ seconds });
        expected += messages;
        return { value: cpu / messages, rate: messages / taken, serverBusy: cpu / 1e6 / taken, more: { messages } };
      },
      close: async () => {
        await measured.stop();
        load.child.stdin.end();
        const { messages } = await load.next('result');
        await load.finish();
        if (messages !== expected) throw new Error(`the other end counted ${messages} messages of ${expected}`);
      },
    };
  };

/** Memory of a fresh server before and after. @param {(scenario: Scenario, variant: string, setup: Setup) => Promise<Sample>} measureOnce */
const fresh =
  (measureOnce) =>
  /** @param {Scenario} scenario @param {string} variant @param {Setup} setup @returns {Promise<Subject>} */
  async (scenario, variant, setup) => ({
    measure: () => measureOnce(scenario, variant, setup),
    close: () => Promise.resolve(),
  });

/** How many connections both ends can hold; a process has other files open besides. @param {number} wanted */
export const possibleConnections = (wanted) => Math.min(wanted, fileLimit() - 100);

/** @param {Scenario} scenario @param {string} variant @param {Setup} setup @returns {Promise<Sample>} */
async function idleMemory(scenario, variant, setup) {
  const server = await startServer(scenario, variant, setup);
  const connections = possibleConnections(scenario.connections);
  /**
   * Without documents a connection is silent from its opening on. With them each has exchanged a message, and another
   * one at the end, which all of them must be able to.
   * @param {number} count @param {(load: Load) => Promise<unknown>} whileOpen
   */
  const hold = (count, whileOpen) => {
    const args = loadArgs({ ...scenario, connections: count }, variant, server.port, 60);
    const mode = scenario.json === true ? ['echo', '--messages', count] : ['idle'];
    return withLoad(new Load([...mode, ...args], setup), async (load) => {
      await load.next('ready');
      await whileOpen(load);
      if (scenario.json === true) {
        load.go();
        await load.next('result');
      }
      await load.finish();
    });
  };
  try {
    await hold(Math.min(200, connections), () => Promise.resolve()); // code and shapes that every connection shares
    const before = await server.usage('collect');
    let after = before;
    await hold(connections, async () => (after = await server.usage('collect')));
    /** @param {number} bytes */
    const each = (bytes) => bytes / connections / KIB;
    return {
      value: each(after.rss - before.rss),
      heap: each(after.heapUsed - before.heapUsed),
      more: {
        connections,
        external: each(after.external - before.external),
      },
    };
  } finally {
    await server.stop();
  }
}

/** @param {Scenario} scenario @param {string} variant @param {Setup} setup @returns {Promise<Sample>} */
async function peakMemory(scenario, variant, setup) {
  const server = await startServer(scenario, variant, setup);
  try {
    const args = ['echo', ...loadArgs(scenario, variant, server.port, 60), '--messages', 1];
    return await withLoad(new Load(args, setup), async (load) => {
      await load.next('ready');
      const before = await server.usage('reset-peak');
      load.go();
      await load.next('result');
      const after = await server.usage();
      await load.finish();
      return { value: (after.peakRss - before.rss) / MIB };
    });
  } finally {
    await server.stop();
  }
}

const CLIENTS = ['ours', 'baseline', 'ws', 'ws-native', 'undici'];
const DEFLATING = ['ours', 'baseline', 'ours-public', 'ours-takeover', 'ws-native', 'ws', 'ws-no-takeover'];

/** @type {Readonly<Record<Scenario['kind'], { start: (scenario: Scenario, variant: string, setup: Setup) => Promise<Subject>, variants: readonly string[], mostRounds: number }>>} */
export const MEASURES = {
  echo: { start: throughput('echo'), variants: ECHOING, mostRounds: Infinity },
  churn: { start: throughput('churn'), variants: ECHOING, mostRounds: Infinity },
  'client-send': { start: client('send'), variants: CLIENTS, mostRounds: Infinity },
  'client-receive': { start: client('receive'), variants: CLIENTS, mostRounds: Infinity },
  idle: { start: fresh(idleMemory), variants: ECHOING, mostRounds: 6 },
  peak: { start: fresh(peakMemory), variants: ECHOING, mostRounds: 6 },
  deflate: { start: throughput('echo'), variants: DEFLATING, mostRounds: Infinity },
  'deflate-idle': {
    start: fresh(idleMemory),
    variants: [
      'ours',
      'baseline',
      'ours-public',
      'ours-takeover',
      'ours-plain',
      'ws-native',
      'ws',
      'ws-no-takeover',
      'ws-plain',
    ],
    mostRounds: 8,
  },
  broadcast: {
    start: throughput('broadcast'),
    variants: [
      'ours',
      'baseline',
      'ours-public',
      'ours-takeover',
      'ours-loop',
      'ours-plain',
      'baseline-plain',
      'ws-native',
      'ws',
      'ws-no-takeover',
    ],
    mostRounds: Infinity,
  },
};
