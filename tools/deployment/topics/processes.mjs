// Several processes behind one port: what it brings, what a handshake costs, and how evenly connections fall.
import { exchange, hold } from '../lib/load.mjs';
import { startScript } from '../lib/processes.mjs';
import { alternate, join } from '../lib/rounds.mjs';

const CONNECTIONS = 1000;
const PROCESSES = 2;

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

const hasReusePort = major > 23 || (major === 23 && minor >= 1);

/** @type {readonly (readonly [string, import('../servers/many.mjs').Task['way']])[]} */
const WAYS = [
  ['one process', 'one'],
  ['two, `node:cluster`', 'cluster'],
  ['two, `node:cluster` with `SCHED_NONE`', 'shared'],
  ...(hasReusePort ? [/** @type {const} */ (['two, `reusePort`', 'reusePort'])] : []),
];

/** @type {Readonly<Record<string, import('../lib/load.mjs').Traffic>>} */
const TRAFFIC = {
  handshake: { mode: 'churn', connections: 32 },
  message: { size: 16 * 1024, inFlight: 1, json: true, deflate: true },
};

export default {
  place: hasReusePort ? 'processes-reusePort' : 'processes',
  title: `Node ${major}`,
  columns: [
    { title: '16 KiB of JSON, compressed: a second', key: 'messageRate', digits: 0 },
    { title: 'us', key: 'message', digits: 0 },
    { title: 'handshake, us', key: 'handshake', digits: 0 },
    { title: `of ${CONNECTIONS}: the fuller process has`, key: 'most', digits: 0 },
  ],
  /** @param {unknown} _cores @param {boolean} [quick] */
  async run(_cores, quick = false) {
    const parts = [];
    for (const [key, traffic] of Object.entries(TRAFFIC)) {
      const subjects = WAYS.map(([name, way]) => {
        const start = async () => {
          const server = await startScript('servers/many.mjs', { way, processes: PROCESSES });
          const measure = async (/** @type {number} */ seconds) => {
            const run = { ...traffic, seconds };
            const { cpu, rate } = await exchange(server.port, [server.pid], run, { pinned: false });
            return { [key]: cpu[0] ?? NaN, [`${key}Rate`]: rate };
          };
          return { measure, close: server.stop };
        };
        return /** @type {const} */ ([name, start]);
      });
      parts.push(await alternate(subjects, { rounds: 5, seconds: 0.8, warmUp: 4 }, quick));
    }
    const balance = WAYS.filter(([, way]) => way !== 'one').map(([name, way]) => {
      const start = async () => {
        const server = await startScript('servers/many.mjs', { way, processes: PROCESSES });
        const measure = async () => {
          const counts = await hold(server.port, { connections: quick ? 10 : CONNECTIONS }, () => server.ask('count'));
          return { most: Math.max(...counts) };
        };
        return { measure, close: server.stop };
      };
      return /** @type {const} */ ([name, start]);
    });
    return join(...parts, await alternate(balance, { rounds: 5, seconds: 0, warmUp: 0 }, quick));
  },
};
