import type { EventEmitter } from 'node:events';
import type { App, EndpointOptions, Received } from './case.js';
import type { Watch } from './watch.js';

// Our end of a case. Only the API that `ws` 8 has too is used, so that any library with that API can stand here.

export interface SendOptions {
  readonly binary: boolean;
  readonly fin?: boolean;
  readonly compress?: boolean;
}

export interface EndpointSocket extends EventEmitter {
  readonly readyState: number;
  readonly protocol: string;
  /** The names of the extensions in use. */
  readonly extensions: string;
  send(data: unknown, options: SendOptions, done: (error?: Error | null) => void): unknown;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

export interface EndpointServer extends EventEmitter {
  readonly clients: ReadonlySet<EndpointSocket>;
  address(): unknown;
  close(done: (error?: Error) => void): void;
}

export interface Peer {
  readonly name: string;
  readonly WebSocketServer: new (options: Readonly<Record<string, unknown>>) => EndpointServer;
  readonly WebSocket: new (
    address: string,
    protocols: readonly string[],
    options: Readonly<Record<string, unknown>>,
  ) => EndpointSocket;
  /** Other names that its errors have for what the table calls by ours. */
  readonly errorNames?: Readonly<Record<string, string>>;
  /** Do the errors of a failed opening handshake have codes of the `WS_ERR_` family? */
  readonly handshakeCodes: boolean;
}

export const PEERS = ['@ws', 'ws'] as const;
export type PeerName = (typeof PEERS)[number];

export async function loadPeer(name: PeerName): Promise<Peer> {
  // The cast forgets what these classes have beyond the API named above.
  const classes: unknown =
    name === 'ws' ? await import('ws') : { ...(await import('@ws/server')), ...(await import('@ws/client')) };
  const { WebSocketServer, WebSocket } = classes as Pick<Peer, 'WebSocketServer' | 'WebSocket'>;
  const errorNames = name === 'ws' ? { Z_DATA_ERROR: 'WS_ERR_INVALID_DEFLATE_DATA' } : {};
  return { name, WebSocketServer, WebSocket, handshakeCodes: name !== 'ws', errorNames };
}

export interface CloseRecord {
  readonly code: number;
  readonly reason: string;
  /** From `CloseInfo`, where there is one: the code of the close frame that we sent. */
  readonly sentCode: number | undefined;
}

const readSentCode = (info: unknown): number | undefined => {
  if (typeof info !== 'object' || info === null || !('sent' in info)) return undefined;
  const { sent } = info;
  return typeof sent === 'object' && sent !== null && 'code' in sent ? Number(sent.code) : undefined;
};

/** Everything the application was told, and the application itself: an echo, or the `App` of the case. */
export class EndpointLog {
  socket: EndpointSocket | undefined;
  opened = false;
  readonly received: Received[] = [];
  readonly errors: string[] = [];
  readonly closes: CloseRecord[] = [];
  /** Events that came after `close`. */
  readonly late: string[] = [];
  stateAtClose: number | undefined;
  readonly #watch: Watch;
  readonly #errorNames: Readonly<Record<string, string>>;

  constructor(watch: Watch, { errorNames = {} }: Pick<Peer, 'errorNames'>) {
    this.#watch = watch;
    this.#errorNames = errorNames;
  }

  attach(socket: EndpointSocket, app: App | undefined): void {
    this.socket = socket;
    const note = (type: string, record: () => void): void => {
      if (this.closes.length > 0) this.late.push(type);
      record();
      this.#watch.poke();
    };
    const take = (type: Received['type'], data: Uint8Array): void =>
      note(type, () => this.received.push({ type, data: Buffer.from(data) }));
    const act = (on: 'open' | 'message'): void => {
      if (app?.kind === 'closes' && app.on === on && socket.readyState === 1)
        socket.close(app.close.code, app.close.reason === undefined ? undefined : String(app.close.reason));
    };
    socket.on('open', () => {
      note('open', () => (this.opened = true));
      act('open');
    });
    socket.on('message', (data: Uint8Array, isBinary: boolean) => {
      take(isBinary ? 'binary' : 'text', data);
      if (app?.kind === 'closes') act('message');
      else echo(socket, data, isBinary, app ?? {});
    });
    socket.on('ping', (data: Uint8Array) => take('ping', data));
    socket.on('pong', (data: Uint8Array) => take('pong', data));
    socket.on('error', ({ code, message }: Error & { code?: unknown }) =>
      note('error', () =>
        this.errors.push(typeof code === 'string' ? (this.#errorNames[code] ?? code) : `no code: ${message}`),
      ),
    );
    socket.on('close', (code: number, reason: Uint8Array, info: unknown) =>
      note('close', () => {
        this.stateAtClose = socket.readyState;
        this.closes.push({ code, reason: Buffer.from(reason).toString(), sentCode: readSentCode(info) });
      }),
    );
    // A server's socket is open already when the application sees it.
    if (socket.readyState === 1) {
      this.opened = true;
      act('open');
    }
  }
}

function echo(
  socket: EndpointSocket,
  data: Uint8Array,
  binary: boolean,
  { fragments = 1, compress }: { readonly fragments?: number; readonly compress?: boolean },
): void {
  const size = Math.ceil(data.length / fragments);
  for (let i = 0; i < fragments; i++) {
    const part = fragments === 1 ? data : data.subarray(i * size, (i + 1) * size);
    const options = { binary, fin: i === fragments - 1, ...(compress === undefined ? {} : { compress }) };
    socket.send(part, options, () => {});
  }
}

export interface Listening {
  readonly server: EndpointServer;
  readonly port: number;
}

export async function listen(
  peer: Peer,
  options: EndpointOptions,
  watch: Watch,
  onSocket: ((socket: EndpointSocket) => void) | undefined,
): Promise<Listening> {
  const server = new peer.WebSocketServer({ ...options, port: 0, host: '127.0.0.1' });
  let listening = false;
  server.on('listening', () => {
    listening = true;
    watch.poke();
  });
  if (onSocket !== undefined) server.on('connection', onSocket);
  try {
    await watch.until(() => listening, 'the server to listen');
  } catch (error) {
    server.close(() => {});
    throw error;
  }
  const address = server.address();
  if (typeof address !== 'object' || address === null || !('port' in address)) throw new Error('no port');
  return { server, port: Number(address.port) };
}

/** Closes the server and waits until it says that it is done: a connection that it forgot would keep it open. */
export async function closeServer({ server }: Listening, watch: Watch): Promise<void> {
  let closed = false;
  server.close(() => {
    closed = true;
    watch.poke();
  });
  await watch.until(() => closed, 'the callback of server.close()');
}
