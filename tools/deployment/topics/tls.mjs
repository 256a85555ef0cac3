// TLS in the server's process and in a proxy before it: messages, and what a silent connection holds.
import { makeCertificate } from '../lib/certificates.mjs';
import { exchange, hold } from '../lib/load.mjs';
import { memoryOf, startScript } from '../lib/processes.mjs';
import { startProxy } from '../lib/proxy.mjs';
import { alternate, join } from '../lib/rounds.mjs';

/** @typedef {{ name: string, by?: 'node' | import('../lib/proxy.mjs').Name }} Setting */

const KIB = 1024;
const IDLE = 2000;

/** @type {readonly Setting[]} */
const SETTINGS = [
  { name: 'no TLS' },
  { name: 'in the server', by: 'node' },
  { name: 'in nginx before it', by: 'nginx' },
  { name: 'in haproxy before it', by: 'haproxy' },
];

const TRAFFIC = {
  many: { size: KIB, inFlight: 16 },
  large: { size: 64 * KIB, inFlight: 1 },
};

/** @param {Setting} setting @param {{ server: number | undefined, load: number | undefined }} cores @param {{ key: string, cert: string }} tls */
async function start({ by }, cores, tls) {
  const server = await startScript('servers/echo.mjs', by === 'node' ? { tls } : {}, { core: cores.server });
  const proxy = by && by !== 'node' ? await startProxy(by, { to: [String(server.port)], tls }, cores.load) : undefined;
  return {
    port: proxy?.port ?? server.port,
    server,
    pids: proxy ? [server.pid, proxy.pid] : [server.pid],
    async stop() {
      await proxy?.stop();
      await server.stop();
    },
  };
}

export default {
  title: 'TLS',
  columns: [
    { title: '1 KiB k16: server us', key: 'many' },
    { title: 'proxy us', key: 'manyProxy' },
    { title: '64 KiB k1: server us', key: 'large' },
    { title: 'proxy us', key: 'largeProxy' },
    { title: 'idle: KiB in the server', key: 'idle' },
    { title: 'KiB in the proxy', key: 'idleProxy' },
  ],
  /** @param {{ server: number | undefined, load: number | undefined }} cores @param {boolean} [quick] */
  async run(cores, quick = false) {
    const tls = makeCertificate('ecdsa');
    const parts = [];
    for (const [key, traffic] of Object.entries(TRAFFIC)) {
      const subjects = SETTINGS.map((setting) => {
        const subject = async () => {
          const { port, pids, stop } = await start(setting, cores, tls);
          const measure = async (/** @type {number} */ seconds) => {
            const { cpu } = await exchange(port, pids, { ...traffic, tls: setting.by !== undefined, seconds });
            return { [key]: cpu[0] ?? NaN, [`${key}Proxy`]: cpu[1] ?? NaN };
          };
          return { measure, close: stop };
        };
        return /** @type {const} */ ([setting.name, subject]);
      });
      parts.push(await alternate(subjects, { rounds: 5, seconds: 0.4, warmUp: 1.5 }, quick));
    }
    /** @type {Map<string, Record<string, number>>} */
    const idle = new Map();
    const connections = quick ? 10 : IDLE;
    for (const setting of SETTINGS) {
      const { port, server, pids, stop } = await start(setting, cores, tls);
      const traffic = { size: 16, tls: setting.by !== undefined };
      const memory = async () => {
        await server.ask('collect');
        return pids.map((pid) => memoryOf(pid) / KIB / connections);
      };
      await hold(port, { ...traffic, connections: 10 }, memory); // what all share
      const before = await memory();
      const after = await hold(port, { ...traffic, connections }, memory);
      const [idleServer, idleProxy] = after.map((bytes, index) => bytes - (before[index] ?? NaN));
      idle.set(setting.name, { idle: idleServer ?? NaN, idleProxy: idleProxy ?? NaN });
      await stop();
    }
    return join(...parts, idle);
  },
};
