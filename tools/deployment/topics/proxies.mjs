// What a proxy costs, and adds to the time that a message takes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { exchange, hold } from '../lib/load.mjs';
import { memoryOf, startScript } from '../lib/processes.mjs';
import { missingProxy, startProxy } from '../lib/proxy.mjs';
import { alternate, join } from '../lib/rounds.mjs';

/** @typedef {{ name: string, by?: import('../lib/proxy.mjs').Name, unix?: boolean, edits?: readonly (readonly [RegExp, string])[] }} Setting */

const KIB = 1024;
const IDLE = 3000;

/** @type {readonly Setting[]} */
const SETTINGS = [
  { name: 'none' },
  { name: 'nginx', by: 'nginx' },
  {
    name: 'nginx, `proxy_buffer_size` left at 4 KiB',
    by: 'nginx',
    edits: [[/proxy_buffer_size .*\n\s*proxy_buffers .*/, '']],
  },
  { name: 'nginx, to a Unix socket', by: 'nginx', unix: true },
  { name: 'haproxy', by: 'haproxy' },
  { name: 'haproxy, to a Unix socket', by: 'haproxy', unix: true },
];

/** @type {Readonly<Record<string, import('../lib/load.mjs').Traffic>>} */
const TRAFFIC = {
  handshake: { mode: 'churn', connections: 32 },
  one: { size: 125, inFlight: 1 },
  many: { size: KIB, inFlight: 16 },
  large: { size: 64 * KIB, inFlight: 1 },
  alone: { size: 125, inFlight: 1, connections: 1 },
};

/** A proxy has the core of the generator, so that the server keeps its own. @param {Setting} setting @param {{ server: number | undefined, load: number | undefined }} cores */
async function start({ by, unix = false, edits = [] }, cores) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ws-'));
  const task = unix ? { unix: `${folder}/app.sock` } : {};
  const server = await startScript('servers/echo.mjs', task, { core: cores.server });
  const proxy =
    by && (await startProxy(by, { to: [unix ? `${folder}/app.sock` : String(server.port)], edits }, cores.load));
  return {
    server,
    proxy,
    port: proxy?.port ?? server.port,
    async stop() {
      await proxy?.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export default {
  title: 'proxy',
  columns: [
    { title: 'handshake: server us', key: 'handshake', digits: 0 },
    { title: 'proxy us', key: 'handshakeProxy', digits: 0 },
    { title: '125 B k1: server us', key: 'one' },
    { title: 'proxy us', key: 'oneProxy' },
    { title: '1 KiB k16: proxy us', key: 'manyProxy' },
    { title: '64 KiB k1: proxy us', key: 'largeProxy' },
    { title: 'round trip of one alone, us', key: 'aloneTime', digits: 0 },
    { title: 'idle: KiB in the proxy', key: 'idle' },
  ],
  /** @param {{ server: number | undefined, load: number | undefined }} cores @param {boolean} [quick] */
  async run(cores, quick = false) {
    for (const name of /** @type {const} */ (['nginx', 'haproxy'])) {
      const missing = missingProxy(name);
      if (missing !== undefined) throw new Error(`this measurement needs ${missing}`);
    }
    const parts = [];
    for (const [key, traffic] of Object.entries(TRAFFIC)) {
      const subjects = SETTINGS.map((setting) => {
        const subject = async () => {
          const { server, proxy, port, stop } = await start(setting, cores);
          const measure = async (/** @type {number} */ seconds) => {
            const pids = [server.pid, ...(proxy ? [proxy.pid] : [])];
            const { cpu, p50 } = await exchange(port, pids, { ...traffic, seconds });
            return { [key]: cpu[0] ?? NaN, [`${key}Proxy`]: cpu[1] ?? NaN, [`${key}Time`]: p50 };
          };
          return { measure, close: stop };
        };
        return /** @type {const} */ ([setting.name, subject]);
      });
      parts.push(
        await alternate(subjects, { rounds: 3, seconds: 0.3, warmUp: traffic.mode === 'churn' ? 2.5 : 1 }, quick),
      );
    }
    /** @type {Map<string, Record<string, number>>} */
    const idle = new Map();
    for (const setting of SETTINGS) {
      const { proxy, port, stop } = await start(setting, cores);
      if (proxy) {
        const before = memoryOf(proxy.pid);
        const after = await hold(port, { connections: quick ? 10 : IDLE }, async () => memoryOf(proxy.pid));
        idle.set(setting.name, { idle: (after - before) / IDLE / KIB });
      }
      await stop();
    }
    return join(...parts, idle);
  },
};
