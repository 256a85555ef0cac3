import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from '@jest/globals';
import { expectedFrame, expectedHandshake, expectedProtocol } from '../src/portable/expected.mjs';
import { expectedWebsocket } from '../src/websocket-smoke.mjs';

test('Node: a worker thread', async () => {
  const worker = new Worker(new URL('../src/worker-thread.mjs', import.meta.url));
  const [[message], exit] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
  expect(JSON.parse(message)).toEqual({
    frame: expectedFrame,
    handshake: expectedHandshake,
    protocol: expectedProtocol,
    websocket: expectedWebsocket,
  });
  expect(exit).toEqual([0]);
});
