import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A program out of a README. */
export interface Block {
  /** The sentence above it. */
  readonly intro: string;
  readonly code: string;
  /** What stands below it as its output; '' where nothing does. */
  readonly output: string;
}

/** The programs below a heading (`## Programs`), up to the next one of its rank. */
export function readmePrograms(readme: URL, heading: string): Block[] {
  const text = `\n${readFileSync(readme, 'utf8')}`;
  const start = text.indexOf(`\n${heading}\n`);
  if (start === -1) throw new RangeError(`there is no "${heading}" in ${readme.pathname}`);
  const rank = `\n${heading.slice(0, heading.indexOf(' ') + 1)}`;
  const end = text.indexOf(rank, start + heading.length);
  const section = text.slice(start + heading.length + 2, end === -1 ? undefined : end);
  return section
    .split('```js\n')
    .slice(1)
    .map((part, i, parts) => {
      const before = i === 0 ? section.slice(0, section.indexOf('```js\n')) : (parts[i - 1] ?? '');
      const [code = '', between = '', output = ''] = part.split('```');
      const hasOutput = between.trim() === '' && output.startsWith('text\n');
      return { intro: before.trim().split('\n').at(-1) ?? '', code, output: hasOutput ? output.slice(5) : '' };
    });
}

interface RunOptions {
  /** Files that the program finds in its working directory. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Arguments behind the name of the program. */
  readonly args?: readonly string[];
  /** What it connects to in place of the port that it names. */
  readonly peerPort?: number;
  /** Called with the working directory before it starts. */
  readonly prepare?: (folder: string) => void;
}

const TIME_LIMIT_MS = 25_000;
const running = new Set<Program>();

/** A program in a process of its own, in a folder of its own inside `packageFolder`, so that it finds the built package by its name. */
export class Program {
  readonly folder: string;
  /** What it printed, on both streams. */
  output = '';
  /** Its status; null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Of what it listens on first. */
  readonly port: Promise<number>;
  readonly #child: ChildProcess;

  constructor(packageFolder: URL, code: string, { files = {}, args = [], peerPort = 0, prepare }: RunOptions = {}) {
    const reports = fileURLToPath(new URL('reports/', packageFolder));
    mkdirSync(reports, { recursive: true });
    this.folder = mkdtempSync(join(reports, 'program-'));
    for (const [name, content] of Object.entries(files)) writeFileSync(join(this.folder, name), content);
    writeFileSync(join(this.folder, 'program.mjs'), code);
    prepare?.(this.folder);
    const ports = new URL('ports.js', import.meta.url).href;
    this.#child = spawn(process.execPath, ['--no-warnings', '--import', ports, 'program.mjs', ...args], {
      cwd: this.folder,
      env: { ...process.env, PROGRAM_PEER_PORT: String(peerPort) },
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
      timeout: TIME_LIMIT_MS,
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#child.emit('output');
      });
    this.ended = once(this.#child, 'close').then(([status]) => status as number | null);
    this.port = new Promise((resolve) =>
      this.#child.on('message', (message: { port?: number }) => {
        if (message.port) resolve(message.port);
      }),
    );
    running.add(this);
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get lines(): string[] {
    return this.output.trimEnd().split('\n');
  }

  /** Waits until it has printed `text`; throws if it ends before. */
  async until(text: string): Promise<string> {
    while (!this.output.includes(text)) {
      if (!this.isRunning) throw new Error(`the program ended without "${text}", it printed: ${this.output}`);
      await Promise.race([once(this.#child, 'output'), this.ended]);
    }
    return this.output;
  }

  /** Bytes that it keeps in memory, garbage collected: the heap, and the buffers beside it. */
  async kept(): Promise<number> {
    const answer = once(this.#child, 'message');
    this.#child.send('kept?');
    const [{ kept }] = (await answer) as [{ kept: number }];
    return kept;
  }

  /** Writes to its standard input. */
  type(input: string | Uint8Array): void {
    this.#child.stdin?.write(input);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Ends all programs that were started; for `afterEach`. */
export async function stopPrograms(): Promise<void> {
  const programs = [...running];
  running.clear();
  await Promise.all(programs.map((program) => program.stop()));
}
