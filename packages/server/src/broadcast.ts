import { PreparedMessage, type BufferLike, type Outcome, type SlowConsumer, type WebSocket } from '@ws/connection';
import type { RecipientOptions } from './recipients.js';
import { raise } from './uncaught.js';

/** For `broadcast`. */
export interface BroadcastOptions<Data = unknown> extends RecipientOptions<Data> {
  /** Send as binary, or as text. @default false for strings and numbers, true for all else */
  readonly binary?: boolean | undefined;
  /** Let extensions compress: once for all recipients that agreed alike. @default up to the extension */
  readonly compress?: boolean | undefined;
  /** With the policy `'conflate'`, for a recipient that is behind it takes the place of a message with the same key that is still waiting. */
  readonly key?: unknown;
  /** For this message, in place of the server's. */
  readonly slowConsumer?: SlowConsumer | false | undefined;
}

/** What a broadcast did, in numbers of recipients. */
export interface BroadcastReport {
  /** It is on its way. */
  readonly sent: number;
  /** It waits: the recipient has more than `highWaterMark` to take. */
  readonly queued: number;
  /** It was left out: the recipient is too slow, see `slowConsumer`, or has just gone. */
  readonly dropped: number;
}

/** Sends one message to all of them. A recipient that fails, or a listener of it that throws, stops nothing. */
export function sendToAll(
  recipients: readonly WebSocket[],
  message: PreparedMessage,
  { key, slowConsumer }: Pick<BroadcastOptions, 'key' | 'slowConsumer'>,
): BroadcastReport {
  const options = key === undefined && slowConsumer === undefined ? undefined : { key, slowConsumer };
  const report = { sent: 0, queued: 0, dropped: 0 };
  for (const socket of recipients) report[offer(socket, message, options)]++;
  return report;
}

/** @throws {TypeError} for what cannot be sent */
export function prepare(
  data: BufferLike | PreparedMessage,
  options: Pick<BroadcastOptions, 'binary' | 'compress'>,
): PreparedMessage {
  return data instanceof PreparedMessage ? data : new PreparedMessage(data, options);
}

function offer(
  socket: WebSocket,
  message: PreparedMessage,
  options: Pick<BroadcastOptions, 'key' | 'slowConsumer'> | undefined,
): Outcome {
  if (socket.readyState !== socket.OPEN) return 'dropped'; // since an earlier one was sent it
  try {
    return socket.offer(message, options);
  } catch (error) {
    raise(error); // of a 'slow' listener: the message waits with the others
    return socket.readyState === socket.OPEN ? 'queued' : 'dropped';
  }
}
