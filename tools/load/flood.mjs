// A flood of handshakes against a server of its own: who gets an answer, and what those feel who are connected already.
// Usage: node flood.mjs [--seconds 30] [--rates 2000,5000] [--server defaults,limited] [--profile FOLDER]
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { compileFlood, flood, missingForFlood } from './lib/flood.mjs';

const missing = missingForFlood();
if (missing !== undefined) {
  console.error(`The flood needs ${missing}.`);
  process.exit(2);
}

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    rates: { type: 'string', default: '2000,5000' },
    server: { type: 'string', default: 'defaults,limited' },
    profile: { type: 'string' },
  },
});

/** @type {Readonly<Record<string, object>>} */
const SERVERS = {
  defaults: {},
  limited: { maxConnections: 1000, rateLimit: { handshakes: { rate: 10, burst: 100 } } },
};
const ADDRESSES = 16;
const CONNECTIONS = 100;
const MESSAGES = 500;

const program = compileFlood();
const seconds = Number(values.seconds);
console.log(
  `${CONNECTIONS} connections with ${MESSAGES} echoes a second; handshakes from ${ADDRESSES} addresses for ${seconds} s`,
);
for (const name of values.server.split(',')) {
  const options = SERVERS[name];
  if (options === undefined) throw new RangeError(`--server is ${name}, expected ${Object.keys(SERVERS).join(' or ')}`);
  console.log(`\n${name}: ${JSON.stringify(options)}`);
  const rows = [];
  for (const rate of values.rates.split(',').map(Number)) {
    const load = loadavg()[0]?.toFixed(1);
    const numbers = { rate, seconds, addresses: ADDRESSES, connections: CONNECTIONS, messages: MESSAGES };
    const { attempts, echo, server } = await flood({ ...numbers, options, profile: values.profile }, program);
    const { accepted, refused, other, cut, neverAnswered, skipped } = attempts;
    rows.push({
      'attempts/s': Math.round(attempts.attempts / attempts.seconds),
      101: accepted,
      'refused politely': refused,
      'other answer': other,
      cut: cut,
      'never answered': neverAnswered,
      skipped,
      'answer p99 ms': attempts.p99,
      'echo p50 ms': echo.p50,
      'echo p99 ms': echo.p99,
      'echo max ms': echo.max,
      'echoes lost': echo.lost,
      'CPU s': Number(server.cpuSeconds.toFixed(1)),
      'load before': load,
    });
  }
  console.table(rows);
}
