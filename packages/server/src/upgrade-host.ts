import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from '@ws/connection';
import type { ExtensionNegotiator, ExtensionOffer, HandshakeError, UpgradeOffer, UpgradeRequest } from '@ws/handshake';
import type { Admission } from './admission.js';
import type { ResolvedServerOptions } from './options.js';
import type { Pending } from './pending.js';
import { answerAndClose, serializeRefusal, type Refusal, type RefusalReason } from './refusal.js';

/** Gets the open connection. */
export type UpgradeCallback<Data> = (socket: WebSocket<Data>, request: IncomingMessage) => void;

/** One handshake as `handleUpgrade` got it. */
export interface UpgradeCall<Data> {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Uint8Array;
  readonly callback: UpgradeCallback<Data>;
}

/** Who is answered. */
export interface Client {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** Where it was made out; else the stream has one, perhaps of a proxy. */
  readonly remoteAddress?: string | undefined;
}

/** What everybody who was asked agreed to. */
export interface AcceptedUpgrade<Data> {
  readonly offer: UpgradeOffer;
  /** '' for none. */
  readonly protocol: string;
  readonly extensions: readonly ExtensionOffer[];
  /** The client's address, where `trustProxy` says how to find it; else undefined. */
  readonly remoteAddress: string | undefined;
  /** From `verifyClient`. */
  readonly data: Data | undefined;
}

/** What a handshake needs of its server. */
export interface UpgradeHost<Data> {
  readonly options: ResolvedServerOptions<Data>;
  readonly extensions: readonly ExtensionNegotiator[];
  readonly admission: Admission;
  readonly pending: Pending;
  isClosing(): boolean;
  handshakeOf(request: IncomingMessage): UpgradeRequest;
  shouldHandle(request: IncomingMessage): boolean | PromiseLike<boolean>;
  complete(accepted: AcceptedUpgrade<Data>, call: UpgradeCall<Data>): void;
  /** Offers the socket of a malformed request to a `'wsClientError'` listener. @returns whether there was one */
  giveAway(error: HandshakeError, client: Client): boolean;
  emitRefused(reason: RefusalReason, client: Client, error: unknown): void;
}

/** The answer first, the event then: a listener that throws does not keep the peer waiting. */
export function refuseClient<Data>(
  host: Pick<UpgradeHost<Data>, 'admission' | 'emitRefused'>,
  client: Client,
  refusal: Refusal,
): void {
  const { text, error } = serializeRefusal(refusal);
  host.admission.leave(client.socket);
  answerAndClose(client.socket, text);
  host.emitRefused(refusal.reason, client, error);
}
