import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { ClientOptions as OurClientOptions, PerMessageDeflateOptions, RawData, CloseInfo } from '@ws/client';
import type { HandleProtocols, ServerOptions as OurServerOptions, WebSocketServerEvents } from '@ws/server';
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
  readonly verifyClient?:
    | VerifyClientCallbackAsync<InstanceType<U>>
    | VerifyClientCallbackSync<InstanceType<U>>
    | OurServerOptions['verifyClient'];
  readonly WebSocket?: T | undefined;
}

export interface AddressInfo {
  address: string;
  family: string;
  port: number;
}

export interface Event {
  type: string;
  target: WebSocket;
}
export interface MessageEvent extends Event {
  data: Data;
}
export interface CloseEvent extends Event {
  wasClean: boolean;
  code: number;
  reason: string;
  readonly info: CloseInfo;
}
export interface ErrorEvent extends Event {
  error: unknown;
  message: string;
}
export interface WebSocketEventMap {
  open: Event;
  error: ErrorEvent;
  close: CloseEvent;
  message: MessageEvent;
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
