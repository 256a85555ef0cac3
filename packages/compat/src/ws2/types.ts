import type { ClientRequest, IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { ClientOptions } from '@ws/client';
import type { ServerOptions as CoreServerOptions } from '@ws/server';

export type CoreDeflate = Exclude<NonNullable<ClientOptions['perMessageDeflate']>, boolean>;

/** Parameters of permessage-deflate; those of the core may be among them. */
export interface DeflateOptions extends CoreDeflate {
  /** Memory of zlib's compressors, 1 to 9. @default 8 */
  readonly memLevel?: number | undefined;
}

/** What can be sent. */
export type Sendable = string | number | boolean | ArrayBuffer | ArrayBufferView | null | undefined;

/** Sends a fragment; `final` ends the message. */
export type SendFragment = (data?: Sendable, final?: boolean) => void;

/** Asked for the next fragment, or told what went wrong. */
export type StreamCallback = (error: Error | null, send?: SendFragment) => void;

/** What came with a message, a ping or a pong. */
export interface Flags {
  /** The peer masks, as clients do. */
  readonly masked: boolean;
  /** true; not there for text. A boolean to the compiler, as the listeners of programs have it. */
  readonly binary: boolean;
}

/** Arguments of each event. */
export interface WebSocketEvents {
  open: [];
  message: [data: string | Buffer, flags: Flags];
  ping: [data: Buffer, flags: Flags];
  pong: [data: Buffer, flags: Flags];
  close: [code: number, message: string];
  error: [error: Error];
  'unexpected-response': [request: ClientRequest, response: IncomingMessage];
}

interface EventOf<Type, Target> {
  readonly type: Type;
  readonly target: Target;
}

/** What W3C listeners get. */
export interface EventTypes<Target> {
  open: EventOf<'open', Target>;
  message: EventOf<'message', Target> & { readonly data: string | Buffer | ArrayBuffer; readonly binary: boolean };
  close: EventOf<'close', Target> & { readonly code: number; readonly reason: string; readonly wasClean: boolean };
  error: EventOf<'error', Target> & Error;
}
/** A method to the compiler: parameters of these may be narrower. */
export type Handler<Event> = { handle(event: Event): void }['handle'];

/** An upgrade that was answered: the request, its stream, and what came behind it. */
export type Upgraded = readonly [request: IncomingMessage, socket: Duplex, rest?: Uint8Array | null];

/** Options of a client; those of `@ws/client` may be among them. */
export interface WebSocketOptions extends Omit<
  ClientOptions,
  'perMessageDeflate' | 'origin' | 'host' | 'protocolVersion' | 'localAddress'
> {
  /** The `Sec-WebSocket-Protocol` of the request. @default the argument `protocols` */
  readonly protocol?: string | null | undefined;
  /** 8 or 13. @default 13 */
  readonly protocolVersion?: number | null | undefined;
  readonly host?: string | null | undefined;
  readonly origin?: string | null | undefined;
  readonly localAddress?: string | null | undefined;
  /** @default true */
  readonly perMessageDeflate?: boolean | DeflateOptions | null | undefined;
  /** Where the address is a socket of the core that a server made: the request that it came with. */
  readonly upgradeReq?: IncomingMessage | undefined;
}

/** What `send` is told. */
export interface SendOptions {
  readonly compress?: boolean | undefined;
  readonly binary?: boolean | undefined;
  /** The role decides. */
  readonly mask?: boolean | undefined;
  readonly fin?: boolean | undefined;
}

/** What `ping`, `pong` and `stream` are told. */
export type ControlOptions = Pick<SendOptions, 'binary' | 'mask'>;

/** What `verifyClient` decides by. */
export interface ClientInfo {
  /** undefined for clients that are no browsers; a string to the compiler, as programs have it. */
  readonly origin: string;
  readonly req: IncomingMessage;
  readonly secure: boolean;
}

/** With one parameter it answers, with two it calls back: the refusal's status and reason phrase may be told. */
export type VerifyClientOption = (
  info: ClientInfo,
  callback: (result: unknown, code?: number, name?: string) => void,
) => unknown;

type ProtocolChoice = string | false | null | undefined | void;

/** Chooses one of the client's protocols, or promises to; `false` refuses the client. With two parameters it calls back, as in `ws` 1. */
export type HandleProtocolsOption = (
  protocols: string[],
  callback: (result: unknown, protocol?: string) => void,
) => ProtocolChoice | Promise<ProtocolChoice>;

/** Those of `@ws/server` may be among them. */
export interface ServerOptions extends Omit<
  CoreServerOptions,
  | 'host'
  | 'port'
  | 'server'
  | 'noServer'
  | 'path'
  | 'verifyClient'
  | 'handleProtocols'
  | 'perMessageDeflate'
  | 'WebSocket'
> {
  readonly host?: string | null | undefined;
  /** Of a server of its own; goes before `server`. */
  readonly port?: number | null | undefined;
  readonly server?: HttpServer | HttpsServer | null | undefined;
  readonly noServer?: boolean | null | undefined;
  readonly path?: string | null | undefined;
  readonly verifyClient?: VerifyClientOption | null | undefined;
  readonly handleProtocols?: HandleProtocolsOption | null | undefined;
  /** @default true */
  readonly perMessageDeflate?: boolean | DeflateOptions | null | undefined;
  /** Ms that clients have to answer our Close frame when the server is closed. @default 0, none: they are cut behind it */
  readonly graceMs?: number | null | undefined;
}
