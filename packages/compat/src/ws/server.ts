import type { IncomingMessage } from 'node:http';
import type { Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer as Server, type ServerOptions as OurOptions, type UpgradeRequest } from '@ws/server';
import { serverOptions } from './defaults.js';
import { headersOf, isAsSent } from './made-request.js';
import type { AnyRequest, AnyWebSocket, Emitting, ServerEvents, ServerOptions } from './types.js';
import { WebSocket } from './websocket.js';

type Retyped = keyof Emitting<object> | 'clients' | 'handleUpgrade' | 'handshakeOf' | 'shouldHandle';

/** A server of `@ws/server` in the types of @types/ws: its sockets and requests are of the classes that it was given. */
type TypedServer<T extends AnyWebSocket, U extends AnyRequest> = Omit<Server, Retyped> &
  Emitting<ServerEvents<T, U>> & {
    clients: Set<InstanceType<T>>;
    handleUpgrade(
      request: InstanceType<U>,
      socket: Duplex,
      head: Buffer,
      callback: (client: InstanceType<T>, request: InstanceType<U>) => void,
    ): void;
    handshakeOf(request: IncomingMessage): UpgradeRequest;
    shouldHandle(request: InstanceType<U>): boolean | Promise<boolean>;
  };

const Base = Server as unknown as new <T extends AnyWebSocket, U extends AnyRequest>(
  options: OurOptions,
  callback: (() => void) | undefined,
) => TypedServer<T, U>;

/** As in `ws` 8: with none of the guards of `@ws/server`, unless they are asked for. */
export class WebSocketServer<T extends AnyWebSocket = AnyWebSocket, U extends AnyRequest = AnyRequest> extends Base<
  T,
  U
> {
  constructor(options?: ServerOptions<T, U>, callback?: () => void) {
    super({ WebSocket, ...serverOptions(options as unknown as OurOptions) }, callback);
  }

  /** As programs for `ws` reach for it: `_server.address().port`, `_server.close()`. */
  get _server(): NetServer | null {
    return super.listener ?? null;
  }

  override handshakeOf(request: IncomingMessage): UpgradeRequest {
    const handshake = super.handshakeOf(request);
    return isAsSent(request) ? handshake : { ...handshake, target: '/', headers: headersOf(request) };
  }
}
