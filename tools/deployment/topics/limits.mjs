// What the system's limits are about: how long a queue has to be, and what a connection takes.
import { readFileSync } from 'node:fs';
import { exchange, hold } from '../lib/load.mjs';
import { memoryOf, startScript } from '../lib/processes.mjs';
import { alternate } from '../lib/rounds.mjs';

const KIB = 1024;
const BURST = 3000;
const IDLE = 5000;

/** What the kernel holds and cannot give up, in bytes. */
const kernelMemory = () =>
  Number(/^SUnreclaim:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? NaN) * KIB;

/** @param {{ server: number | undefined }} cores @param {boolean} quick */
async function idle({ server: core }, quick) {
  const server = await startScript('servers/echo.mjs', {}, { core });
  const connections = quick ? 10 : IDLE;
  const memory = async () => {
    await server.ask('collect');
    return [memoryOf(server.pid), kernelMemory()];
  };
  await hold(server.port, { connections: 200 }, memory); // what all share
  const before = await memory();
  const after = await hold(server.port, { connections }, memory);
  await server.stop();
  const [process = NaN, kernel = NaN] = after.map(
    (bytes, index) => (bytes - (before[index] ?? NaN)) / connections / KIB,
  );
  return { process, kernel: kernel / 2 }; // both ends are here
}

export default {
  title: `\`backlog\`, with ${BURST} handshakes begun at once`,
  columns: [
    { title: 'half are done after ms', key: 'p50', digits: 0 },
    { title: '99 % after ms', key: 'p99', digits: 0 },
  ],
  /** @param {{ server: number | undefined }} cores @param {boolean} [quick] */
  async run(cores, quick = false) {
    const { process, kernel } = await idle(cores, quick);
    console.log(
      `\nan idle connection: ${process.toFixed(1)} KiB in the process, ${kernel.toFixed(1)} KiB in the kernel`,
    );
    const subjects = [128, 511, 4096].map((backlog) => {
      const start = async () => {
        const options = { backlog, maxPending: 0 };
        const server = await startScript('servers/echo.mjs', { options }, { core: cores.server });
        const measure = async () => {
          const burst = { mode: /** @type {const} */ ('churn'), connections: quick ? 10 : BURST, seconds: 0.001 };
          const { p50, p99 } = await exchange(server.port, [server.pid], burst);
          return { p50: p50 / 1000, p99: p99 / 1000 };
        };
        return { measure, close: server.stop };
      };
      return /** @type {const} */ ([backlog === 4096 ? '4096, the default' : String(backlog), start]);
    });
    return alternate(subjects, { rounds: 5, seconds: 0, warmUp: 1 }, quick);
  },
};
