// node run.mjs --connections 1000 --minutes 10 --seed 1: see README.md
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { exchange } from './lib/exchange.mjs';
import { SABOTAGES } from './lib/sabotage.mjs';
import { faultOf, paceOf } from './lib/scenario.mjs';
import { describe } from './lib/table.mjs';
import { longSettings, shortSettings } from './lib/times.mjs';

const USAGE = `usage: node run.mjs [options]
  --connections N   open at a time (1000)
  --minutes N       of traffic (10); --seconds N as well
  --seed N          of everything that is drawn (1)
  --short           times of the test: heartbeat, closing and lifetimes of seconds
  --corrupt         bytes are changed on the way, which has to be noticed
  --sabotage WHAT   the server does something wrong: ${SABOTAGES.join(', ')}
  --json FILE       every connection of the run, as its ends and the proxy told of it
  --show N          say what the plan for connection N is, and run nothing`;

const { values } = parseArgs({
  options: {
    connections: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '10' },
    seconds: { type: 'string' },
    seed: { type: 'string', default: '1' },
    short: { type: 'boolean', default: false },
    corrupt: { type: 'boolean', default: false },
    sabotage: { type: 'string' },
    json: { type: 'string' },
    show: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  const connections = Number(values.connections);
  const seconds = values.seconds === undefined ? 60 * Number(values.minutes) : Number(values.seconds);
  const sabotage = SABOTAGES.find((name) => name === values.sabotage);
  const settings = (values.short ? shortSettings : longSettings)(connections, Number(values.seed), values.corrupt);
  if (values.show !== undefined) {
    const id = Number(values.show);
    console.log({ fault: faultOf(settings, id), up: paceOf(settings, id, 'up'), down: paceOf(settings, id, 'down') });
  } else {
    const outcome = await exchange({
      settings,
      seconds,
      warmUpSeconds: values.short ? 2 : 10,
      sabotage,
      onProgress: (text) => console.error(text),
    });
    if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(outcome.connections));
    console.log(describe(outcome));
    for (const violation of outcome.violations.slice(0, 50)) console.log(`VIOLATION ${violation}`);
    console.log(
      outcome.violations.length === 0
        ? `no violation (seed ${settings.seed})`
        : `${outcome.violations.length} violations (seed ${settings.seed})`,
    );
    process.exitCode = outcome.violations.length === 0 ? 0 : 1;
  }
}
