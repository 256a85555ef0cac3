// A broadcast to many of which a few have stopped reading: what it costs, what memory it takes, and what everybody got in the end.
import { startMeasured } from './process.mjs';

/**
 * @typedef {import('./process.mjs').Setup} Setup
 * @typedef {import('../slow/recipients.mjs').Received} Received
 *
 * @typedef {object} SlowTask what both processes are told
 * @property {'close' | 'drop-newest' | 'drop-oldest' | 'conflate'} policy
 * @property {number} limit bytes
 * @property {number} recipients
 * @property {number} stalled of them
 * @property {number} broadcasts
 * @property {number} size of a message, in bytes
 * @property {number} burst broadcasts in one turn of the event loop
 * @property {number} [keys] each message has one of so many
 * @property {number} [port]
 *
 * @typedef {object} SlowSample
 * @property {number} seconds until those that keep up had everything
 * @property {number} cpu of the server until then, in microseconds
 * @property {number} rssGrowth bytes; the highest rss until then, less the rss before the first broadcast
 * @property {number} heldGrowth bytes of heap and external memory more than before, after garbage collection, with the stalled still stalled
 * @property {readonly number[]} held what was buffered for each of the stalled
 * @property {{ sent: number, queued: number, dropped: number }} report summed over the broadcasts
 * @property {number} waits how often the broadcasts waited for somebody that keeps up
 * @property {readonly Received[]} received by the stalled
 * @property {readonly { dropped: number, bufferedAmount: number, ms: number }[]} recoveries
 * @property {readonly { code: number, initiator: string, bytesUnsent: number }[]} closings
 * @property {number} slowEvents
 * @property {readonly string[]} faults what is not as the policy says
 */

/** @param {SlowTask} task @param {Setup} setup @param {number} [deadlineMs] @returns {Promise<SlowSample>} */
export async function measureSlowConsumers(task, setup, deadlineMs = 300_000) {
  const server = await startMeasured('slow/server.mjs', [JSON.stringify(task)], setup);
  /** @type {import('./process.mjs').Measured | undefined} */
  let recipients;
  try {
    const command = JSON.stringify({ ...task, port: server.port });
    recipients = await startMeasured('slow/recipients.mjs', [command], setup, {}, setup.cores?.load);
    if (task.stalled > 0) await server.ask('fill', deadlineMs);
    const before = await server.usage('collect');
    await server.usage('reset-peak');
    const startedAt = performance.now();
    const delivered = answered(recipients.message(deadlineMs));
    delivered.catch(() => undefined); // waited for below
    const { held, waits, ...report } = await server.ask('broadcast', deadlineMs);
    await delivered;
    const seconds = (performance.now() - startedAt) / 1000;
    const after = await server.usage();
    const collected = await server.usage('collect');
    const ended = answered(recipients.message(deadlineMs));
    ended.catch(() => undefined); // waited for below
    recipients.child.send('read');
    await server.ask('mark', deadlineMs);
    const { received } = await ended;
    const { recoveries, closings, slowEvents, healthyCloses } = await server.ask('outcome');
    const sample = {
      seconds,
      cpu: after.cpu - before.cpu,
      rssGrowth: after.peakRss - before.rss,
      heldGrowth: collected.heapUsed + collected.external - before.heapUsed - before.external,
      held,
      report,
      waits,
      received,
      recoveries,
      closings,
      slowEvents,
    };
    const lost = healthyCloses === 0 ? [] : [`${healthyCloses} of those that keep up were closed`];
    return { ...sample, faults: [...lost, ...faultsOf(task, sample)] };
  } finally {
    await recipients?.stop();
    await server.stop();
  }
}

/** @param {Promise<any>} message */
async function answered(message) {
  const answer = await message;
  if (answer.failed !== undefined) throw new Error(`recipients: ${answer.failed}`);
  return answer;
}

/** What is kept beside the payload, and may be above the limit: the newest message, headers, what the stream holds itself. */
const SLACK = 4096;

/** @param {SlowTask} task @param {Omit<SlowSample, 'faults'>} sample @returns {string[]} */
function faultsOf(task, { held, received, recoveries, closings, slowEvents, report }) {
  const { policy, limit, stalled, broadcasts, recipients } = task;
  /** @type {string[]} */
  const faults = [];
  /** @param {boolean} holds @param {string} what */
  const expect = (holds, what) => {
    if (!holds) faults.push(what);
  };
  const healthy = (recipients - stalled) * broadcasts;
  expect(
    report.sent + report.queued >= healthy,
    `${report.sent} + ${report.queued} counted, ${healthy} were to get all`,
  );
  expect(slowEvents === stalled, `${slowEvents} times 'slow' for ${stalled} that are`);
  expect(
    held.every((bytes) => bytes <= limit + SLACK),
    `${Math.max(...held)} bytes held, limit ${limit}`,
  );
  for (const [index, one] of received.entries()) {
    const ranges = one.runs.slice(0, 5).map(([first, last]) => `${first}-${last}`);
    const which = `stalled ${index} got ${one.count} (${ranges.join(', ')}${one.runs.length > 5 ? ', …' : ''}), then ${one.ending}`;
    expect(keepsPolicy(task, one), which);
    expect(policy === 'close' ? one.ending !== 'marker' : one.ending === 'marker', which);
  }
  if (policy === 'close') {
    const all = closings.filter(({ initiator }) => initiator === 'limit');
    expect(all.length === stalled, `${all.length} of ${stalled} were closed by the limit`);
    expect(recoveries.length === 0, `${recoveries.length} of those that were closed 'recovered'`);
  } else {
    expect(closings.length === 0, `${closings.length} stalled ones were closed`);
    const left = recoveries.reduce((sum, { dropped }) => sum + dropped, 0);
    const missing = stalled * broadcasts - received.reduce((sum, { count }) => sum + count, 0);
    expect(recoveries.length === stalled, `${recoveries.length} of ${stalled} recovered`);
    expect(left === missing, `'recovered' said ${left} left out, ${missing} are missing`);
    if (policy === 'drop-newest')
      expect(report.dropped === missing, `${report.dropped} counted as dropped, ${missing} are missing`);
  }
  return faults;
}

/** @param {SlowTask} task @param {Received} received */
function keepsPolicy({ policy, broadcasts, keys = 0 }, { runs, count }) {
  const [prefix, ...rest] = runs;
  if (policy === 'close' && prefix === undefined) return true; // the kernel had taken nothing of them
  if (prefix === undefined || prefix[0] !== 0 || count === broadcasts) return false;
  if (policy === 'close' || policy === 'drop-newest') return rest.length === 0;
  if (policy === 'drop-oldest') return rest.length === 1 && rest[0]?.[1] === broadcasts - 1;
  // The newest of each key, whatever their order: each took the place of an older one.
  const newest = rest.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index));
  const distinct = new Set(newest);
  return (
    distinct.size === newest.length && newest.length === keys && newest.every((number) => number >= broadcasts - keys)
  );
}
