// One flood: a server, connections that are open already, and attempts to open more, each in a process of its own.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { compile, missingGcc } from '../../bench/lib/gcc.mjs';

const pathOf = (/** @type {string} */ name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

/** What is missing to compile the program, as a clause for a message; undefined: nothing. */
export const missingForFlood = () => (process.platform === 'linux' ? missingGcc() : 'Linux');

/** @returns {string} path of the program */
export const compileFlood = () => compile(pathOf('build/flood'), [pathOf('flood.c')]);

/** A run of the program: its lines of JSON. */
class Program {
  /** @param {string} program @param {(string | number)[]} args */
  constructor(program, args) {
    this.child = spawn(program, args.map(String), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdin.on('error', () => undefined); // it may be gone already
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]();
    this.ended = once(this.child, 'close');
  }

  /** The next line. @returns {Promise<any>} */
  async next() {
    const { done, value } = await this.lines.next();
    if (done) throw new Error(`${this.child.spawnargs.join(' ')} ended early`);
    return JSON.parse(value);
  }

  async stop() {
    this.child.kill('SIGKILL');
    await this.ended;
  }
}

/**
 * @typedef {object} Flood
 * @property {number} rate attempts a second
 * @property {number} seconds
 * @property {number} addresses of the loopback that they come from
 * @property {number} connections that are open already
 * @property {number} messages a second on all of these, each of which is sent back
 * @property {object} options of the server
 * @property {string | undefined} [profile] a folder for a CPU profile of the server
 */

/**
 * @param {Flood} flood @param {string} program
 * @returns {Promise<{ attempts: any, echo: any, server: { cpuSeconds: number, connections: number, open: number } }>}
 */
export async function flood({ rate, seconds, addresses, connections, messages, options, profile }, program) {
  const execArgv = profile === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profile];
  const server = fork(pathOf('servers/flood.mjs'), [JSON.stringify(options)], { execArgv });
  const exit = once(server, 'exit');
  const ask = async () => {
    const answer = once(server, 'message');
    server.send('usage');
    return (await answer)[0];
  };
  /** @type {Program[]} */
  const programs = [];
  const start = (/** @type {(string | number)[]} */ ...args) => {
    const one = new Program(program, args);
    programs.push(one);
    return one;
  };
  try {
    const [{ port }] = await once(server, 'message');
    const echo = start('echo', port, messages, seconds, connections);
    await echo.next();
    await ask();
    const attempts = start('attempts', port, rate, seconds, addresses);
    echo.child.stdin.write('\n');
    const echoed = await echo.next();
    const { cpuSeconds } = await ask();
    const attempted = await attempts.next();
    const { connections: all, open } = await settled(ask);
    return { attempts: attempted, echo: echoed, server: { cpuSeconds, connections: all, open } };
  } finally {
    for (const one of programs) await one.stop();
    if (server.connected) server.disconnect();
    await exit;
  }
}

/** The server once it knows who has left. @param {() => Promise<any>} ask @returns {Promise<any>} */
async function settled(ask) {
  let before = await ask();
  for (;;) {
    const after = await ask();
    if (after.open === before.open && after.connections === before.connections) return after;
    before = after;
  }
}
