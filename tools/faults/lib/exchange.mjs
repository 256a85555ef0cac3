// One run: a server, the proxy and the clients, each a process of its own; what they tell is collected, judged and added up.
import { Peer } from './peer.mjs';
import { WARM_UP_FROM } from './scenario.mjs';
import { judge } from './verdict.mjs';

/** @typedef {import('./scenario.mjs').Settings} Settings */
/** @typedef {import('./verdict.mjs').Connection} Connection */
/** @typedef {import('./verdict.mjs').Stalls} Stalls */
/** @typedef {import('./leaks.mjs').Footing} Footing */
/** @typedef {import('./sabotage.mjs').Sabotage} Sabotage */

/** @typedef {{ settings: Settings, seconds: number, warmUpSeconds: number, sabotage?: Sabotage | undefined, onProgress?: ((text: string) => void) | undefined }} Task */

/**
 * @typedef {object} Outcome
 * @property {string[]} violations
 * @property {number} excused connections that ended because a process stood still
 * @property {Connection[]} connections without those of the warm-up
 * @property {Record<'client' | 'server', { before: Footing, after: Footing }>} footing
 * @property {number} stalledMs longest time in which a process stood still
 */

/** Heap that may be more behind a run than before it, of code and of tables that have grown: for so many connections that came and went a leak would be far more. */
const HEAP_MOST = 6 * 2 ** 20;
const ENOUGH_VIOLATIONS = 1000;

/** @param {Task} task @returns {Promise<Outcome>} */
export async function exchange({ settings, seconds, warmUpSeconds, sabotage, onProgress = () => undefined }) {
  const server = new Peer('server');
  const proxy = new Peer('proxy');
  const client = new Peer('client');
  try {
    /** @type {Map<number, Connection>} */
    const connections = new Map();
    collect(connections, server, proxy, client);
    const serverPort = (await server.ask({ type: 'start', settings, sabotage }, 'ready')).port;
    const { port } = await proxy.ask({ type: 'start', settings, port: serverPort }, 'ready');
    const run = { type: 'traffic', settings, port };
    /** @type {string[]} */
    const violations = [];
    const settleMs = longestEnd(settings);
    /** Until there is nothing open at either end. @param {number} most ms */
    const drain = async (most) => {
      const late = await client.ask({ type: 'stop' }, 'idle', most).then(
        () => false,
        () => true,
      );
      const left = late ? (await client.ask({ type: 'report' }, 'report')).open : 0;
      if (left > 0) violations.push(`${left} connections of the client did not end within ${most} ms`);
      const open = await emptied(server, most);
      if (open > 0) violations.push(`${open} connections of the server did not end within ${most} ms`);
    };

    client.send({ ...run, connections: Math.min(100, settings.connections), firstId: WARM_UP_FROM });
    await later(warmUpSeconds * 1000);
    await drain(settleMs);
    const before = {
      client: (await client.ask({ type: 'footing' }, 'footing')).footing,
      server: (await server.ask({ type: 'footing' }, 'footing')).footing,
    };

    client.send({ ...run, connections: settings.connections, firstId: 0 });
    for (let left = seconds; left > 0; left -= 10) {
      await later(Math.min(left, 10) * 1000);
      onProgress(`${Math.round(seconds - left + Math.min(left, 10))} s: ${connections.size} connections`);
    }
    await drain(settleMs);
    const reports = {
      client: await client.ask({ type: 'report' }, 'report'),
      server: await server.ask({ type: 'report' }, 'report'),
      proxy: await proxy.ask({ type: 'report' }, 'report'),
    };
    const after = {
      client: (await client.ask({ type: 'footing' }, 'footing')).footing,
      server: (await server.ask({ type: 'footing' }, 'footing')).footing,
    };
    const footing = {
      client: { before: before.client, after: after.client },
      server: { before: before.server, after: after.server },
    };
    const stalls = { client: reports.client.stalls, server: reports.server.stalls, proxy: reports.proxy.stalls };
    let excused = 0;
    for (const connection of connections.values()) {
      const verdict = judge(connection, settings, stalls);
      if (verdict.excused) excused++;
      violations.push(...verdict.violations.map((text) => `#${connection.id} ${describeFault(connection)}: ${text}`));
      if (violations.length > ENOUGH_VIOLATIONS) break;
    }
    violations.push(...leaks(footing), ...disagreements(reports.server, connections));
    return {
      violations,
      excused,
      connections: [...connections.values()].filter(({ id }) => id < WARM_UP_FROM),
      footing,
      stalledMs: Math.max(
        0,
        ...Object.values(stalls).flatMap((list) => list.map((/** @type {{ ms: number }} */ { ms }) => ms)),
      ),
    };
  } finally {
    await Promise.all([client.stop(), proxy.stop(), server.stop()]);
  }
}

/** @param {number} ms */
const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** @param {Map<number, Connection>} connections @param {Peer} server @param {Peer} proxy @param {Peer} client */
function collect(connections, server, proxy, client) {
  /** @param {number} id @returns {Connection} */
  const of = (id) => {
    const known = connections.get(id) ?? { id };
    connections.set(id, known);
    return known;
  };
  server.on('server', ({ record }) => (of(record.id).server = record));
  client.on('client', ({ record }) => (of(record.id).client = record));
  proxy.on('proxied', ({ record }) => (of(record.id).proxy = record));
}

/** After that long the last end must have been noticed, one thing behind the other. @param {Settings} settings */
function longestEnd({ times: { interval, timeout, closeTimeout, handshakeTimeout } }) {
  return 1.5 * (interval + timeout + closeTimeout + handshakeTimeout) + 5000;
}

/** @param {Peer} server @param {number} most ms @returns {Promise<number>} connections left */
async function emptied(server, most) {
  for (let waited = 0; ; waited += 50) {
    const { open } = await server.ask({ type: 'report' }, 'report');
    if (open === 0 || waited >= most) return open;
    await later(50);
  }
}

/** @param {Outcome['footing']} footing */
function leaks(footing) {
  /** @type {string[]} */
  const found = [];
  for (const [name, { before, after }] of Object.entries(footing)) {
    if (after.sockets > 0) found.push(`${name}: ${after.sockets} sockets were not collected`);
    const grown = after.heap - before.heap;
    if (grown > HEAP_MOST) found.push(`${name}: the heap has grown by ${grown} bytes`);
    for (const [resource, count] of Object.entries(after.resources)) {
      const had = before.resources[resource] ?? 0;
      if (count > had) found.push(`${name}: ${count} ${resource}, before ${had}`);
    }
  }
  return found;
}

/** What the server's own metrics say, and what was counted beside them. @param {any} report @param {Map<number, Connection>} connections */
function disagreements({ metrics, accepted, totals, closed, open }, connections) {
  /** @type {string[]} */
  const found = [];
  /** @param {string} what @param {unknown} told @param {unknown} counted */
  const compare = (what, told, counted) => {
    if (JSON.stringify(told) !== JSON.stringify(counted))
      found.push(`metrics: ${what} is ${JSON.stringify(told)}, counted ${JSON.stringify(counted)}`);
  };
  compare('accepted', metrics.accepted, accepted);
  compare('connections', metrics.connections, open);
  compare('pending', metrics.pending, 0);
  compare('bytesQueued', metrics.bytesQueued, 0);
  for (const [name, value] of Object.entries(totals)) compare(name, metrics[name], value);
  compare('closed', sorted(metrics.closed), sorted(closed));
  let seen = 0;
  for (const { server } of connections.values()) seen += server?.seen ?? 0;
  if (seen > totals.messagesReceived)
    found.push(`the sockets counted ${totals.messagesReceived} messages received, the test ${seen}`);
  return found;
}

/** @param {Record<string, Record<string, number>>} closed */
const sorted = (closed) =>
  Object.entries(closed)
    .flatMap(([initiator, codes]) => Object.entries(codes).map(([code, count]) => `${initiator} ${code}: ${count}`))
    .sort();

/** @param {Connection} connection */
function describeFault({ proxy }) {
  if (proxy === undefined) return 'never at the proxy';
  return `${proxy.kind} ${proxy.direction}${proxy.firedAt === undefined ? ', not reached' : ''}, ${proxy.up} up, ${proxy.down} down`;
}
