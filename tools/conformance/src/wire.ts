import { createServer, connect, type Server, type Socket } from 'node:net';
import type { AwaitPiece } from './case.js';
import { FrameReader } from './decoder.js';
import type { Watch } from './watch.js';

export type WireEnd = 'open' | 'fin' | 'reset';

/** A header block that came back, and what followed it. */
export interface Head {
  readonly firstLine: string;
  /** Names in lower case, in order, repeats kept. */
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export function parseHead(block: string): Head {
  const [firstLine = '', ...lines] = block.split('\r\n');
  return {
    firstLine,
    headers: lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    }),
  };
}

export const headerValues = (head: Head, name: string): string[] =>
  head.headers.filter(([n]) => n === name).map(([, value]) => value);

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The raw TCP end of a case. It sends what it is told to and keeps what comes back; it never ends TCP by itself. */
export class Wire {
  readonly reader = new FrameReader();
  head: Head | undefined;
  /** What came before a header block was whole. */
  prelude: Buffer = Buffer.alloc(0);
  /** What came behind a header block that did not open a WebSocket. */
  body: Buffer = Buffer.alloc(0);
  end: WireEnd = 'open';
  closed = false;
  readonly socket: Socket;
  readonly #watch: Watch;

  constructor(socket: Socket, watch: Watch) {
    this.socket = socket;
    this.#watch = watch;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk);
      watch.poke();
    });
    socket.on('end', () => {
      if (this.end === 'open') this.end = 'fin';
      watch.poke();
    });
    // Errors are results here. After the peer's FIN a reset is only the echo of something sent too late.
    socket.on('error', () => {
      if (this.end === 'open') this.end = 'reset';
      watch.poke();
    });
    socket.on('close', () => {
      this.closed = true;
      watch.poke();
    });
  }

  #take(chunk: Buffer): void {
    if (this.head !== undefined) {
      if (this.isFramed()) this.reader.push(chunk);
      else this.body = Buffer.concat([this.body, chunk]);
      return;
    }
    this.prelude = Buffer.concat([this.prelude, chunk]);
    const end = this.prelude.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.head = parseHead(this.prelude.toString('latin1', 0, end));
    const rest = this.prelude.subarray(end + 4);
    this.prelude = Buffer.alloc(0);
    if (rest.length > 0) this.#take(rest);
  }

  /** Behind a request, and behind a 101, there are frames. */
  isFramed(): boolean {
    const line = this.head?.firstLine ?? '';
    return !line.startsWith('HTTP/') || line.startsWith('HTTP/1.1 101');
  }

  count(opcodes: readonly number[]): number {
    return this.reader.frames.filter((frame) => opcodes.includes(frame.opcode)).length;
  }

  hasClose(): boolean {
    return this.count([0x8]) > 0;
  }

  /**
   * Writes each piece in its own turn of the event loop, between two polls for I/O. The other end lives in this
   * process, so it has read the piece before: the kernel gets no chance to join them.
   */
  async send(pieces: Iterable<Buffer>): Promise<void> {
    await nextTurn();
    for (const piece of pieces) {
      if (this.end !== 'open' || this.socket.destroyed) return;
      this.#watch.touch();
      this.socket.write(piece);
      await nextTurn();
    }
  }

  async wait(step: AwaitPiece): Promise<void> {
    const opcodes = { pong: [0xa], data: [0, 1, 2], close: [8] }[step.what];
    await this.#watch.until(
      () => this.end !== 'open' || this.count(opcodes) >= step.count,
      `${step.count} ${step.what} frames`,
    );
  }
}

export async function dial(port: number, watch: Watch): Promise<Wire> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const wire = new Wire(socket, watch);
  let connected = false;
  socket.on('connect', () => {
    connected = true;
    watch.poke();
  });
  try {
    await watch.until(() => connected || wire.closed, 'the TCP connection');
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return wire;
}

/** A raw server for the one connection that our client makes. */
export async function listenRaw(watch: Watch): Promise<{ server: Server; port: number; wires: Wire[] }> {
  const wires: Wire[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    wires.push(new Wire(socket, watch));
    watch.poke();
  });
  server.listen(0, '127.0.0.1', () => watch.poke());
  try {
    await watch.until(() => server.listening, 'the raw server');
  } catch (error) {
    server.close();
    throw error;
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port, wires };
}
