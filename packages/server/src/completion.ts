import type { IncomingMessage } from 'node:http';
import type { ConnectionOptions, WebSocket } from '@ws/connection';
import { acceptingText, shownLines } from './accepting.js';
import { createExtensions, type ServerExtension } from './extensions.js';
import type { ResolvedServerOptions } from './options.js';
import { ignoreError, type Refusal, type RefusalReason } from './refusal.js';
import type { AcceptedUpgrade, Client, UpgradeCall } from './upgrade-host.js';

/** What the last step of a handshake needs of its server. */
export interface Completion<Data> {
  readonly options: ResolvedServerOptions<Data>;
  readonly connectionOptions: ConnectionOptions;
  readonly extensions: readonly ServerExtension[];
  /** @returns undefined as long as the server takes connections */
  closing(): Refusal | undefined;
  refuse(client: Client, refusal: Refusal): void;
  hasHeadersListener(): boolean;
  emitHeaders(lines: string[], request: IncomingMessage): void;
  /** Before anybody else knows of it. */
  opened(socket: WebSocket<Data>): void;
}

/** Sends the 101, makes the connection and gives it to the callback. */
export function complete<Data>(host: Completion<Data>, accepted: AcceptedUpgrade<Data>, call: UpgradeCall<Data>): void {
  const { request, socket, head, callback } = call;
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const { offer, protocol, extensions, remoteAddress, data } = accepted;
  const client: Client = { request, socket, remoteAddress };
  const closing = host.closing();
  if (closing) return host.refuse(client, closing);
  const { options, connectionOptions } = host;
  const make = (): WebSocket<Data> => new options.WebSocket(null, undefined, connectionOptions);
  const webSocket = orAnswer500(host, 'WebSocket', client, make);
  const text = host.hasHeadersListener() ? textAsShown(host, accepted, client) : acceptingText(accepted);
  if (text === undefined) return;
  const closed = host.closing(); // by whom we asked
  if (closed) return host.refuse(client, closed);

  if (data !== undefined) webSocket.data = data;
  socket.write(text, 'latin1');
  webSocket.setSocket(socket, head, {
    role: 'server',
    protocol,
    requestedProtocols: offer.protocols,
    extensions: createExtensions(extensions, host.extensions),
    remoteAddress,
    request,
    options: connectionOptions,
  });
  socket.off('error', ignoreError);
  host.opened(webSocket);
  callback(webSocket, request);
}

/** The 101 with what 'headers' listeners added; undefined if that was refused. */
function textAsShown<Data>(
  host: Completion<Data>,
  accepted: AcceptedUpgrade<Data>,
  client: Client,
): string | undefined {
  const shown = shownLines(accepted);
  orAnswer500(host, 'headers', client, () => host.emitHeaders(shown.lines, client.request));
  try {
    return shown.text();
  } catch (error) {
    host.refuse(client, { reason: 'headers', status: 500, error });
    return undefined;
  }
}

/** An exception of the user's listener or class goes its way; the peer has its answer all the same. */
function orAnswer500<Data, Result>(
  host: Completion<Data>,
  reason: RefusalReason,
  client: Client,
  act: () => Result,
): Result {
  try {
    return act();
  } catch (error) {
    host.refuse(client, { reason, status: 500, error });
    throw error;
  }
}
