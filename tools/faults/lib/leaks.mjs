// What a process holds, and how long it did nothing. In the processes themselves.

const TICK_MS = 50;
/** Less is what any process waits for a processor. */
const LATE_MS = 10;

/** @typedef {{ at: number, ms: number }} Stall a time in which the event loop stood still; `at` is its end */

/** Watches the event loop. @returns {Stall[]} a list that grows, in order */
export function watchStalls() {
  /** @type {Stall[]} */
  const stalls = [];
  let last = Date.now();
  setInterval(() => {
    const now = Date.now();
    if (now - last > TICK_MS + LATE_MS) stalls.push({ at: now, ms: now - last - TICK_MS });
    last = now;
  }, TICK_MS).unref();
  return stalls;
}

/** Sockets that are not collected. */
export class Held {
  /** All that were ever there. */
  made = 0;
  #collected = 0;
  /** @type {FinalizationRegistry<undefined>} */
  #registry = new FinalizationRegistry(() => this.#collected++);

  /** @param {object} socket */
  add(socket) {
    this.made++;
    this.#registry.register(socket, undefined);
  }

  get left() {
    return this.made - this.#collected;
  }
}

/** @typedef {{ heap: number, sockets: number, resources: Record<string, number> }} Footing what a process stands on; heap in bytes, external memory included */

/** After a garbage collection that has taken all it can. @param {Held} held @returns {Promise<Footing>} */
export async function footing(held) {
  const collect = globalThis.gc;
  if (collect === undefined) throw new Error('the process needs --expose-gc');
  for (let round = 0; round < 6; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20)); // finalizers, and handles that close
  }
  const { heapUsed, external } = process.memoryUsage();
  /** @type {Record<string, number>} */
  const resources = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return { heap: heapUsed + external, sockets: held.left, resources };
}
