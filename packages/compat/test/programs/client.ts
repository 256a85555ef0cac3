import { expect } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { atEnd, BINARY, CLOSE, CONTINUATION, handshake, PING, PONG, TEXT, Wire, type Frame } from '@ws/testing/peer';
import { Agent, WebSocket as Undici } from 'undici';
import { WebSocket as Ws } from 'ws';

// Who comes to the servers of the programs: raw bytes, two libraries that are not ours, and our own client.

interface Options {
  readonly path?: string;
  readonly protocols?: string[];
  /** Of a server over TLS. */
  readonly scheme?: 'wss';
  readonly ca?: string;
}

/** What `send` of `ws` knows. */
interface SendOptions {
  readonly fin?: boolean;
  readonly binary?: boolean;
  readonly mask?: boolean;
}

/** How it was closed: 1005 without a code, 1006 without a Close frame. */
type Ending = [code: number, reason: string];

/** One connection, and what it hears. */
export abstract class Client {
  /** Text, Buffers, and pongs as "pong …". */
  readonly heard: (string | Buffer)[] = [];
  abstract readonly protocol: string;
  abstract readonly extensions: string;
  /** Of the answer to the handshake; undefined where the client is not told it. */
  readonly status: Promise<number | undefined>;
  readonly closed: Promise<Ending>;
  protected answered!: (status: number | undefined) => void;
  protected ended!: (ending: Ending) => void;
  #hears = (): void => {};

  constructor() {
    this.status = new Promise((resolve) => (this.answered = resolve));
    this.closed = new Promise((resolve) => (this.ended = resolve));
  }

  abstract send(data: string | Buffer, options?: SendOptions): void;
  abstract ping(data?: string): void;
  /** Cuts the connection. */
  abstract cut(): void;
  protected abstract startClosing(code?: number, reason?: string): void;

  close(code?: number, reason?: string): Promise<Ending> {
    this.startClosing(code, reason);
    return this.closed;
  }

  /** All that was heard, as soon as it is so much. */
  async until(count: number): Promise<(string | Buffer)[]> {
    while (this.heard.length < count) await new Promise<void>((resolve) => (this.#hears = resolve));
    return this.heard;
  }

  protected hear(one: string | Buffer): void {
    this.heard.push(one);
    this.#hears();
  }
}

class RawClient extends Client {
  readonly #wire: Wire;
  #isClosing = false;
  #isInMessage = false;
  readonly extensions = '';
  protocol = '';

  constructor(port: number, { path = '/', protocols }: Options) {
    super();
    const offer = { 'Sec-WebSocket-Protocol': protocols?.join(', ') };
    this.#wire = Wire.to(port, handshake(offer, `GET ${path} HTTP/1.1`));
    this.#listen().then(this.ended, () => {}); // without an end, who waits for it says so
  }

  send(data: string | Buffer, { fin = true, binary = typeof data !== 'string', mask = true }: SendOptions = {}): void {
    const opcode = this.#isInMessage ? CONTINUATION : binary ? BINARY : TEXT;
    this.#isInMessage = !fin;
    this.#wire.send(opcode, data, { fin, masked: mask });
  }

  ping(data?: string): void {
    this.#wire.send(PING, data);
  }

  cut(): void {
    this.#wire.cut();
  }

  protected startClosing(code?: number, reason = ''): void {
    this.#isClosing = true;
    this.#wire.send(CLOSE, code === undefined ? '' : Buffer.of(code >> 8, code & 0xff, ...Buffer.from(reason)));
  }

  async #listen(): Promise<Ending> {
    const { status, headers } = await this.#wire.head();
    this.protocol = headers['sec-websocket-protocol'] ?? '';
    this.answered(status);
    let ending: Ending = [1006, ''];
    const fragments: Frame[] = [];
    for (let frame; (frame = await this.#wire.frame());) {
      const { opcode, payload, fin, maskingKey } = frame;
      if (maskingKey !== undefined) throw new Error('a server does not mask');
      if (opcode === PONG) this.hear(`pong ${String(payload)}`);
      else if (opcode === CLOSE) {
        ending = payload.length === 0 ? [1005, ''] : [payload.readUInt16BE(), payload.toString('utf8', 2)];
        if (!this.#isClosing) this.#wire.send(CLOSE, payload);
        this.#wire.socket.end();
      } else {
        fragments.push(frame);
        if (!fin) continue;
        const [first, ...others] = fragments.splice(0);
        if (others.some((other) => other.opcode !== CONTINUATION)) throw new Error('a message in a message');
        const whole = Buffer.concat([first!, ...others].map((part) => part.payload));
        this.hear(first!.opcode === TEXT ? whole.toString() : whole);
      }
    }
    return ending;
  }
}

/** What is said in the same words by libraries and by browsers. */
type W3C = Pick<
  Undici,
  'binaryType' | 'close' | 'extensions' | 'onclose' | 'onerror' | 'onmessage' | 'onopen' | 'protocol' | 'send'
>;

class LibraryClient extends Client {
  readonly #socket: W3C;
  readonly #ws: Ws | undefined;

  /** @param ws has what `ws` has besides */
  constructor(socket: W3C, ws?: Ws) {
    super();
    this.#socket = socket;
    this.#ws = ws;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.answered(101);
    socket.onerror = () => this.answered(undefined);
    socket.onclose = ({ code, reason }) => this.ended([code, reason]);
    socket.onmessage = ({ data }: { data: unknown }) =>
      this.hear(typeof data === 'string' ? data : Buffer.from(data as ArrayBuffer));
    ws?.on('pong', (data) => this.hear(`pong ${String(data)}`));
    ws?.on('unexpected-response', (request, { statusCode }) => {
      this.answered(statusCode);
      request.destroy();
    });
    atEnd(() => (ws ? ws.terminate() : socket.close()));
  }

  get protocol(): string {
    return this.#socket.protocol;
  }

  get extensions(): string {
    return this.#socket.extensions;
  }

  /** What a browser cannot do. */
  get #able(): Ws {
    if (this.#ws) return this.#ws;
    throw new TypeError('a browser cannot do this');
  }

  send(data: string | Buffer, options?: SendOptions): void {
    if (options) this.#able.send(data, options);
    else this.#socket.send(data);
  }

  ping(data?: string): void {
    this.#able.ping(data);
  }

  cut(): void {
    this.#able.terminate();
  }

  protected startClosing(code?: number, reason?: string): void {
    this.#socket.close(code, reason);
  }
}

/** A kind of client. */
export class Peer {
  readonly name: string;
  /** It has only what browsers have: no fragments, pings and cuts, no status of a refusal. */
  readonly isBrowser: boolean;
  readonly #connect: (port: number, options: Options) => Client;

  constructor(name: string, connect: (port: number, options: Options) => Client, isBrowser = false) {
    this.name = name;
    this.isBrowser = isBrowser;
    this.#connect = connect;
  }

  /** A client that is let in. */
  async open(port: number, options: Options = {}): Promise<Client> {
    const client = this.#connect(port, options);
    const status = await client.status;
    if (status !== 101) throw new Error(`not let in: ${status}`);
    return client;
  }

  /** A client is not let in, and told this status; a browser is told none. */
  async expectRefusal(status: number | undefined, port: number, options: Options = {}): Promise<void> {
    expect(await this.#connect(port, options).status).toBe(this.isBrowser ? undefined : status);
  }
}

const urlOf = (port: number, { scheme, path = '/' }: Options): string => `${scheme ?? 'ws'}://127.0.0.1:${port}${path}`;

function library(name: string, make: (url: string, protocols: string[] | undefined, options: object) => Ws): Peer {
  return new Peer(name, (port, options) => {
    const ws = make(urlOf(port, options), options.protocols, { ca: options.ca });
    return new LibraryClient(ws as unknown as W3C, ws);
  });
}

export const RAW = new Peer('raw bytes', (port, options) => new RawClient(port, options));
export const WS = library('ws', (...given) => new Ws(...given));
/** As browsers have it, and Node since version 22. */
export const UNDICI = new Peer(
  'undici',
  (port, options) => {
    const { protocols, ca } = options;
    const dispatcher = ca && { dispatcher: new Agent({ connect: { ca } }) };
    return new LibraryClient(new Undici(urlOf(port, options), { ...(protocols && { protocols }), ...dispatcher }));
  },
  true,
);
export const OURS = library('@ws/client', (...given) => new WebSocket(...given) as unknown as Ws);
