#!/usr/bin/env node
// The demo in one process: a page, a chat room, an echo server and a bot. What `npm start` runs after the build.
// PORT picks the port (none: a free one), HOST the address to listen on (none: this machine only).
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** How long after a signal the process may still live, whatever its peers do. */
const EXIT_DEADLINE_MS = 4_000;

/**
 * Starts the demo and resolves once it listens and the bot is on its way into the room.
 * @param {import('./demo.mjs').DemoOptions} [options]
 * @returns {Promise<import('./demo.mjs').Demo>}
 */
export async function startDemo(options) {
  // Imported late: without a build there is no @ws/server to import, and that deserves a sentence of its own.
  const { openDemo } = await import('./demo.mjs');
  return openDemo(options);
}

/** A fault of the person at the keyboard; its message is all they need. */
class UsageError extends Error {}

/**
 * @param {string | undefined} text the PORT variable; unset or empty means a free port
 * @returns {number}
 */
export function parsePort(text) {
  if (text === undefined || text === '') return 0;
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) {
    throw new UsageError(`PORT is ${JSON.stringify(text)}, expected a whole number from 0 to 65535.`);
  }
  return port;
}

/**
 * @param {unknown} error
 * @param {number} port
 * @returns {string | undefined} a sentence for the faults a user can mend
 */
function explain(error, port) {
  if (error instanceof UsageError) return error.message;
  if (!(error instanceof Error)) return undefined;
  const { code = '' } = /** @type {NodeJS.ErrnoException} */ (error);
  if (code === 'EADDRINUSE') return `Port ${port} is in use. Choose another, or leave PORT unset for a free one.`;
  if (code === 'EACCES') return `Port ${port} needs more rights than this user has. Choose one from 1024 up.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `HOST is not an address of this machine: ${error.message}`;
  if (code.endsWith('MODULE_NOT_FOUND') && /@ws[\\/]|[\\/]dist[\\/]/.test(error.message)) {
    return 'The packages are not built yet. Run `npm start` at the top of the repository: it builds them first.';
  }
  return undefined;
}

async function main() {
  let port = 0;
  try {
    port = parsePort(process.env['PORT']);
    const demo = await startDemo({ port, host: process.env['HOST'] || undefined, log: console.error });
    // `npm start` hands on a Ctrl-C that the terminal has already sent, so a second signal is no impatience: ignored.
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.on(signal, stop);
    console.log(`@ws demo: ${demo.url}  (Ctrl-C stops it)`);

    function stop() {
      setTimeout(() => process.exit(0), EXIT_DEADLINE_MS).unref();
      demo.close().then(
        () => process.exit(0),
        (error) => {
          console.error(error);
          process.exit(1);
        },
      );
    }
  } catch (error) {
    const sentence = explain(error, port);
    console.error(sentence ?? error);
    process.exitCode = 1;
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
