import { channel } from 'node:diagnostics_channel';

/**
 * The channels of node:diagnostics_channel on which all connections of the process, servers' and clients', tell what happens: docs/diagnostics.md is
 * the contract. Who publishes looks first whether somebody listens.
 */
export const channels = {
  /** An opening handshake begins. */
  handshake: channel('ws:handshake'),
  open: channel('ws:open'),
  /** A message came to its end, or was given to `send`. */
  message: channel('ws:message'),
  /** More waits to be sent than should, and does not any more. */
  backpressure: channel('ws:backpressure'),
  /** A server refused a client. */
  refused: channel('ws:refused'),
  close: channel('ws:close'),
} as const;

/** @param data of a message that is taken as it comes, the stream of it */
export function tellMessage(socket: object, direction: 'in' | 'out', data: unknown, isBinary: boolean): void {
  channels.message.publish({ socket, direction, data, isBinary });
}

/** `state`: `send` returns false, and does not any more; the peer is slow by the option `slowConsumer`, and is not any more. */
export function tellBackpressure(
  socket: { readonly bufferedAmount: number },
  state: 'full' | 'drained' | 'slow' | 'recovered',
): void {
  if (!channels.backpressure.hasSubscribers) return;
  channels.backpressure.publish({ socket, state, bufferedAmount: socket.bufferedAmount });
}
