import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { WebSocket, type BroadcastReport, type WebSocketServer } from '@ws/server';

/** Messages of at most so many bytes go on when they are complete, or not at all; longer ones as they come. */
const WHOLE_UP_TO = 1_048_576;

/** Sends a message that comes in, from a connection of the core or another source, to all clients. Resolves when one of them can take more; rejects if it breaks off. */
export async function forward(
  server: WebSocketServer,
  payload: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  isText: boolean,
  source: object,
): Promise<void> {
  const from = source instanceof WebSocket ? source : undefined;
  const message = server.createBroadcast({ binary: !isText, forward: WHOLE_UP_TO, from });
  let isBehind = false;
  message.on('sent', ({ sent, queued }: BroadcastReport) => (isBehind = sent === 0 && queued > 0));
  await pipeline(payload, message);
  if (isBehind) await roomOf(server);
}

async function roomOf(server: WebSocketServer): Promise<void> {
  const leave = new AbortController();
  const heard = [...server.clients].flatMap((socket) =>
    ['drain', 'close'].map((name) => once(socket, name, { signal: leave.signal }).catch(() => {})),
  );
  await Promise.race(heard);
  leave.abort();
}
