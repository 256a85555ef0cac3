// The two sizes of a run: hours of a server's life in minutes, and in seconds.

/** @typedef {import('./scenario.mjs').Settings} Settings */

/** @param {number} connections @param {number} seed @param {boolean} [corrupt] @returns {Settings} */
export const longSettings = (connections, seed, corrupt = false) => ({
  seed,
  connections,
  corrupt,
  largest: 200 * 1024,
  furthest: 400_000,
  times: {
    interval: 10_000,
    timeout: 15_000,
    closeTimeout: 10_000,
    handshakeTimeout: 15_000,
    lifetime: 120_000,
    pause: 10_000,
    backOff: 3000,
  },
});

/** @param {number} connections @param {number} seed @param {boolean} [corrupt] @returns {Settings} */
export const shortSettings = (connections, seed, corrupt = false) => ({
  seed,
  connections,
  corrupt,
  largest: 200 * 1024,
  furthest: 100_000,
  times: {
    interval: 700,
    timeout: 1500,
    closeTimeout: 1500,
    handshakeTimeout: 1500,
    lifetime: 4000,
    pause: 100,
    backOff: 300,
  },
});
