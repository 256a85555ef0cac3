// Runs all scenarios with our WebSocketStream; prints their lines as JSON. In a process of its own: in a test's realm, promises take more turns.
import { WebSocketError, WebSocketStream } from '@ws/client';
import { runScenario, SCENARIOS } from './scenarios.mjs';

const [base = ''] = process.argv.slice(2);
/** @type {Record<string, string[]>} */
const all = {};
for (const name of Object.keys(SCENARIOS)) {
  const url = (/** @type {string} */ path) =>
    `${base}${path}${path.includes('?') ? '&' : '?'}id=ours${encodeURIComponent(name)}`;
  all[name] = await runScenario(name, { WebSocketStream, WebSocketError, url });
}
console.log(JSON.stringify(all));
