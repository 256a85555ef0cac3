// What every victim answers over its channel: questions are `{ id, ask, told }`, answers `{ id, value }` or `{ id, failed }`.

/** @typedef {(told: any) => unknown} Answer */

/** @type {Record<string, Answer>} */
const ALWAYS = {
  /** Bytes: what is kept after a collection, and the most that the process ever had of the machine. */
  memory() {
    globalThis.gc?.();
    globalThis.gc?.();
    const { rss, heapUsed, external } = process.memoryUsage();
    return { rss, peak: process.resourceUsage().maxRSS * 1024, kept: heapUsed + external };
  },
  /** µs that the processor has worked for this process. */
  cpu() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  /** Work as it must not be: with the square of the length. What measures has to notice it. */
  square(/** @type {number} */ length) {
    let found = 0;
    for (let i = 0; i < length; i += 16) for (let j = 0; j < length; j += 16) found += (i ^ j) & 1;
    return found;
  },
};

/** @param {Record<string, Answer>} answers */
export function answer(answers) {
  const all = new Map(Object.entries({ ...ALWAYS, ...answers }));
  process.on('message', (/** @type {{ id: number, ask: string, told: unknown }} */ { id, ask, told }) => {
    void Promise.resolve()
      .then(() => {
        const act = all.get(ask);
        if (act === undefined) throw new RangeError(`nobody answers ${ask}`);
        return act(told);
      })
      .then(
        (value) => process.send?.({ id, value }),
        (error) => process.send?.({ id, failed: String(error?.stack ?? error) }),
      );
  });
  process.on('disconnect', () => process.exit());
}

/**
 * How a connection ended, as far as it can be told in JSON.
 * @param {import('@ws/connection').CloseInfo} info
 */
export function ending({ code, reason, wasClean, initiator, sent, received, error }) {
  const errorCode = error === null ? null : (error.code ?? error.name);
  return { code, reason, wasClean, initiator, sent: sent?.code ?? null, received: received?.code ?? null, errorCode };
}
