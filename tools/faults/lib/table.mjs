// What a run was, as text.

/** @typedef {import('./exchange.mjs').Outcome} Outcome */
/** @typedef {import('./verdict.mjs').EndRecord} EndRecord */

/** One row for each fault and direction: how often it happened, and how the ends were told. @param {Outcome} outcome */
export function summary({ connections }) {
  /** @type {Map<string, { connections: number, fired: number, inHandshake: number, acknowledged: number, client: Map<string, number>, server: Map<string, number> }>} */
  const rows = new Map();
  for (const { client, server, proxy } of connections) {
    const kind = proxy === undefined ? 'none' : proxy.kind;
    const name = kind === 'none' || proxy?.firedAt === undefined ? 'none' : `${kind} ${proxy.direction}`;
    const row = rows.get(name) ?? {
      connections: 0,
      fired: 0,
      inHandshake: 0,
      acknowledged: 0,
      client: new Map(),
      server: new Map(),
    };
    rows.set(name, row);
    row.connections++;
    if (proxy?.firedAt !== undefined) row.fired++;
    if (client?.isOpened === false) row.inHandshake++;
    row.acknowledged += client?.received ?? 0;
    countEnd(row.client, client);
    countEnd(row.server, server);
  }
  return rows;
}

/** @param {Map<string, number>} ends @param {EndRecord | undefined} end */
function countEnd(ends, end) {
  const name = end?.closed?.initiator ?? 'none';
  ends.set(name, (ends.get(name) ?? 0) + 1);
}

/** @param {Map<string, number>} ends */
const listed = (ends) =>
  [...ends]
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** @param {Outcome} outcome @returns {string} */
export function describe(outcome) {
  const rows = [...summary(outcome)].sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = [['fault', 'connections', 'not opened', 'acknowledged', "client's initiator", "server's initiator"]];
  for (const [name, row] of rows)
    lines.push([
      name,
      `${row.connections}`,
      `${row.inHandshake}`,
      `${row.acknowledged}`,
      listed(row.client),
      listed(row.server),
    ]);
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const table = lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
  return `${table}\n\n${totals(outcome)}`;
}

/** @param {Outcome} outcome */
function totals({ connections, footing, excused, stalledMs }) {
  let acknowledged = 0;
  let bytes = 0;
  let changed = 0;
  let caught = 0;
  const late = { 'half-open': 0, 'black-hole': 0 };
  for (const { client, server, proxy } of connections) {
    acknowledged += client?.received ?? 0;
    bytes += (client?.stats.bytesReceived ?? 0) + (client?.stats.bytesSent ?? 0);
    if (proxy !== undefined && proxy.changed > 0) {
      changed++;
      if (client?.isDamaged || server?.isDamaged) caught++;
    }
    for (const end of [client, server]) {
      if (
        (proxy?.kind === 'half-open' || proxy?.kind === 'black-hole') &&
        proxy.firedAt !== undefined &&
        end?.closed?.error === 'WS_ERR_HEARTBEAT_TIMEOUT'
      )
        late[proxy.kind] = Math.max(late[proxy.kind], end.closed.at - proxy.firedAt);
    }
  }
  const MIB = 2 ** 20;
  const grown = (/** @type {'client' | 'server'} */ name) =>
    ((footing[name].after.heap - footing[name].before.heap) / MIB).toFixed(2);
  const held = (/** @type {'client' | 'server'} */ name) =>
    `${footing[name].after.sockets} sockets left, ${JSON.stringify(footing[name].after.resources)} for ${JSON.stringify(footing[name].before.resources)}`;
  return [
    `${connections.length} connections, ${acknowledged} messages acknowledged, ${(bytes / MIB).toFixed(0)} MiB on the clients' side`,
    `noticed by the heartbeat at the latest after: half-open ${late['half-open']} ms, black hole ${late['black-hole']} ms`,
    ...(changed > 0
      ? [
          `${changed} connections with changed bytes; of ${caught} a checksum told, the others the protocol, or they changed nothing that counts`,
        ]
      : []),
    `heap: client ${grown('client')} MiB more, server ${grown('server')} MiB more; ${held('client')}; ${held('server')}`,
    `longest stall of a process ${stalledMs} ms, connections it excuses: ${excused}`,
  ].join('\n');
}
