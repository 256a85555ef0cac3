// What a file in here exports, and the order of the files.

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {number} [per] so many of what is counted are in one call
 * @property {() => unknown} run may return a promise
 *
 * @typedef {readonly Case[]} Cases
 */

export const FILES = ['masking', 'parsing', 'serializing', 'utf8', 'handshake', 'delivery', 'limits'];
