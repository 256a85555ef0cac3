// Random programs for `ws`: how they are run, and what each of their ends sees.
import { closed, codeOf, type Socket, type World } from './differential.js';
import { DATA, type Act, type RandomProgram } from './random-program.js';

/** Begins the pings that are no part of the program. */
const MARK = '\0';

/**
 * One end of a connection, and what is seen there: of callbacks their order, but not what comes between them; with compression the same
 * of pings and pongs, which do not wait for it in the adapter.
 */
class End {
  readonly socket: Socket;
  readonly seen: unknown[] = [];
  readonly #called: unknown[] = [];
  readonly #controls: unknown[] = [];
  readonly #calledControls: unknown[] = [];
  readonly #listeners = new Map<number, { handleEvent(event: unknown): void } & ((...told: unknown[]) => void)>();
  #waiting = 0;
  #calls = 0;
  #answers = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    for (const type of ['ping', 'pong'] as const) socket.on(type, (data) => this.#control(type, data));
    socket.on('message', (...told) => this.#see('message', ...told));
    socket.on('error', (error) => this.#see('error', socket.readyState, codeOf(error)));
    socket.on('close', (code, reason) => this.#see('close', socket.readyState, code, reason));
  }

  do(act: Act): void {
    try {
      this.#see(act.do, this.#act(act));
    } catch (error) {
      this.#see(act.do, 'throws', act.do === 'close' ? 'something' : (error as Error).name); // see docs/migrate/ws.md
    }
  }

  get asides(): object {
    return { called: this.#called, controls: this.#controls, calledControls: this.#calledControls };
  }

  /** Grows with whatever is told. */
  get count(): number {
    return this.seen.length + this.#called.length + this.#controls.length + this.#calledControls.length;
  }

  /** Whether all has been called back. */
  get isQuiet(): boolean {
    return this.#waiting === 0;
  }

  #see(...told: unknown[]): void {
    this.seen.push(told.map(plain));
  }

  #control(type: string, data: Buffer): void {
    if (String(data).startsWith(MARK)) return;
    const told = [type, plain(data)];
    (this.socket.extensions === '' ? this.seen : this.#controls).push(told);
  }

  #callback(called: unknown[]): (error?: Error | null) => void {
    const call = this.#calls++;
    this.#waiting++;
    return (error) => {
      this.#waiting--;
      called.push(error ? [call, 'fails'] : call);
    };
  }

  /** With a callback; if it throws, none will come. */
  #sending(send: (callback: (error?: Error | null) => void) => unknown, isControl = false): void {
    try {
      send(this.#callback(isControl && this.socket.extensions !== '' ? this.#calledControls : this.#called));
    } catch (error) {
      this.#waiting--;
      throw error;
    }
  }

  #act(act: Act): unknown {
    const { socket } = this;
    switch (act.do) {
      case 'send': {
        const name = act.data === 'not UTF-8' && socket.extensions !== '' ? 'bytes' : act.data;
        // What is wrong with a fragment, the adapter sees at once, `ws` at the end of the message; a compressed one that is too long, the other way round.
        const isPart = act.fin !== undefined && act.data !== 'much data' && act.data !== 'not UTF-8';
        const options = isPart ? { ...act.options, fin: act.fin } : act.options;
        return this.#sending((callback) => socket.send(DATA[name]() as string, options!, callback));
      }
      case 'ping':
      case 'pong':
        return this.#sending((callback) => socket[act.do](DATA[act.data](), undefined, callback), true);
      case 'close':
        return socket.close(act.code as number, act.reason as string);
      case 'pause':
      case 'resume':
      case 'terminate':
        return socket[act.do]();
      case 'binaryType':
        socket.binaryType = act.type as 'nodebuffer';
        return socket.binaryType;
      case 'on':
      case 'once':
      case 'off':
        socket[act.do]('message', this.#listener(act.listener));
        return socket.listenerCount('message');
      case 'remove':
        socket.removeEventListener('message', this.#listener(act.listener));
        return socket.listenerCount('message');
      case 'attribute':
        socket.onmessage = act.listener === 0 ? null : this.#listener(act.listener);
        return [socket.onmessage === null, socket.listenerCount('message')];
      case 'add':
        socket.addEventListener('message', this.#listener(act.listener), act.once);
        return socket.listenerCount('message');
      case 'look': {
        const { readyState, isPaused, binaryType, extensions, protocol } = socket;
        return [readyState, isPaused, binaryType, extensions, protocol, socket.eventNames().map(String).toSorted()];
      }
    }
  }

  /** The first is an object to `addEventListener`; the last answers, twice. */
  #listener(n: number): (...told: unknown[]) => void {
    let known = this.#listeners.get(n);
    if (known === undefined) {
      const heard = (...told: unknown[]): void => {
        this.#see('heard', n, ...told);
        if (n === 4 && this.#answers++ < 2) this.#sending((callback) => this.socket.send(`answer ${n}`, callback));
      };
      known = Object.assign(heard, { handleEvent: heard });
      this.#listeners.set(n, known);
    }
    return known;
  }
}

/** In a form that can be compared. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `Buffer ${value.length} ${value.toString('latin1', 0, 20)}`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer ${value.byteLength}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const { type, data } = value as { type: string; data: unknown };
  return ['event', type, plain(data)];
}

/** All that one end sent has come to the other, and what was answered to that as well. */
async function settle(ends: readonly [End, End]): Promise<void> {
  let marks = 0;
  let before: number;
  do {
    before = ends[0].count + ends[1].count;
    for (const [from, to] of [ends, ends.toReversed() as [End, End]]) {
      while (!from.isQuiet && from.socket.readyState === from.socket.OPEN) await nextTurn();
      await marked(from.socket, to.socket, `${MARK}${marks++}`);
    }
  } while (before !== ends[0].count + ends[1].count);
}

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** What is on its way comes before a ping. It does not come to who reads nothing, or will not be open. */
async function marked(from: Socket, to: Socket, mark: string): Promise<void> {
  if (from.readyState !== from.OPEN || to.readyState !== to.OPEN || to.isPaused) return;
  await new Promise<void>((resolve) => {
    const onPing = (data: Buffer): void => void (String(data) === mark && done());
    const done = (): void => {
      to.off('ping', onPing);
      for (const socket of [from, to]) socket.off('error', done).off('close', done);
      resolve();
    };
    to.on('ping', onPing);
    for (const socket of [from, to]) socket.on('error', done).on('close', done);
    from.ping(mark);
  });
}

/** Runs it, and tells what was seen: of the client, of the server. */
export async function runRandom(world: World, program: RandomProgram): Promise<unknown> {
  const { clientTracking } = program.options;
  const { server, client, socket } = await world.pair(
    { ...program.options.server, clientTracking },
    program.options.client,
  );
  const ends = { client: new End(client), server: new End(socket) };
  const both = [ends.client, ends.server] as const;
  const isOpen = (): boolean => both.every(({ socket: each }) => each.readyState === each.OPEN);
  const over = async (): Promise<void> => {
    for (const { socket: each } of both) each.resume();
    await Promise.all(both.map(({ socket: each }) => closed(each)));
    await nextTurn();
  };
  for (const turn of program.turns) {
    for (const { end: name, act: each } of turn) ends[name].do(each);
    await settle(both);
    if (!isOpen()) break;
  }
  // What is cut while somebody has not read may be lost to a reset.
  if (program.ending[0].act.do === 'terminate') for (const { socket: each } of both) each.resume();
  await settle(both);
  if (isOpen()) for (const { end: name, act: each } of program.ending) ends[name].do(each);
  if (isOpen()) client.close();
  await over();
  for (const { end: name, act: each } of program.behind) ends[name].do(each);
  await nextTurn();
  await nextTurn();
  const told = both.map(({ seen, socket: each }) => ({ seen, state: each.readyState }));
  // How far the ends had come in what follows a fault is nobody's business either.
  const hasFailed = both.some(({ seen }) => seen.some((each) => (each as unknown[])[0] === 'error'));
  const asides = hasFailed ? undefined : both.map((each) => each.asides);
  return { told, asides, clients: server.clients?.size };
}
