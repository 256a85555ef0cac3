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
    interval: 5000,
    timeout: 5000,
    closeTimeout: 5000,
    handshakeTimeout: 5000,
    lifetime: 60_000,
    pause: 8000,
    backOff: 1500,
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
