import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A frame as it was on the wire. */
export interface Frame {
  readonly fin: boolean;
  /** 0 to 7; RSV1 is 4. */
  readonly rsv: number;
  readonly opcode: number;
  /** In hexadecimal. */
  readonly maskingKey: string | undefined;
  /** Unmasked. */
  readonly payload: Buffer;
}

export interface Head {
  /** The status line, or the request line. */
  readonly start: string;
  /** 0 in a request. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly text: string;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  /** As clients do. @default true */
  readonly masked?: boolean;
  /** A length to write in place of the payload's. */
  readonly announced?: number | bigint;
}

const KEY = Buffer.from('37fa213d', 'hex');

/** One frame by hand, right or wrong. */
export function frame(opcode: number, payload: string | Uint8Array, options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true, announced } = options;
  const body = Buffer.from(payload);
  const length = announced ?? body.length;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? Number(length) : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(Number(length), 2);
  else if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, body]);
  return Buffer.concat([head, KEY, body.map((byte, at) => byte ^ (KEY[at % 4] ?? 0))]);
}

export const TEXT = 0x1;
export const BINARY = 0x2;
export const CONTINUATION = 0x0;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

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
    const { status, text } = await wire.write(request(headers, `GET ${path} HTTP/1.1`)).head();
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
    const end = await this.#until(frameEnd);
    if (end === undefined) return undefined;
    const bytes = this.#take(end);
    const first = bytes[0] ?? 0;
    const masked = ((bytes[1] ?? 0) & 0x80) !== 0;
    const start = headerLength(bytes);
    const key = masked ? bytes.subarray(start - 4, start) : undefined;
    const payload = Buffer.from(bytes.subarray(start)).map((byte, at) => byte ^ (key?.[at % 4] ?? 0));
    return {
      fin: (first & 0x80) !== 0,
      rsv: (first >> 4) & 7,
      opcode: first & 0xf,
      maskingKey: key?.toString('hex'),
      payload: Buffer.from(payload),
    };
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

function headerLength(bytes: Buffer): number {
  const second = bytes[1] ?? 0;
  const length = second & 0x7f;
  return 2 + (length === 127 ? 8 : length === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0);
}

function frameEnd(bytes: Buffer): number | undefined {
  if (bytes.length < 2) return undefined;
  const start = headerLength(bytes);
  if (bytes.length < start) return undefined;
  const length = (bytes[1] ?? 0) & 0x7f;
  const payload = length === 127 ? Number(bytes.readBigUInt64BE(2)) : length === 126 ? bytes.readUInt16BE(2) : length;
  return bytes.length < start + payload ? undefined : start + payload;
}

/** Of a request: `undefined` takes one away, a list repeats it. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

export const GOOD: Headers = {
  Host: 'server.example',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

/** A good handshake, but for what is given. */
export function request(headers: Headers = {}, start = 'GET / HTTP/1.1'): string {
  return `${start}\r\n${fields({ ...GOOD, ...headers })}\r\n`;
}

export function fields(headers: Headers): string {
  return Object.entries(headers)
    .flatMap(([name, value]) => (value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`)))
    .join('');
}
