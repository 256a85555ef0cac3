// The servers and clients that a scenario is measured with: a library, and how it is set up.

/**
 * @typedef {'ours' | 'ws' | 'websocket' | 'faye-websocket' | 'nodejs-websocket' | 'compat-ws' | 'compat-nodejs-websocket' | 'undici' | 'bun' | 'net'} Library a script in servers/ or clients/
 *
 * @typedef {object} Variant
 * @property {string} label in the tables
 * @property {Library} library
 * @property {false | Record<string, number | boolean>} deflate the option perMessageDeflate in the scenarios of that extension
 * @property {boolean} [native] ws with bufferutil, which masks in C
 * @property {boolean} [baseline] of the checkout that `--baseline` names
 * @property {boolean} [loop] broadcasts by an ordinary send to each
 */

const TAKEOVER = { serverNoContextTakeover: false, clientNoContextTakeover: false };
const NO_TAKEOVER = { serverNoContextTakeover: true, clientNoContextTakeover: true };

/** @type {Readonly<Record<string, Variant>>} */
export const VARIANTS = {
  ours: { label: '@ws', library: 'ours', deflate: { threshold: 0 } },
  'ours-public': { label: '@ws, public zlib calls', library: 'ours', deflate: { threshold: 0, fastPath: false } },
  'ours-takeover': { label: '@ws, takeover', library: 'ours', deflate: { threshold: 0, ...TAKEOVER } },
  'ours-loop': { label: '@ws, plain loop', library: 'ours', deflate: { threshold: 0 }, loop: true },
  'ours-plain': { label: '@ws, no deflate', library: 'ours', deflate: false },
  baseline: { label: '@ws, baseline', library: 'ours', deflate: { threshold: 0 }, baseline: true },
  'baseline-plain': { label: '@ws, baseline, no deflate', library: 'ours', deflate: false, baseline: true },
  'ws-native': { label: 'ws + bufferutil', library: 'ws', deflate: { threshold: 0 }, native: true },
  ws: { label: 'ws', library: 'ws', deflate: { threshold: 0 } },
  'ws-no-takeover': { label: 'ws, no takeover', library: 'ws', deflate: { threshold: 0, ...NO_TAKEOVER } },
  'ws-plain': { label: 'ws, no deflate', library: 'ws', deflate: false },
  websocket: { label: 'websocket', library: 'websocket', deflate: false },
  'faye-websocket': { label: 'faye-websocket', library: 'faye-websocket', deflate: false },
  'nodejs-websocket': { label: 'nodejs-websocket', library: 'nodejs-websocket', deflate: false },
  'compat-ws': { label: '@ws/compat/ws', library: 'compat-ws', deflate: { threshold: 0 } },
  'compat-nodejs-websocket': {
    label: '@ws/compat/nodejs-websocket',
    library: 'compat-nodejs-websocket',
    deflate: false,
  },
  bun: { label: 'Bun', library: 'bun', deflate: false },
  undici: { label: 'undici', library: 'undici', deflate: false },
  net: { label: 'raw net', library: 'net', deflate: false },
};

/** Servers that give back what they get, in the order of the tables. */
export const ECHOING = [
  'ours',
  'baseline',
  'ws-native',
  'ws',
  'websocket',
  'faye-websocket',
  'nodejs-websocket',
  'compat-ws',
  'compat-nodejs-websocket',
  'bun',
  'net',
];

/** Which server of the baseline stands beside this one. @param {string} name */
export const baselineOf = (name) =>
  name === 'ours' ? 'baseline' : name === 'ours-plain' ? 'baseline-plain' : undefined;

/** @param {string} name */
export function variantOf(name) {
  const variant = VARIANTS[name];
  if (variant === undefined)
    throw new RangeError(`no server ${name}, expected one of ${Object.keys(VARIANTS).join(', ')}`);
  return variant;
}
