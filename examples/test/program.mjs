import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WebSocket } from '@ws/client';

/** @type {(() => unknown)[]} */
const started = [];
export function stopAll() {
  for (const stop of started.splice(0)) stop();
}
export const stopLater = (/** @type {() => unknown} */ stop) => started.push(stop);

/**
 * An example in a process of its own.
 * @param {string} name
 * @param {Record<string, string>} env
 */
export async function start(name, env = {}) {
  const file = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(() => child.kill('SIGKILL'));
  const ended = once(child, 'close');
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  while (!output.includes('\n')) await once(child.stdout, 'data');
  return {
    /** The addresses of its first line. */
    urls: output.split('\n', 1)[0]?.split(' ') ?? [],
    pid: child.pid,
    kill: (/** @type {NodeJS.Signals} */ signal) => child.kill(signal),
    /** What it printed after that line, and its status. */
    ended: ended.then(([status]) => ({ status, lines: output.trim().split('\n').slice(1) })),
  };
}

/**
 * An open client, with what it gets.
 * @param {string} url
 * @param {import('@ws/client').ClientOptions} [options]
 */
export async function connect(url, options) {
  const client = new WebSocket(url, options);
  started.push(() => client.terminate());
  /** @type {string[]} */
  const messages = [];
  client.on('message', (data) => messages.push(String(data)));
  await once(client, 'open');
  return { client, messages };
}

/**
 * @param {WebSocket} client
 * @param {string} text
 */
export async function echo(client, text) {
  const answer = once(client, 'message');
  client.send(text);
  return String((await answer)[0]);
}
