// The peers of the matrix, each started when a cell first needs it.
import { startChromium } from './chromium.mjs';
import { undici, ws } from './ends.mjs';
import { startPython } from './python.mjs';

/** @typedef {import('./cells.mjs').PeerName} PeerName */
/** @typedef {import('./ends.mjs').End} End */

/** @type {Record<PeerName, () => Promise<End>>} */
const STARTERS = {
  ws: () => Promise.resolve(ws),
  python: startPython,
  undici: () => Promise.resolve(undici),
  chromium: startChromium,
};

export class Peers {
  /** @type {Map<PeerName, Promise<End>>} */
  #started = new Map();

  /** @param {PeerName} name @throws where the peer is not installed: how to install it */
  get(name) {
    const started = this.#started.get(name) ?? STARTERS[name]();
    this.#started.set(name, started);
    return started;
  }

  async close() {
    const ended = await Promise.allSettled(this.#started.values());
    for (const end of ended) if (end.status === 'fulfilled') await end.value.close?.();
  }
}
