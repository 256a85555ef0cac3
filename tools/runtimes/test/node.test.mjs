import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { expectedDeflate } from '../src/deflate-smoke.mjs';
import { fetchRuntime, notice } from '../src/hosts.mjs';
import { expectedFrame, expectedHandshake, expectedNegotiation, expectedProtocol } from '../src/portable/expected.mjs';
import { expectedWebsocket } from '../src/websocket-smoke.mjs';

const expected = {
  frame: expectedFrame,
  handshake: expectedHandshake,
  negotiation: expectedNegotiation,
  protocol: expectedProtocol,
  websocket: expectedWebsocket,
  deflate: expectedDeflate(true),
};

test('Node: a worker thread', async () => {
  const worker = new Worker(new URL('../src/worker-thread.mjs', import.meta.url));
  const [[message], exit] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  expect(JSON.parse(message)).toEqual(expected);
  expect(exit).toEqual([0]);
});

// Each line of releases has its own inside of zlib.
const NAMES = /** @type {const} */ (['node20', 'node22', 'node24', 'node26']);
const RELEASES = await Promise.all(NAMES.map(async (name) => ({ name, runtime: await fetchRuntime(name) })));

describe.each(RELEASES)('$name', ({ name, runtime }) => {
  if (runtime.run === undefined) notice(`${name} is missing: ${runtime.missing}; 1 test was skipped`);

  // Without the runtime there is nothing to test; the notice says so.
  (runtime.run === undefined ? test.skip : test)(
    'everything, permessage-deflate on the fast path and without it',
    async () => {
      const output = await runtime.run?.(['src/main.mjs']);
      expect(JSON.parse(output ?? '')).toEqual(expected);
    },
    60_000,
  );
});
