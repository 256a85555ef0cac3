// The servers that a scenario is measured with: a library, and what it makes of permessage-deflate where that is on.

/**
 * @typedef {object} Variant
 * @property {string} label in the tables
 * @property {'ours' | 'ws' | 'net' | 'undici'} library
 * @property {false | Record<string, number | boolean>} deflate the option perMessageDeflate in the scenarios of that extension
 * @property {boolean} [baseline] of the checkout that `--baseline` names
 * @property {boolean} [native] ws with bufferutil
 * @property {boolean} [loop] broadcasts by an ordinary send to each, not with a prepared message
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
  ws: { label: 'npm ws', library: 'ws', deflate: { threshold: 0 } },
  'ws-bufferutil': { label: 'npm ws, bufferutil', library: 'ws', deflate: { threshold: 0 }, native: true },
  'ws-no-takeover': { label: 'npm ws, no takeover', library: 'ws', deflate: { threshold: 0, ...NO_TAKEOVER } },
  'ws-plain': { label: 'npm ws, no deflate', library: 'ws', deflate: false },
  undici: { label: 'undici', library: 'undici', deflate: false },
  net: { label: 'raw net', library: 'net', deflate: false },
};

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
