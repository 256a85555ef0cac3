import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const folder = new URL('../programs/', import.meta.url);
/** Where changed copies lie: inside this package, so that they resolve the same modules. */
const copies = new URL('../reports/programs/', import.meta.url);

/** Lines of a program for `ws` 8 that change so that it runs on ours. */
export type ImportLines = Readonly<Record<string, string>>;

const running = new Set<Program>();

/** Ends whatever a test that failed has left. */
export async function endAll(): Promise<void> {
  await Promise.all([...running].map((program) => program.kill()));
}

/** A program of ../programs as a child process, with its lines as they come. */
export class Program {
  readonly lines: string[] = [];
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #arrived: () => void = () => undefined;

  private constructor(file: URL, args: readonly string[]) {
    this.child = spawn(process.execPath, [fileURLToPath(file), ...args], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(line);
      this.#arrived();
    });
    this.#ended = once(this.child, 'close');
  }

  /** Starts it with its import lines changed, and nothing else. */
  static start(name: string, imports: ImportLines, args: readonly string[] = []): Program {
    const original = readFileSync(new URL(name, folder), 'utf8');
    let text = original;
    for (const [line, replacement] of Object.entries(imports)) {
      if (!text.includes(line)) throw new Error(`${name} has no line ${line}`);
      text = text.replace(line, replacement);
    }
    mkdirSync(copies, { recursive: true });
    const file = new URL(`${process.pid}-${Object.keys(imports).length}-${name}`, copies);
    writeFileSync(file, text);
    const program = new Program(file, args);
    running.add(program);
    void program.#ended.then(() => {
      running.delete(program);
      rmSync(file);
    });
    return program;
  }

  /** The first line that begins so, now or later. */
  async line(start: string): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => line.startsWith(start));
      if (found !== undefined) return found;
      const isOver = this.#ended.then(() => true);
      const hasMore = new Promise<false>((resolve) => (this.#arrived = () => resolve(false)));
      if (await Promise.race([hasMore, isOver])) throw new Error(`the program ended without a line ${start}…`);
    }
  }

  /** The port that it says it listens on; that line is then forgotten. */
  async port(): Promise<number> {
    const line = await this.line('listening ');
    this.lines.splice(this.lines.indexOf(line), 1);
    return Number(line.slice('listening '.length));
  }

  async kill(): Promise<void> {
    this.child.kill();
    await this.#ended;
  }

  /** All its lines, when it has ended by itself. */
  async end(): Promise<string[]> {
    await this.#ended;
    return this.lines;
  }
}
