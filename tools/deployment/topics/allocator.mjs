// What the settings of malloc change, for the same server.
import { existsSync, readdirSync } from 'node:fs';
import { exchange } from '../lib/load.mjs';
import { memoryOf, startScript } from '../lib/processes.mjs';
import { alternate } from '../lib/rounds.mjs';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const MIB = 1024 * 1024;

/** @param {string} name @returns {string | undefined} */
function library(name) {
  const folder = existsSync(LIBRARIES) ? LIBRARIES : '/usr/lib/aarch64-linux-gnu';
  const file = existsSync(folder) ? readdirSync(folder).find((each) => each.startsWith(`${name}.so`)) : undefined;
  return file === undefined ? undefined : `${folder}/${file}`;
}

/** @returns {readonly (readonly [string, Record<string, string>])[]} */
function settings() {
  const jemalloc = library('libjemalloc');
  return [
    ['nothing set', {}],
    ["glibc's own bounds", { MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '131072' }],
    ['the two thresholds', { MALLOC_TRIM_THRESHOLD_: '268435456', MALLOC_MMAP_THRESHOLD_: '268435456' }],
    ['`MALLOC_ARENA_MAX=2`', { MALLOC_ARENA_MAX: '2' }],
    ...(jemalloc === undefined ? [] : [/** @type {const} */ (['jemalloc, by `LD_PRELOAD`', { LD_PRELOAD: jemalloc }])]),
  ];
}

const TRAFFIC = {
  small: { size: 1024, inFlight: 16 },
  large: { size: 65_536, inFlight: 1 },
  huge: { size: 1024 * 1024, inFlight: 1 },
};

export default {
  title: 'setting',
  columns: [
    { title: '1 KiB k16, us', key: 'small' },
    { title: '64 KiB k1, us', key: 'large' },
    { title: '1 MiB k1, us', key: 'huge', digits: 0 },
    { title: 'MiB afterwards', key: 'memory', digits: 0 },
  ],
  /** @param {{ server: number | undefined }} cores @param {boolean} [quick] */
  run({ server: core }, quick = false) {
    /** A process anew for each round: how its heap happens to lie is a matter of luck, and stays. @param {Record<string, string>} env @param {number} seconds */
    async function measure(env, seconds) {
      const server = await startScript('servers/echo.mjs', {}, { env, core });
      try {
        /** @type {Record<string, number>} */
        const figures = {};
        for (const [key, traffic] of Object.entries(TRAFFIC)) {
          await exchange(server.port, [], { ...traffic, seconds: seconds * 2 }); // to be compiled
          const { cpu } = await exchange(server.port, [server.pid], { ...traffic, seconds });
          figures[key] = cpu[0] ?? NaN;
        }
        return { ...figures, memory: memoryOf(server.pid) / MIB };
      } finally {
        await server.stop();
      }
    }
    const subjects = settings().map(([name, env]) => {
      const subject = {
        measure: (/** @type {number} */ seconds) => measure(env, seconds),
        close: async () => undefined,
      };
      return /** @type {const} */ ([name, async () => subject]);
    });
    return alternate(subjects, { rounds: 5, seconds: 0.4, warmUp: 0 }, quick);
  },
};
