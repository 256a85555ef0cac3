// The figures of docs/deployment.md: `node tools/deployment/measure.mjs TOPIC… [--write]`. README.md says what they mean.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from '../bench/lib/machine.mjs';
import { prepare } from './lib/load.mjs';
import { formatTable, insertTable } from './lib/table.mjs';
import allocator from './topics/allocator.mjs';
import compression from './topics/compression.mjs';
import limits from './topics/limits.mjs';
import processes from './topics/processes.mjs';
import proxies from './topics/proxies.mjs';
import tls from './topics/tls.mjs';
import tlsHandshakes from './topics/tls-handshakes.mjs';

const TOPICS = { allocator, processes, tls, 'tls-handshakes': tlsHandshakes, compression, proxies, limits };
const PAGE = new URL('../../docs/deployment.md', import.meta.url);
const USAGE = `usage: node tools/deployment/measure.mjs TOPIC… [--write]
  topics: ${Object.keys(TOPICS).join(', ')}; each takes a minute or two and wants the machine for itself
  --quick  only to see that it works
  --write  puts the tables into docs/deployment.md`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

try {
  const unknown = positionals.find((name) => !(name in TOPICS));
  if (unknown !== undefined) throw new RangeError(`no topic ${unknown}\n${USAGE}`);
  if (values.help || positionals.length === 0) console.log(USAGE);
  else await measure(/** @type {(keyof typeof TOPICS)[]} */ (positionals));
} catch (error) {
  console.error(`measure: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

/** @param {readonly (keyof typeof TOPICS)[]} names */
async function measure(names) {
  const cores = prepare();
  const { node, cpu, cores: count, load } = describeMachine();
  console.log(`node ${node}, ${cpu}, ${count} cores, load average ${load}`);
  for (const name of names) {
    const topic = TOPICS[name];
    const { title, columns, run } = topic;
    const place = 'place' in topic ? topic.place : name;
    const table = formatTable(title, columns, await run(cores, values.quick));
    console.log(`\n${name}\n\n${table}`);
    if (values.write) writeFileSync(PAGE, insertTable(readFileSync(PAGE, 'utf8'), place, table));
  }
}
