import { afterAll, afterEach, beforeAll, expect } from '@jest/globals';
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { fileURLToPath } from 'node:url';
import { switching } from '@ws/testing/peer';
import type { ClientSpec, ServerSpec } from '../victims/specs.mjs';
import { Wire, type Head, type Headers } from './wire.js';

export interface Memory {
  readonly rss: number;
  /** The most it ever was. */
  readonly peak: number;
  /** Heap and what is beside it, after a collection. */
  readonly kept: number;
}

/** How a connection of a victim ended. */
export interface Ending {
  readonly code: number;
  readonly reason: string;
  readonly wasClean: boolean;
  readonly initiator: string;
  readonly sent: number | null;
  readonly received: number | null;
  readonly errorCode: string | null;
}

export interface ClientEnding extends Ending {
  readonly opened: boolean;
  /** Of the `'error'` event. */
  readonly error: string | null;
  readonly messages: readonly string[];
  readonly redirects: readonly string[];
  readonly events: readonly string[];
  readonly protocol: string;
  readonly extensions: string;
  readonly readyState: number;
}

/** What became of one value of the battery. */
export interface Sent {
  readonly name: string;
  /** In hexadecimal; null: it has to throw. */
  readonly bytes: string | null;
  readonly threw: string | null;
}

const running = new Set<Victim>();

/** A process with our library as it was built, and no handler for what nobody catches: an exception ends it. */
export class Victim {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  readonly #ended: Promise<unknown>;
  #asked = 0;
  #output = '';
  port = 0;

  protected constructor(program: string, spec: ServerSpec | undefined, flags: readonly string[]) {
    this.#child = fork(fileURLToPath(new URL(`../victims/${program}`, import.meta.url)), [JSON.stringify(spec ?? {})], {
      execArgv: ['--expose-gc', '--no-warnings', ...flags],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    this.#child.on('message', (answer: { id?: number; port?: number; value?: unknown; failed?: string }) => {
      if (answer.id === undefined) return;
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.failed === undefined) waiting?.resolve(answer.value);
      else waiting?.reject(new Error(answer.failed));
    });
    this.#ended = once(this.#child, 'close').then(() => this.#fail());
  }

  #fail(): void {
    for (const { reject } of this.#waiting.values()) reject(new Error(`the process has ended: ${this.#output}`));
    this.#waiting.clear();
  }

  /** Resolves when it can be attacked. */
  async start(): Promise<this> {
    const [{ port }] = (await Promise.race([once(this.#child, 'message'), this.#ended.then(() => [{ port: -1 }])])) as [
      { port: number },
    ];
    if (port < 0) throw new Error(`the process has ended: ${this.#output}`);
    this.port = port;
    return this;
  }

  async ask<Value>(ask: string, told?: unknown): Promise<Value> {
    const id = ++this.#asked;
    if (!this.isAlive) throw new Error(`the process has ended: ${this.#output}`);
    const value = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    this.#child.send({ id, ask, told });
    return (await value) as Value;
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it printed: an exception that ended it. */
  get output(): string {
    return this.#output;
  }

  memory(): Promise<Memory> {
    return this.ask<Memory>('memory');
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async settle(): Promise<void> {}

  /** The process is alive, and has written nothing: no exception, no warning. */
  async expectUnharmed(): Promise<void> {
    await this.ask('cpu');
    expect([this.isAlive, this.#output]).toEqual([true, '']);
  }
}

/** A server, and somebody innocent who is connected to it all the time. */
export class ServerVictim extends Victim {
  readonly #echo: boolean;
  #innocent: Wire | undefined;
  #said = 0;

  private constructor(spec: ServerSpec, flags: readonly string[]) {
    super('server.mjs', spec, flags);
    this.#echo = spec.echo ?? true;
  }

  static async launch(spec: ServerSpec, flags: readonly string[]): Promise<ServerVictim> {
    const victim = await new ServerVictim(spec, flags).start();
    running.add(victim);
    if (spec.hooks !== undefined || spec.innocent === false) return victim; // nobody is let in, or left alone
    victim.#innocent = await Wire.open(victim.port, spec.innocent, { path: spec.options?.path ?? '/' });
    return victim;
  }

  closings(): Promise<Ending[]> {
    return this.ask<Ending[]>('closings');
  }

  /** Waits until so many have ended since it was last asked. */
  async closed(count: number): Promise<Ending[]> {
    const endings: Ending[] = [];
    while (endings.length < count) {
      endings.push(...(await this.closings()));
      await new Promise(setImmediate);
    }
    return endings;
  }

  refusals(): Promise<{ reason: string; code: string | null }[]> {
    return this.ask('refusals');
  }

  /** Connects, and is let in. */
  open(headers: Headers = {}, options: Parameters<typeof Wire.open>[2] = {}): Promise<Wire> {
    return open(this.port, headers, options);
  }

  /** Sends a request, and gives the answer. */
  async answerTo(text: string | Uint8Array): Promise<Head> {
    const wire = await Wire.dial(this.port);
    const head = await wire.write(text).head();
    wire.cut();
    return head;
  }

  /** Waits until nobody but the innocent is connected: the next test finds nothing of this one. */
  override async settle(): Promise<void> {
    await this.ask('settled', this.#innocent === undefined ? 0 : 1);
  }

  override async expectUnharmed(): Promise<void> {
    await super.expectUnharmed();
    if (this.#innocent === undefined) return;
    const text = `still here ${++this.#said}`;
    expect(await this.#innocent.answersPing(text)).toBe(true);
    if (this.#echo) expect(await this.#innocent.echoes(text)).toBe(true);
  }

  override async stop(): Promise<void> {
    this.#innocent?.cut();
    await super.stop();
  }
}

export class ClientVictim extends Victim {
  private constructor(flags: readonly string[]) {
    super('client.mjs', undefined, flags);
  }

  static launch(flags: readonly string[] = []): Promise<ClientVictim> {
    return new ClientVictim(flags).start();
  }

  /** @returns its number, for the other questions */
  connect(spec: ClientSpec): Promise<number> {
    return this.ask<number>('connect', spec);
  }

  ended(id: number): Promise<ClientEnding> {
    return this.ask<ClientEnding>('ended', id);
  }

  /** Connects, and tells how that ended. */
  async outcome(spec: ClientSpec): Promise<ClientEnding> {
    return this.ended(await this.connect(spec));
  }
}

const atEnd: (() => unknown)[] = [];

/** Whoever was attacked has to be unharmed after each test, whatever else that looked at. */
afterEach(async () => {
  for (const act of atEnd.splice(0).reverse()) await act();
  for (const victim of running) {
    await victim.expectUnharmed();
    await victim.settle();
  }
});

afterAll(async () => {
  await Promise.all([...running].map((victim) => victim.stop()));
  running.clear();
});

/** Those that are shared, by what they were started with. */
const shared = new Map<string, Promise<Victim>>();

function share<One extends Victim>(key: unknown[], launch: () => Promise<One>): () => One {
  let victim: One;
  beforeAll(async () => {
    const name = JSON.stringify(key);
    const one = shared.get(name) ?? launch();
    shared.set(name, one);
    victim = (await one) as One;
  });
  return () => victim;
}

/** A server for all tests of a file that want one like it. */
export const sharedServer = (spec: ServerSpec = {}, flags: readonly string[] = []): (() => ServerVictim) =>
  share(['server', spec, flags], () => launchServer(spec, flags));

export const sharedClient = (flags: readonly string[] = []): (() => ClientVictim) =>
  share(['client', flags], () => launchClient(flags));

export function launchServer(spec: ServerSpec = {}, flags: readonly string[] = []): Promise<ServerVictim> {
  return ServerVictim.launch(spec, flags);
}

export async function launchClient(flags: readonly string[] = []): Promise<ClientVictim> {
  const victim = await ClientVictim.launch(flags);
  running.add(victim);
  return victim;
}

/** Connects; cut at the end of the test. */
async function open(port: number, headers: Headers, options: Parameters<typeof Wire.open>[2]): Promise<Wire> {
  const wire = await Wire.open(port, headers, options);
  atEnd.push(() => wire.cut());
  return wire;
}

export interface Visit {
  readonly wire: Wire;
  readonly request: Head;
}

/** Listens on a free port, or on `path`, until the end of the test. */
export async function listen(server: Server, path?: string): Promise<number> {
  const sockets = new Set<{ destroy(): unknown }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  atEnd.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

/** A hostile server: does as it likes with every request. Gives its address. */
export async function hostile(act: (visit: Visit) => unknown): Promise<string> {
  const server = createServer((socket) => {
    const wire = new Wire(socket);
    void wire.head().then((head) => act({ wire, request: head }));
  });
  return `ws://127.0.0.1:${await listen(server)}/`;
}

/** One that accepts, and then does as it likes. */
export function hostileAfterOpen(act: (wire: Wire, request: Head) => unknown, headers: Headers = {}): Promise<string> {
  return hostile(({ wire, request }) => {
    wire.write(accepting(request, headers));
    return act(wire, request);
  });
}

/** The 101 that is due, but for what is given. */
export const accepting = (request: Head, headers: Headers = {}): string =>
  switching(request.headers.get('sec-websocket-key')?.[0], headers);
