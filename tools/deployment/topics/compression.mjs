// What the options of permessage-deflate cost in time, and bring in bytes.
import { exchange, hold } from '../lib/load.mjs';
import { memoryOf, startScript } from '../lib/processes.mjs';
import { alternate, join } from '../lib/rounds.mjs';

const KIB = 1024;
const IDLE = 1000;

const TAKEOVER = { serverNoContextTakeover: false, clientNoContextTakeover: false, maxContexts: IDLE };

/** @type {readonly (readonly [string, false | Record<string, unknown>])[]} */
const SETTINGS = [
  ['off', false],
  ['`true`: level 1', {}],
  ['level 3', { zlibDeflateOptions: { level: 3 } }],
  ['level 6', { zlibDeflateOptions: { level: 6 } }],
  ['takeover, level 1', TAKEOVER],
  ['takeover, level 6', { ...TAKEOVER, zlibDeflateOptions: { level: 6 } }],
  ['takeover, windows of 10 bits', { ...TAKEOVER, serverMaxWindowBits: 10, clientMaxWindowBits: 10 }],
];

const TRAFFIC = {
  small: { size: KIB, inFlight: 4, json: true },
  large: { size: 16 * KIB, inFlight: 1, json: true },
};

export default {
  title: '`perMessageDeflate`',
  columns: [
    { title: '1 KiB k4, us', key: 'small' },
    { title: 'bytes of a reply', key: 'smallBytes', digits: 0 },
    { title: '16 KiB k1, us', key: 'large' },
    { title: 'bytes of a reply', key: 'largeBytes', digits: 0 },
    { title: 'KiB a connection after a message', key: 'memory', digits: 0 },
  ],
  /** @param {{ server: number | undefined }} cores @param {boolean} [quick] */
  async run({ server: core }, quick = false) {
    const startEcho = (/** @type {false | Record<string, unknown>} */ deflate) => {
      const perMessageDeflate = deflate && { threshold: 0, ...deflate };
      return startScript('servers/echo.mjs', { options: { perMessageDeflate } }, { core });
    };
    const parts = [];
    for (const [key, traffic] of Object.entries(TRAFFIC)) {
      const subjects = SETTINGS.map(([name, deflate]) => {
        const start = async () => {
          const server = await startEcho(deflate);
          const measure = async (/** @type {number} */ seconds) => {
            const { cpu, replyBytes } = await exchange(server.port, [server.pid], {
              ...traffic,
              deflate: deflate !== false,
              seconds,
            });
            return { [key]: cpu[0] ?? NaN, [`${key}Bytes`]: replyBytes };
          };
          return { measure, close: server.stop };
        };
        return /** @type {const} */ ([name, start]);
      });
      parts.push(await alternate(subjects, { rounds: 4, seconds: 0.4, warmUp: 2 }, quick));
    }
    /** @type {Map<string, Record<string, number>>} */
    const memory = new Map();
    for (const [name, deflate] of SETTINGS) {
      const server = await startEcho(deflate);
      await hold(
        server.port,
        { connections: 100, size: KIB, json: true, deflate: deflate !== false },
        async () => undefined,
      ); // what all share
      await server.ask('collect');
      const before = memoryOf(server.pid);
      const after = await hold(
        server.port,
        { connections: quick ? 10 : IDLE, size: KIB, json: true, deflate: deflate !== false },
        async () => {
          await server.ask('collect');
          return memoryOf(server.pid);
        },
      );
      memory.set(name, { memory: (after - before) / IDLE / KIB });
      await server.stop();
    }
    return join(...parts, memory);
  },
};
