import { connect, createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout } from 'node:timers';
import { atEnd } from './at-end.js';
import { firstFrame, frame, framesOf, type Frame, type FrameOptions } from './frame.js';
import { handshake, parseHead, switching, type Answer, type Head, type Headers } from './http.js';
import { listen } from './loopback.js';

/** How long anything is waited for: less than a test may take, so that it can say what there was instead. */
const PATIENCE_MS = 20_000;

/** An end of a connection that knows only bytes: it says what it is told to, and keeps what it hears until that is taken. Cut at the end of the test. */
export class Wire<Stream extends Duplex = Socket> {
  readonly socket: Stream;
  /** How the other side has ended it: undefined as long as it has not. */
  ending: 'FIN' | 'RST' | undefined;
  #received: Buffer = Buffer.alloc(0);
  #chunks: Buffer[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(socket: Stream) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#look();
    });
    socket.on('end', () => this.#end('FIN'));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => this.#end(code === 'ECONNRESET' ? 'RST' : 'FIN'));
    socket.on('close', () => this.#end('FIN'));
    atEnd(() => this.cut());
  }

  /** A client, which says this at once. */
  static to(port: number, text: string | Uint8Array = ''): Wire {
    return new Wire(connect(port, '127.0.0.1')).write(text);
  }

  /** A client whose handshake is done. */
  static async open(port: number, text = handshake()): Promise<Wire> {
    const wire = Wire.to(port, text);
    const { line, status } = await wire.head();
    if (status !== 101) throw new Error(`not let in: ${line}`);
    return wire;
  }

  /** All that came and has not been taken. */
  get received(): Buffer {
    if (this.#chunks.length > 0) this.#received = Buffer.concat([this.#received, ...this.#chunks.splice(0)]);
    return this.#received;
  }

  /** @param data text is Latin-1 */
  write(data: string | Uint8Array): this {
    if (data.length > 0) this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }

  /** Writes a frame. */
  send(opcode: number, payload?: string | Uint8Array, options?: FrameOptions): this {
    return this.write(frame(opcode, payload, options));
  }

  /** Waits until something `isSo`, which may become so whenever bytes come. */
  async when(isSo: () => boolean): Promise<void> {
    if (!(await this.#comesAbout(isSo))) throw new Error(`the other side has ended, behind ${this.#shown}`);
  }

  /** Takes a request, or the head of an answer. */
  async head(): Promise<Head> {
    await this.when(() => this.received.includes('\r\n\r\n'));
    return parseHead(this.#take(this.received.indexOf('\r\n\r\n') + 4).toString('latin1'));
  }

  /** Takes an answer: the 101 as soon as it is there, any other one with all that comes until the end. */
  async answer(): Promise<Answer> {
    const { status, phrase, headers } = await this.head();
    return { status, phrase, headers, body: status === 101 ? '' : (await this.rest()).toString('latin1') };
  }

  /** Takes so many bytes, in hex. */
  async bytes(count: number): Promise<string> {
    await this.when(() => this.received.length >= count);
    return this.#take(count).toString('hex');
  }

  /** Takes all that is there as soon as it is so many bytes, in hex. */
  async take(atLeast = 0): Promise<string> {
    await this.when(() => this.received.length >= atLeast);
    return this.#take(this.received.length).toString('hex');
  }

  /** All that is there as soon as these bytes are in it, in hex; nothing is taken. */
  async until(digits: string): Promise<string> {
    await this.when(() => this.received.includes(digits, 0, 'hex'));
    return this.received.toString('hex');
  }

  /** All frames that are there as soon as they are so many; nothing is taken. */
  async frames(count = 0): Promise<Frame[]> {
    await this.when(() => framesOf(this.received).length >= count);
    return framesOf(this.received);
  }

  /** Takes the next frame; undefined where the other side has ended before. */
  async frame(): Promise<Frame | undefined> {
    await this.#comesAbout(() => firstFrame(this.received) !== undefined);
    const first = firstFrame(this.received);
    if (first) this.#take(first.end);
    return first?.frame;
  }

  /** Waits for the end of the other side. */
  async over(): Promise<void> {
    await this.#comesAbout(() => this.ending !== undefined);
  }

  /** Takes all that comes until the end. */
  async rest(): Promise<Buffer> {
    await this.over();
    return this.#take(this.received.length);
  }

  cut(): void {
    this.socket.destroy();
  }

  #end(how: 'FIN' | 'RST'): void {
    this.ending ??= how;
    this.#look();
  }

  #look(): void {
    for (const look of this.#waiting) look();
  }

  /** @returns false where the other side has ended before it `isSo` */
  #comesAbout(isSo: () => boolean): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const comes = isSo();
        if (!comes && this.ending === undefined) return;
        forget();
        resolve(comes);
      };
      const timer = setTimeout(() => {
        forget();
        reject(new Error(`waited in vain, there is ${this.#shown}`));
      }, PATIENCE_MS);
      const forget = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  #take(count: number): Buffer {
    const taken = this.received.subarray(0, count);
    this.#received = this.received.subarray(count);
    return taken;
  }

  get #shown(): string {
    return JSON.stringify(this.received.toString('latin1', 0, 1000));
  }
}

/** A server of wires. */
export async function listenWire(
  onConnection: (wire: Wire) => unknown = () => undefined,
): Promise<{ port: number; url: string; first: Promise<Wire> }> {
  let arrived!: (wire: Wire) => void;
  const first = new Promise<Wire>((resolve) => (arrived = resolve));
  const port = await listen(
    createServer((socket) => {
      const wire = new Wire(socket);
      arrived(wire);
      onConnection(wire);
    }),
  );
  return { port, url: `ws://127.0.0.1:${port}/`, first };
}

/** Sends a handshake, and gives the answer. */
export const shake = (port: number, text = handshake()): Promise<Answer> => Wire.to(port, text).answer();

/** Somebody who came with this request. */
export interface Visit extends Head {
  readonly wire: Wire;
}

/**
 * A server that accepts every handshake, but for what is given; `visit` is the first one.
 * @param behind bytes in the packet of the 101
 */
export async function listenSwitching(
  headers: Headers = {},
  behind = new Uint8Array(0),
): Promise<{ port: number; url: string; visit: Promise<Visit> }> {
  let arrived!: (visit: Visit) => void;
  const visit = new Promise<Visit>((resolve) => (arrived = resolve));
  const accept = (wire: Wire, head: Head): void => {
    wire.write(Buffer.concat([Buffer.from(switching(head.headers['sec-websocket-key'], headers)), behind]));
    arrived({ ...head, wire });
  };
  const server = await listenWire((wire) =>
    wire.head().then(
      (head) => accept(wire, head),
      () => undefined, // he has left before
    ),
  );
  return { ...server, visit };
}
