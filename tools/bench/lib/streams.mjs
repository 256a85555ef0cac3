// One connection, an echo, and many bytes: what they cost both processes, and how far their memory grows.
import { setTimeout as sleep } from 'node:timers/promises';
import { startMeasured } from './process.mjs';

/**
 * @typedef {import('./process.mjs').Setup} Setup
 * @typedef {import('../servers/control.mjs').Usage} Usage
 *
 * @typedef {object} StreamTask what both processes are told
 * @property {'ours' | 'ws'} library
 * @property {'stream' | 'messages' | 'duplex'} mode one message through streams; messages of `chunk` bytes; the same through createWebSocketStream
 * @property {number} bytes
 * @property {number} chunk that the client writes at a time
 * @property {'noise' | 'log'} content
 * @property {boolean | Record<string, unknown>} perMessageDeflate
 * @property {number} [pauseAt] bytes after which the client's reader stops
 * @property {number} [pauseMs] for so long (3000)
 * @property {number} [port]
 *
 * @typedef {object} PauseRecord
 * @property {number} ms that nobody read
 * @property {number} filled bytes that the writer could still write after the reader had stopped
 * @property {number} stoppedAfterMs from which on it wrote nothing
 * @property {number} serverGrowth bytes by which the server's rss grew from there to the end of the pause
 * @property {number} clientGrowth
 *
 * @typedef {object} StreamSample
 * @property {number} seconds
 * @property {number} serverCpu seconds
 * @property {number} clientCpu seconds
 * @property {number} serverGrowth bytes; the highest rss during the run, less the rss before it
 * @property {number} clientGrowth
 * @property {number} messages that came back
 * @property {number} pieces in which they came
 * @property {PauseRecord} [pause]
 */

const SAMPLE_MS = 100;
/** Looks at which nothing more was written: then it has stopped. */
const STILL_LOOKS = 5;

/** @param {StreamTask} task @param {Setup} setup @param {number} deadlineMs @returns {Promise<StreamSample>} */
export async function measureStream(task, setup, deadlineMs = 300_000) {
  const server = await startMeasured('streams/server.mjs', [JSON.stringify(task)], setup);
  /** @type {import('./process.mjs').Measured | undefined} */
  let client;
  try {
    const command = JSON.stringify({ ...task, port: server.port });
    client = await startMeasured('streams/client.mjs', [command], setup, {}, setup.cores?.load);
    const before = await usages(server, client, 'collect');
    await usages(server, client, 'reset-peak');
    const startedAt = performance.now();
    client.child.send('start');
    let message = answered(await client.message(deadlineMs));
    /** @type {PauseRecord | undefined} */
    let pause;
    if (message.paused === true) {
      pause = await watchPause(server, client, message.generated, task.pauseMs);
      const rest = client.message(deadlineMs);
      client.child.send('go-on');
      message = answered(await rest);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await usages(server, client);
    return {
      seconds,
      serverCpu: (after.server.cpu - before.server.cpu) / 1e6,
      clientCpu: (after.client.cpu - before.client.cpu) / 1e6,
      serverGrowth: after.server.peakRss - before.server.rss,
      clientGrowth: after.client.peakRss - before.client.rss,
      messages: message.messages,
      pieces: message.pieces,
      ...(pause && { pause }),
    };
  } finally {
    await client?.stop();
    await server.stop();
  }
}

/** @param {any} message @returns {{ paused?: boolean, generated: number, messages: number, pieces: number }} */
function answered(message) {
  if (message.failed !== undefined) throw new Error(`client: ${message.failed}`);
  return message;
}

/** @param {import('./process.mjs').Measured} server @param {import('./process.mjs').Measured} client @param {'usage' | 'collect' | 'reset-peak'} [command] */
async function usages(server, client, command) {
  return { server: await server.usage(command), client: await client.usage(command) };
}

/** @param {import('./process.mjs').Measured} server @param {import('./process.mjs').Measured} client @param {number} generated when the reader stopped @param {number} [pauseMs] @returns {Promise<PauseRecord>} */
async function watchPause(server, client, generated, pauseMs = 3000) {
  const pausedAt = performance.now();
  let last = generated;
  let stoppedAt = pausedAt;
  let atStop = await usages(server, client);
  let stillFor = 0; // looks, both processes having had their turn before each
  while (performance.now() - pausedAt < pauseMs || stillFor < STILL_LOOKS) {
    await sleep(SAMPLE_MS);
    await server.usage();
    const progress = answered(await client.ask('progress'));
    stillFor++;
    if (progress.generated === last) continue;
    stillFor = 0;
    last = progress.generated;
    stoppedAt = performance.now();
    atStop = await usages(server, client);
  }
  const after = await usages(server, client);
  return {
    ms: performance.now() - pausedAt,
    filled: last - generated,
    stoppedAfterMs: stoppedAt - pausedAt,
    serverGrowth: after.server.rss - atStop.server.rss,
    clientGrowth: after.client.rss - atStop.client.rss,
  };
}
