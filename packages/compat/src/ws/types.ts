import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type * as Of from '@ws/client';
import type { ClientOptions as OurClientOptions, PerMessageDeflateOptions, RawData } from '@ws/client';
import type {
  HandleProtocols,
  ServerOptions as OurServerOptions,
  VerifyClientCallbackSync as VerifyClientSync,
  WebSocketServerEvents,
} from '@ws/server';
import type { Duplex } from 'node:stream';
import type { WebSocket } from './websocket.js';

export type Instance = WebSocket;
export type AnyWebSocket = typeof WebSocket;
export type AnyRequest = typeof IncomingMessage;

// The names of @types/ws; what is ours besides can be given too.

export type { PerMessageDeflateOptions, RawData };
export type Data = string | RawData;
export type CertMeta = string | string[] | Buffer | Buffer[];

interface VerifyClientInfo<Request> {
  origin: string;
  secure: boolean;
  req: Request;
}
export type VerifyClientCallbackSync<Request extends IncomingMessage = IncomingMessage> = (
  info: VerifyClientInfo<Request>,
) => boolean;
export type VerifyClientCallbackAsync<Request extends IncomingMessage = IncomingMessage> = (
  info: VerifyClientInfo<Request>,
  callback: (res: boolean, code?: number, message?: string, headers?: OutgoingHttpHeaders) => void,
) => void;
export type FinishRequestCallback = (request: ClientRequest, websocket: WebSocket) => void;

export interface ClientOptions extends Omit<OurClientOptions, 'protocolVersion' | 'finishRequest'> {
  readonly protocolVersion?: number | undefined;
  readonly finishRequest?: FinishRequestCallback | undefined;
}

type Ours = Omit<OurServerOptions, 'handleProtocols' | 'server' | 'verifyClient' | 'WebSocket'>;

export interface ServerOptions<T extends AnyWebSocket = AnyWebSocket, U extends AnyRequest = AnyRequest> extends Ours {
  readonly server?: HttpServer<U> | HttpsServer<U> | undefined;
  readonly handleProtocols?:
    ((protocols: Set<string>, request: InstanceType<U>) => ReturnType<HandleProtocols>) | undefined;
  /** Of one kind of `info`: from two kinds TypeScript tells a function without types none. */
  readonly verifyClient?:
    | VerifyClientCallbackAsync<InstanceType<U>>
    | ((info: VerifyClientInfo<InstanceType<U>>) => ReturnType<VerifyClientSync>)
    | undefined;
  readonly WebSocket?: T | undefined;
}

export interface AddressInfo {
  address: string;
  family: string;
  port: number;
}

export type Event = Of.Event<WebSocket>;
export type CloseEvent = Of.CloseEvent<WebSocket>;
export type ErrorEvent = Of.ErrorEvent<WebSocket>;
/** Without the Blob that `binaryType = 'blob'` gives: who sets that knows it. */
export interface MessageEvent<Target = WebSocket> extends Of.MessageEvent<Target> {
  readonly data: Data;
}
export interface WebSocketEventMap<Target = WebSocket> {
  open: Of.Event<Target>;
  error: Of.ErrorEvent<Target>;
  close: Of.CloseEvent<Target>;
  message: MessageEvent<Target>;
}
export interface EventListenerOptions {
  once?: boolean | undefined;
}

/** What listeners of a server get, by its class of sockets and of requests. */
export interface ServerEvents<T extends AnyWebSocket, U extends AnyRequest> extends Omit<
  WebSocketServerEvents,
  'connection' | 'headers' | 'wsClientError'
> {
  // oxlint-disable-next-line typescript/no-explicit-any -- as in @ws/server
  connection: [socket: InstanceType<T>, request: InstanceType<U>, ...extra: any[]];
  headers: [headers: string[], request: InstanceType<U>];
  wsClientError: [error: Error, socket: Duplex, request: InstanceType<U>];
}

/** What `send` answers: a boolean. In @types/ws it is void, so functions that answer nothing return it, and subclasses that override it. */
// oxlint-disable-next-line typescript/no-explicit-any -- no other type is a boolean and void as well: the intersection is never
export type Sent = any;

// Methods to the compiler, so that a subclass is a WebSocket to it.
export type OnMessage<Self> = { handle(event: MessageEvent<Self>): void }['handle'] | null;
export type EventListener<Self, Type extends keyof WebSocketEventMap> =
  | { handle(this: Self, event: WebSocketEventMap<Self>[Type]): void }['handle']
  | { handleEvent(event: WebSocketEventMap<Self>[Type]): void };

/** Of `ping` and `pong`. A method to the compiler, so that the error need not be optional: @types/ws has it without a question mark. */
export type ControlCallback = { told(error?: Error): void }['told'];

export type Listener<Self, Told extends unknown[]> = (this: Self, ...told: Told) => void;

/** As Node's emitters have it, with `this`, and with events of the program's own. */
export interface Emitting<Events extends Record<keyof Events, unknown[]>> {
  on<Type extends keyof Events>(event: Type, listener: Listener<this, Events[Type]>): this;
  on(event: string | symbol, listener: AnyListener<this>): this;
  once<Type extends keyof Events>(event: Type, listener: Listener<this, Events[Type]>): this;
  once(event: string | symbol, listener: AnyListener<this>): this;
  off<Type extends keyof Events>(event: Type, listener: Listener<this, Events[Type]>): this;
  off(event: string | symbol, listener: AnyListener<this>): this;
  addListener<Type extends keyof Events>(event: Type, listener: Listener<this, Events[Type]>): this;
  addListener(event: string | symbol, listener: AnyListener<this>): this;
  removeListener<Type extends keyof Events>(event: Type, listener: Listener<this, Events[Type]>): this;
  removeListener(event: string | symbol, listener: AnyListener<this>): this;
  emit<Type extends keyof Events>(event: Type, ...told: Events[Type]): boolean;
  emit(event: string | symbol, ...told: unknown[]): boolean;
}
// oxlint-disable-next-line typescript/no-explicit-any -- what else there is, only the program knows
export type AnyListener<Self> = (this: Self, ...told: any[]) => void;
