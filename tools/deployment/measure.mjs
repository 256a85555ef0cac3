// The figures of docs/deployment.md: `node tools/deployment/measure.mjs TOPIC… [--write]`. README.md says what they mean.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from '../bench/lib/machine.mjs';
import { prepare } from './lib/load.mjs';
import { formatTable, insertTable } from './lib/table.mjs';
import { TOPICS } from './topics/index.mjs';

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
  if (values.help || positionals.length === 0) console.log(USAGE);
  else await measure(positionals.map((name) => [name, topicOf(name)]));
} catch (error) {
  console.error(`measure: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

/** @param {string} name */
function topicOf(name) {
  const topic = TOPICS[name];
  if (topic === undefined) throw new RangeError(`no topic ${name}\n${USAGE}`);
  return topic;
}

/** @param {readonly [name: string, topic: import('./topics/index.mjs').Topic][]} topics */
async function measure(topics) {
  const cores = prepare();
  const { node, cpu, cores: count, load } = describeMachine();
  console.log(`node ${node}, ${cpu}, ${count} cores, load average ${load}`);
  for (const [name, { place = name, title, columns, run }] of topics) {
    const table = formatTable(title, columns, await run(cores, values.quick));
    console.log(`\n${name}\n\n${table}`);
    if (values.write) writeFileSync(PAGE, insertTable(readFileSync(PAGE, 'utf8'), place, table));
  }
}
