// What happens to a connection and on it, by its number alone: three processes know it without telling each other.
import { Random } from './random.mjs';

/** @typedef {import('./messages.mjs').Direction} Direction */

/**
 * @typedef {object} Times what the run is made for, in ms
 * @property {number} interval of the heartbeat, at both ends
 * @property {number} timeout of the heartbeat
 * @property {number} closeTimeout
 * @property {number} handshakeTimeout
 * @property {number} lifetime longest, of a connection to which nothing happens
 * @property {number} pause mean, between two bursts of a connection
 * @property {number} backOff longest, between an end and the next attempt
 */

/**
 * @typedef {object} Settings
 * @property {number} seed
 * @property {number} connections open at a time
 * @property {boolean} corrupt bytes change on the way, and nothing else happens to them
 * @property {number} largest bytes of a message
 * @property {number} furthest bytes of a direction behind which a fault happens
 * @property {Times} times
 */

/**
 * @typedef {'none' | 'truncate' | 'fin' | 'reset' | 'half-open' | 'black-hole' | 'corrupt'} FaultKind
 * - `truncate`: both ends get a FIN, the receiver in the middle of whatever it is; the rest is lost
 * - `fin`: the receiver gets a FIN, the other direction goes on
 * - `reset`: both ends get an RST
 * - `half-open`: nothing is forwarded any more, in neither direction, and nothing is closed
 * - `black-hole`: nothing is forwarded any more in one direction, the other one goes on
 * - `corrupt`: some bytes arrive changed
 */

/**
 * @typedef {object} Fault
 * @property {FaultKind} kind
 * @property {Direction} direction the one whose bytes are counted, and that is hurt where one is
 * @property {number} at bytes of it that arrive
 * @property {boolean} swallow what is not forwarded is read all the same, so that the sender's writes succeed
 */

/**
 * @typedef {object} Pace how a direction is forwarded
 * @property {'plain' | 'splits' | 'latency' | 'bandwidth' | 'stall'} kind
 * @property {number} singles splits: bytes that go one by one, at first
 * @property {number} ms latency: the most that is added; stall: how long
 * @property {number} rate bandwidth: bytes a second
 * @property {number} at stall: bytes after which it happens
 */

/**
 * @typedef {object} Ending what the ends do by themselves, in the end
 * @property {'client' | 'server'} by
 * @property {'close' | 'terminate'} how
 * @property {number} code
 * @property {number} afterMs
 */

/** @typedef {'event' | 'loop' | 'stream'} Reading how messages are received */

/** Each in its turn, so that all of them happen in a short run too. @type {readonly (readonly [FaultKind, Direction])[]} */
const FAULTS = [
  ['none', 'up'],
  ['half-open', 'up'],
  ['reset', 'up'],
  ['fin', 'up'],
  ['black-hole', 'up'],
  ['truncate', 'up'],
  ['none', 'up'],
  ['half-open', 'down'],
  ['reset', 'down'],
  ['fin', 'down'],
  ['black-hole', 'down'],
  ['truncate', 'down'],
];
const CORRUPTIONS = /** @type {const} */ ([
  ['corrupt', 'up'],
  ['corrupt', 'down'],
]);
/** More than a request, or its answer, has. */
const HANDSHAKE_BYTES = 320;
const READINGS = /** @type {const} */ (['event', 'loop', 'stream']);
const PACES = /** @type {const} */ (['plain', 'splits', 'splits', 'latency', 'bandwidth', 'stall']);
const CODES = /** @type {const} */ ([1000, 1001, 3000, 4999]);
/** Streams of random numbers of one connection. */
const Purpose = { Fault: 11, Pace: 12, Ending: 13, Client: 14, Server: 15 };

/** @param {Settings} settings @param {number} id @returns {Fault} */
export function faultOf({ seed, corrupt, furthest }, id) {
  const random = new Random(seed, id, Purpose.Fault);
  const kinds = corrupt ? CORRUPTIONS : FAULTS;
  const [kind, direction] = kinds[(id + seed) % kinds.length] ?? ['none', 'up'];
  const at = random.chance(0.2) ? random.below(HANDSHAKE_BYTES) : random.logBetween(HANDSHAKE_BYTES, furthest);
  return { kind, direction, at: kind === 'none' ? Infinity : at, swallow: random.chance(0.5) };
}

/** @param {Settings} settings @param {number} id @param {Direction} direction @returns {Pace} */
export function paceOf({ seed, largest, furthest, times }, id, direction) {
  const random = new Random(seed, id, Purpose.Pace, direction === 'up' ? 1 : 2);
  const kind = random.pick(PACES);
  // Neither may look like a dead peer: what is slow or stands still has to be over well within the heartbeat's timeout.
  const ms =
    kind === 'stall' ? random.between(times.timeout / 10, times.timeout / 2) : random.logBetween(1, times.timeout / 20);
  const leastRate = (8 * largest * 1000) / times.timeout;
  return {
    kind,
    singles: random.chance(0.5) ? random.logBetween(100, 1500) : 0,
    ms,
    rate: random.logBetween(leastRate, 8 * leastRate),
    at: random.logBetween(1, furthest / 2),
  };
}

/** @param {Settings} settings @param {number} id @returns {Ending} */
export function endingOf({ seed, times }, id) {
  const random = new Random(seed, id, Purpose.Ending);
  return {
    by: random.pick(['client', 'client', 'server']),
    how: random.pick(['close', 'close', 'close', 'terminate']),
    code: random.pick(CODES),
    afterMs: random.logBetween(times.lifetime / 20, times.lifetime),
  };
}

/** @param {Settings} settings @param {number} id */
export function clientOf({ seed }, id) {
  const random = new Random(seed, id, Purpose.Client);
  const offer = random.pick(/** @type {const} */ (['none', 'plain', 'plain', 'no-takeover']));
  return {
    reading: random.pick(READINGS),
    perMessageDeflate: offer !== 'none' && { serverNoContextTakeover: offer === 'no-takeover', threshold: 256 },
    random,
  };
}

/** @param {Settings} settings @param {number} id @returns {Reading} */
export const serverReading = ({ seed }, id) => new Random(seed, id, Purpose.Server).pick(READINGS);

/** The numbers of which a warm-up makes use. */
export const WARM_UP_FROM = 2 ** 30;

/** The path says which connection it is, and whether that is true. @param {number} id */
export const pathOf = (id) => `/${id}/${check(id)}`;

/** @param {string} path */
export function idOf(path) {
  const [, id, sum] = path.split('/');
  return Number(sum) === check(Number(id)) ? Number(id) : undefined;
}

/** @param {number} id */
const check = (id) => new Random(id, 7).below(2 ** 31);
