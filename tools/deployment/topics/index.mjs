// All topics, in the order of the page.
import allocator from './allocator.mjs';
import compression from './compression.mjs';
import limits from './limits.mjs';
import processes from './processes.mjs';
import proxies from './proxies.mjs';
import tls from './tls.mjs';
import tlsHandshakes from './tls-handshakes.mjs';

/**
 * @typedef {object} Topic
 * @property {string} [place] on the page; its name if left out
 * @property {string} title of the first column
 * @property {readonly import('../lib/table.mjs').Column[]} columns
 * @property {(cores: { server: number | undefined, load: number | undefined }, quick?: boolean) => Promise<ReadonlyMap<string, import('../lib/rounds.mjs').Figures>>} run
 */

/** @type {Readonly<Record<string, Topic>>} */
export const TOPICS = { allocator, processes, tls, 'tls-handshakes': tlsHandshakes, compression, proxies, limits };
