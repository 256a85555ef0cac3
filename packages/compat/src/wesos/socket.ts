import { Readable, type Duplex } from 'node:stream';
import { WebSocket, type CloseInfo, type ConnectionOptions, type Incoming as Message } from '@ws/connection';
import { forgivePeers } from '../async-listeners.js';
import { Incoming } from './incoming.js';
import { Relay } from './relay.js';

export interface SocketOptions extends Omit<ConnectionOptions, 'incoming' | 'streamThreshold'> {
  /** Our end. @default 'server' */
  readonly role?: 'server' | 'client' | undefined;
  /** Bytes that came behind the request, as the event `'upgrade'` has them. */
  readonly head?: Uint8Array | undefined;
}

/** What listeners of a Socket get. */
export interface SocketEvents {
  /** A message begins; it is read, or it holds up the connection. */
  message: [incoming: Incoming];
  /** It is answered already. */
  ping: [data: Buffer];
  /** The peer's Close frame has come. 1005 for one without a code. */
  close: [code: number, reason: string];
  /** The stream underneath is gone. */
  end: [];
  error: [error: Error];
}

type Listener<Name extends keyof SocketEvents> = (...args: SocketEvents[Name]) => void;

/** One connection: a Readable of its messages, which somebody listens for, reads or pipes; else they are dropped. */
export class Socket extends Readable {
  /** What wesos has no name for is there: `close`, `terminate`, `send`, `ping`, … */
  readonly webSocket: WebSocket;
  #isClosing = false;

  /**
   * Over a byte stream on which the handshake is done, or a WebSocket of `@ws/server` or `@ws/client`.
   * @throws {TypeError} for what is neither, and for a stream that has one already
   */
  constructor(socket: Duplex | WebSocket, options: SocketOptions = {}) {
    const own = { objectMode: true, emitClose: false, autoDestroy: false, captureRejections: true };
    super(own);
    const { role = 'server' } = options;
    const isReady = socket instanceof WebSocket;
    this.webSocket = isReady ? socket : WebSocket.from(socket, { ...options, role, incoming: 'stream' });
    this.webSocket.incoming = 'stream';
    this.webSocket.on('incoming', (message) => this.#receive(message));
    this.webSocket.on('ping', (data) => void this.emit('ping', data));
    this.webSocket.on('closing', (code, reason, initiator) => {
      if (initiator === 'remote') this.#closing(code, reason);
    });
    this.webSocket.on('close', (_code, _reason, info) => this.#closed(info));
    this.webSocket.on('error', (error) => {
      if (this.listenerCount('error') > 0) this.emit('error', error);
    });
  }

  override on<Name extends keyof SocketEvents>(name: Name, listener: Listener<Name>): this;
  override on(...args: Parameters<Readable['on']>): this;
  override on(...args: Parameters<Readable['on']>): this {
    return super.on(...args);
  }
  override once<Name extends keyof SocketEvents>(name: Name, listener: Listener<Name>): this;
  override once(...args: Parameters<Readable['once']>): this;
  override once(...args: Parameters<Readable['once']>): this {
    return super.once(...args);
  }

  /** To a Server: each message goes to all of its sockets, this one included. */
  override pipe<Target extends NodeJS.WritableStream>(target: Target, options?: { end?: boolean | undefined }): Target {
    const relay = Relay.of(target);
    if (relay)
      super.pipe(relay, { end: false }); // it goes on, and has to let go of this one at its end
    else super.pipe(target, options);
    return target;
  }

  override unpipe(target?: NodeJS.WritableStream): this {
    return super.unpipe(target && (Relay.of(target) ?? target));
  }

  override _read(): void {} // messages are pushed, and the connection waits while they are not read

  /** Cuts the connection. */
  override destroy(): this {
    this.webSocket.terminate();
    return this;
  }

  get #isRead(): boolean {
    return this.listenerCount('data') + this.listenerCount('readable') > 0;
  }

  #receive(message: Message): void {
    const isRead = this.#isRead;
    if (!isRead && this.listenerCount('message') === 0) return void message.discard();
    const incoming = new Incoming(message, this.webSocket);
    if (isRead) this.push(incoming);
    this.emit('message', incoming);
  }

  #closing(code: number, reason: string): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.emit('close', code, reason);
  }

  /** 'end' comes in a later tick, also behind a 'close' whose listener throws. */
  #closed({ received }: CloseInfo): void {
    this.push(null);
    while (!this.#isRead && this.readableLength > 0) (this.read() as Incoming).destroy(); // of somebody who has let go
    if (this.readableLength === 0) this.read(0); // 'end', though nobody reads
    if (received) this.#closing(received.code, received.reason);
  }

  static {
    forgivePeers(this);
  }
}
