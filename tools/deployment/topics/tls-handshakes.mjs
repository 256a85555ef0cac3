// What it costs to open a connection with TLS, in full and resumed, by the kind of certificate.
import { makeCertificate } from '../lib/certificates.mjs';
import { exchange } from '../lib/load.mjs';
import { cpuOf, startScript } from '../lib/processes.mjs';
import { startProxy } from '../lib/proxy.mjs';
import { alternate } from '../lib/rounds.mjs';

/** @typedef {{ name: string, kind: 'ecdsa' | 'rsa', by: 'node' | 'nginx', resume: boolean }} Setting */

/** @type {readonly Setting[]} */
const SETTINGS = [
  { name: 'in the server, RSA 2048', kind: 'rsa', by: 'node', resume: false },
  { name: 'in the server, ECDSA P-256', kind: 'ecdsa', by: 'node', resume: false },
  { name: '… resumed', kind: 'ecdsa', by: 'node', resume: true },
  { name: 'in nginx, ECDSA P-256', kind: 'ecdsa', by: 'nginx', resume: false },
  { name: '… resumed by nginx', kind: 'ecdsa', by: 'nginx', resume: true },
];

/** @typedef {{ server: number | undefined, load: number | undefined }} Cores */

/** @param {Cores} cores */
async function plain({ server: core }) {
  const server = await startScript('servers/echo.mjs', {}, { core });
  const measure = async (/** @type {number} */ seconds) => {
    const { cpu } = await exchange(server.port, [server.pid], { mode: 'churn', connections: 16, seconds });
    return { server: cpu[0] ?? NaN };
  };
  return { measure, close: server.stop };
}

/** @param {Setting} setting @param {Cores} cores @param {{ key: string, cert: string }} tls */
async function withTls({ by, resume }, cores, tls) {
  const server = await startScript('servers/echo.mjs', by === 'node' ? { tls } : {}, { core: cores.server });
  // Of the two, the proxy is what is measured: it has a core of its own.
  const proxy = by === 'nginx' ? await startProxy(by, { to: [String(server.port)], tls }, cores.load) : undefined;
  const client = await startScript(
    'clients/handshakes.mjs',
    { port: proxy?.port ?? server.port },
    { core: cores.load },
  );
  const measure = async (/** @type {number} */ seconds) => {
    const before = [cpuOf(server.pid), proxy ? cpuOf(proxy.pid) : NaN];
    /** @type {import('../clients/handshakes.mjs').Answer} */
    const { connections, resumed } = await client.ask({ seconds, resume });
    if (resumed !== (resume ? connections : 0)) throw new Error(`${resumed} of ${connections} sessions were resumed`);
    const after = [cpuOf(server.pid), proxy ? cpuOf(proxy.pid) : NaN];
    const [inServer, inProxy] = after.map((cpu, index) => (cpu - (before[index] ?? NaN)) / connections);
    return { server: inServer ?? NaN, proxy: inProxy ?? NaN };
  };
  const close = async () => {
    await client.stop();
    await proxy?.stop();
    await server.stop();
  };
  return { measure, close };
}

export default {
  title: 'TLS',
  columns: [
    { title: 'server, us', key: 'server', digits: 0 },
    { title: 'proxy, us', key: 'proxy', digits: 0 },
  ],
  /** @param {Cores} cores @param {boolean} [quick] */
  run(cores, quick = false) {
    const certificates = { rsa: makeCertificate('rsa'), ecdsa: makeCertificate('ecdsa') };
    /** @type {[string, () => Promise<import('../lib/rounds.mjs').Subject>][]} */
    const subjects = SETTINGS.map((each) => [each.name, () => withTls(each, cores, certificates[each.kind])]);
    const settings = [/** @type {(typeof subjects)[0]} */ (['no TLS', () => plain(cores)]), ...subjects];
    return alternate(settings, { rounds: 5, seconds: 0.6, warmUp: 3 }, quick);
  },
};
