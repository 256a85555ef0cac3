import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { CLOSE, firstFrame, frame, handshake, PING, TEXT, type Frame, type Headers } from '@ws/testing/peer';

export {
  BINARY,
  CLOSE,
  CONTINUATION,
  fields,
  frame,
  GOOD,
  handshake as request,
  PING,
  PONG,
  TEXT,
  type Frame,
  type Headers,
} from '@ws/testing/peer';

export interface Head {
  /** The status line, or the request line. */
  readonly start: string;
  /** 0 in a request. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly text: string;
}

/** A TCP connection that reads what it gets as HTTP first and as frames then; nothing in it is the library's. */
export class Wire {
  readonly socket: Socket;
  /** How it ended: with the peer's FIN, by a reset, or not yet. */
  ending: 'FIN' | 'RST' | undefined;
  #bytes = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  #wake = (): void => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#wake();
    });
    socket.on('end', () => this.#end('FIN'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code === 'ECONNRESET' ? 'RST' : 'FIN'));
    socket.on('close', () => this.#end('FIN'));
  }

  /** Connects without a word. */
  static async dial(port: number, allowHalfOpen = false): Promise<Wire> {
    const wire = new Wire(connect({ port, host: '127.0.0.1', allowHalfOpen }));
    await once(wire.socket, 'connect');
    return wire;
  }

  /** Connects and shakes hands. */
  static async open(port: number, headers: Headers = {}, { allowHalfOpen = false, path = '/' } = {}): Promise<Wire> {
    const wire = await Wire.dial(port, allowHalfOpen);
    const { status, text } = await wire.write(handshake(headers, `GET ${path} HTTP/1.1`)).head();
    if (status !== 101) throw new Error(`not let in: ${text}`);
    return wire;
  }

  write(data: string | Uint8Array): this {
    if (typeof data === 'string') this.socket.write(data, 'latin1');
    else this.socket.write(data);
    return this;
  }

  /** Writes, and waits until the system has it. */
  async push(data: string | Uint8Array): Promise<void> {
    if (this.socket.destroyed) return;
    await new Promise<void>((resolve) => {
      this.socket.once('close', resolve);
      this.socket.write(data, () => {
        this.socket.off('close', resolve);
        resolve();
      });
    });
  }

  async head(): Promise<Head> {
    const end = await this.#until((bytes) => {
      const at = bytes.indexOf('\r\n\r\n');
      return at < 0 ? undefined : at + 4;
    });
    if (end === undefined) return { start: '', status: 0, headers: new Map(), text: '' };
    const text = this.#take(end).toString('latin1');
    const [start = '', ...lines] = text.trimEnd().split('\r\n');
    const headers = new Map<string, string[]>();
    for (const line of lines) {
      const name = line.slice(0, line.indexOf(':')).toLowerCase();
      headers.set(name, [...(headers.get(name) ?? []), line.slice(line.indexOf(':') + 1).trim()]);
    }
    return { start, status: start.startsWith('HTTP/') ? Number(start.split(' ')[1]) : 0, headers, text };
  }

  /** The next frame; undefined when the connection has ended before. */
  async frame(): Promise<Frame | undefined> {
    await this.#until((bytes) => firstFrame(bytes)?.end);
    const first = firstFrame(this.#bytes);
    if (first) this.#take(first.end);
    return first?.frame;
  }

  /** The code of the peer's Close frame, 1005 for none in it; undefined if TCP ended without one. */
  async closeCode(): Promise<number | undefined> {
    for (;;) {
      const next = await this.frame();
      if (next === undefined) return undefined;
      if (next.opcode === CLOSE) return next.payload.length < 2 ? 1005 : next.payload.readUInt16BE();
    }
  }

  /** Resolves when the peer has ended the connection; gives what was not read yet. */
  async over(): Promise<Buffer> {
    await this.#until(() => undefined);
    return this.#bytes;
  }

  /** Whether it gives this text back. */
  async echoes(text: string): Promise<boolean> {
    this.write(frame(TEXT, text));
    return (await this.#beyondPings())?.payload.toString() === text;
  }

  async answersPing(text: string): Promise<boolean> {
    this.write(frame(PING, text));
    return (await this.#beyondPings())?.payload.toString() === text;
  }

  /** The next frame that is no ping of a heartbeat: what is said next is life enough. */
  async #beyondPings(): Promise<Frame | undefined> {
    for (;;) {
      const next = await this.frame();
      if (next?.opcode !== PING) return next;
    }
  }

  cut(): void {
    this.socket.destroy();
  }

  #end(how: 'FIN' | 'RST'): void {
    this.ending ??= how;
    this.#wake();
  }

  /** Where the next thing ends; undefined when it never will. */
  async #until(find: (bytes: Buffer) => number | undefined): Promise<number | undefined> {
    for (;;) {
      if (this.#chunks.length > 0) this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks.splice(0)]);
      const end = find(this.#bytes);
      if (end !== undefined) return end;
      if (this.ending !== undefined) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #take(length: number): Buffer {
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}
