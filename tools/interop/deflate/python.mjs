// Debian's python3-websockets in both roles: one process for all cells, see peer.py.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { IN_FLIGHT } from './conversation.mjs';
import { packHead } from './ends.mjs';

/** The first Python that has `websockets`: Debian's need not be the first on the PATH. */
function findPython() {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin'];
  const candidates = [...new Set(directories)].map((directory) => join(directory, 'python3'));
  return candidates.find((python) => spawnSync(python, ['-c', 'import websockets'], { stdio: 'ignore' }).status === 0);
}

/** @typedef {{ id: number, port?: number, result?: any }} Answer */

/** @returns {Promise<import('./ends.mjs').End>} @throws where there is no Python with websockets */
export async function startPython() {
  const python = findPython();
  if (python === undefined) throw new Error('python3-websockets is missing: apt-get install python3-websockets');
  // Later versions of websockets would take a proxy from the environment.
  const child = spawn(python, [fileURLToPath(new URL('peer.py', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PYTHONDONTWRITEBYTECODE: '1' },
  });
  const exit = once(child, 'exit');
  const folder = await mkdtemp(join(tmpdir(), 'interop-deflate-'));
  /** @type {Map<number, { answer(answer: Answer): void, fail(error: Error): void }>} */
  const waiting = new Map();
  let lastId = 0;
  let files = 0;

  createInterface({ input: child.stdout }).on('line', (line) => {
    const answer = /** @type {Answer} */ (JSON.parse(line));
    waiting.get(answer.id)?.answer(answer);
  });
  child.on('exit', (code) => {
    for (const { fail } of waiting.values()) fail(new Error(`python ended with ${code}`));
  });

  /** @param {Record<string, unknown>} command */
  const send = (command) => void child.stdin.write(`${JSON.stringify(command)}\n`);

  /** Sends a command. @param {Record<string, unknown>} command @param {import('./cells.mjs').Negotiation} options */
  function start(command, options) {
    const id = ++lastId;
    /** @type {(port: number) => void} */
    let listening = () => undefined;
    const port = new Promise((resolve) => (listening = resolve));
    const result = new Promise((resolve, reject) => {
      waiting.set(id, {
        answer: (answer) => (answer.port === undefined ? resolve(answer.result) : listening(answer.port)),
        fail: reject,
      });
    });
    send({
      ...command,
      id,
      options: Object.fromEntries(Object.entries(options).map(([key, value]) => [snake(key), value])),
    });
    return { id, port, result };
  }

  return {
    async serve({ options }) {
      const { id, port, result } = start({ do: 'serve' }, options);
      return {
        port: await Promise.race([port, result]),
        received: result,
        close: () => Promise.resolve(void (waiting.delete(id) && send({ do: 'cancel', id }))),
      };
    },
    async converse({ url, options, messages }) {
      const file = join(folder, `${++files}.messages`);
      await writeFile(file, Buffer.concat(messages.flatMap((message) => [packHead(message), message.bytes])));
      const { id, result } = start({ do: 'converse', url, file, inFlight: IN_FLIGHT }, options);
      try {
        return await result;
      } finally {
        waiting.delete(id);
        await rm(file);
      }
    },
    async close() {
      child.stdin.end();
      child.kill();
      await exit;
      await rm(folder, { recursive: true });
    },
  };
}

/** @param {string} name */
const snake = (name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
