import type { Duplex } from 'node:stream';
import {
  WebSocket as Client,
  type BufferLike,
  type ClientOptions,
  type LimitOptions,
  type SendCallback,
  type SendOptions,
  type SocketOptions,
  type WebSocketEvents,
} from '@ws/client';
import { clientOptions } from './defaults.js';
import type { PerMessageDeflate } from './permessage-deflate.js';
import { Sender } from './sender.js';
import type * as types from './types.js';
import type { AnyListener, ControlCallback, EventListener, Listener, OnMessage, Sent } from './types.js';

type Sendable = Parameters<Client['offer']>[0];

/** Of those whose `_sender` was asked for. */
const senders = new WeakMap<WebSocket, Sender>();

/**
 * Both ends, as in `ws` 8: by address it is a client, and the connections of a `WebSocketServer` are instances too.
 * Offers compression as `ws` does; all else is a WebSocket of `@ws/client`.
 */
// oxlint-disable-next-line typescript/no-explicit-any -- `data` is the user's own
export class WebSocket extends Client<any> {
  constructor(address: null, protocols?: undefined, options?: types.ClientOptions);
  constructor(address: string | URL, options?: types.ClientOptions);
  constructor(address: string | URL, protocols?: string | readonly string[], options?: types.ClientOptions);
  constructor(
    address: string | URL | null,
    second?: string | readonly string[] | types.ClientOptions,
    third?: types.ClientOptions,
  ) {
    const isOptions = typeof second === 'object' && second !== null && !Array.isArray(second);
    const [protocols, options] = isOptions ? [undefined, second as types.ClientOptions] : [second, third];
    if (address === null) super(null, undefined, options);
    else super(address, protocols as string | readonly string[] | undefined, clientOptions(options as ClientOptions));
  }

  /** For programs that make an end of their own: `new WebSocket(null)`, `_isServer = false`, `setSocket(duplex, head, { maxPayload })`. */
  declare _isServer?: boolean;
  /** For these too: each has accepted what was agreed. */
  declare _extensions?: Readonly<Record<string, PerMessageDeflate>>;

  /** CONNECTING to OPEN. Without a role it is a server's end, as in `ws`, unless `_isServer` says otherwise. */
  override setSocket(duplex: Duplex, head: Uint8Array, options: Partial<SocketOptions> & LimitOptions): void {
    const { role = this._isServer === false ? 'client' : 'server', maxPayload } = options;
    if (maxPayload !== undefined) super.limits.update({ maxPayload });
    const extensions = Object.values(this._extensions ?? {}).map(({ codec }) => codec);
    super.setSocket(duplex, head, { extensions, ...options, role });
  }

  /** As in `ws`, `binary: undefined` says no, and leaves it not to what the data is. */
  override send(data: Sendable, second?: SendOptions | SendCallback, callback?: SendCallback): Sent {
    const options = second as SendOptions | undefined; // or a callback, which has no `binary`
    const saysNo = options && options.binary === undefined && Object.hasOwn(options, 'binary');
    return super.send(data, saysNo ? { ...options, binary: false } : options, callback);
  }

  /** As in `ws`, what is neither a string nor bytes is no reason. */
  override close(code?: number, reason?: string | Uint8Array): void {
    super.close(code, typeof reason === 'string' || ArrayBuffer.isView(reason) ? reason : undefined);
  }

  /** The stream underneath, as programs for `ws` reach for it: for addresses, certificates and `setNoDelay`. null before it is there. */
  get _socket(): Duplex | null {
    return super.duplex ?? null;
  }

  get _readyState(): number {
    return this.readyState;
  }

  /** Sends frames that `WebSocket.Sender.frame` made. */
  get _sender(): Sender {
    let sender = senders.get(this);
    if (sender === undefined) senders.set(this, (sender = new Sender(this)));
    return sender;
  }
}

/** As @types/ws has it: with `this`, and with events of the program's own. */
export interface WebSocket {
  on<Type extends keyof WebSocketEvents>(event: Type, listener: Listener<this, WebSocketEvents[Type]>): this;
  on(event: string | symbol, listener: AnyListener<this>): this;
  once<Type extends keyof WebSocketEvents>(event: Type, listener: Listener<this, WebSocketEvents[Type]>): this;
  once(event: string | symbol, listener: AnyListener<this>): this;
  off<Type extends keyof WebSocketEvents>(event: Type, listener: Listener<this, WebSocketEvents[Type]>): this;
  off(event: string | symbol, listener: AnyListener<this>): this;
  addListener<Type extends keyof WebSocketEvents>(event: Type, listener: Listener<this, WebSocketEvents[Type]>): this;
  addListener(event: string | symbol, listener: AnyListener<this>): this;
  removeListener<Type extends keyof WebSocketEvents>(
    event: Type,
    listener: Listener<this, WebSocketEvents[Type]>,
  ): this;
  removeListener(event: string | symbol, listener: AnyListener<this>): this;
  emit<Type extends keyof WebSocketEvents>(event: Type, ...told: WebSocketEvents[Type]): boolean;
  emit(event: string | symbol, ...told: unknown[]): boolean;
  get onmessage(): OnMessage<this>;
  set onmessage(listener: OnMessage<this>);
  addEventListener<Type extends keyof types.WebSocketEventMap>(
    type: Type,
    listener: EventListener<this, Type>,
    options?: types.EventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof types.WebSocketEventMap>(
    type: Type,
    listener: EventListener<this, Type>,
  ): void;
  send(data: Sendable, callback?: SendCallback): Sent;
  send(data: Sendable, options: SendOptions | undefined, callback?: SendCallback): Sent;
  ping(data?: BufferLike, mask?: boolean, callback?: ControlCallback): void;
  ping(data: BufferLike | undefined, callback: ControlCallback): void;
  ping(callback: ControlCallback): void;
  pong(data?: BufferLike, mask?: boolean, callback?: ControlCallback): void;
  pong(data: BufferLike | undefined, callback: ControlCallback): void;
  pong(callback: ControlCallback): void;
}

/** As @types/ws has it: the types, and what else hangs on the class. */
export declare namespace WebSocket {
  type AddressInfo = types.AddressInfo;
  type CertMeta = types.CertMeta;
  type ClientOptions = types.ClientOptions;
  type CloseEvent = types.CloseEvent;
  type Data = types.Data;
  type ErrorEvent = types.ErrorEvent;
  type Event = types.Event;
  type EventListenerOptions = types.EventListenerOptions;
  type FinishRequestCallback = types.FinishRequestCallback;
  type MessageEvent = types.MessageEvent;
  type PerMessageDeflateOptions = types.PerMessageDeflateOptions;
  type RawData = types.RawData;
  type Server<
    T extends types.AnyWebSocket = types.AnyWebSocket,
    U extends types.AnyRequest = types.AnyRequest,
  > = import('./server.js').WebSocketServer<T, U>;
  type ServerOptions<
    T extends types.AnyWebSocket = types.AnyWebSocket,
    U extends types.AnyRequest = types.AnyRequest,
  > = types.ServerOptions<T, U>;
  type VerifyClientCallbackAsync<R extends InstanceType<types.AnyRequest> = InstanceType<types.AnyRequest>> =
    types.VerifyClientCallbackAsync<R>;
  type VerifyClientCallbackSync<R extends InstanceType<types.AnyRequest> = InstanceType<types.AnyRequest>> =
    types.VerifyClientCallbackSync<R>;
  type WebSocket = types.Instance;
  type WebSocketEventMap = types.WebSocketEventMap;
  type WebSocketServer = Server;

  const createWebSocketStream: typeof import('@ws/client').createWebSocketStream;
  const extension: typeof import('./header-values.js').extension;
  const PerMessageDeflate: typeof import('./permessage-deflate.js').PerMessageDeflate;
  const Receiver: typeof import('./receiver.js').Receiver;
  const Sender: typeof import('./sender.js').Sender;
  const Server: typeof import('./server.js').WebSocketServer;
  const subprotocol: typeof import('./header-values.js').subprotocol;
  const WebSocket: types.AnyWebSocket;
  const WebSocketServer: typeof import('./server.js').WebSocketServer;
}
