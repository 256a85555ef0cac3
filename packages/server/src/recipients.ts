import { WebSocket } from '@ws/connection';

/** A method, so that a server of something is also a server of anything. */
interface Filter<Data> {
  asks(socket: WebSocket<Data>): boolean;
}

/** Whom a broadcast is for. */
export interface RecipientOptions<Data = unknown> {
  /** Sockets that are left out. */
  readonly except?: WebSocket | Iterable<WebSocket> | null | undefined;
  /** Asked for each open connection before anything is sent; what it throws leaves the call, and nothing is sent. */
  readonly filter?: Filter<Data>['asks'] | undefined;
}

/** @throws {TypeError} naming the option that is not what it has to be */
export function checkRecipients<Data>({ except, filter }: RecipientOptions<Data>): void {
  if (filter !== undefined && typeof filter !== 'function')
    throw new TypeError(`filter is ${typeof filter}, expected a function`);
  if (except === undefined || except === null || except instanceof WebSocket) return;
  if (typeof except !== 'object' || typeof except[Symbol.iterator] !== 'function')
    throw new TypeError('except is neither a WebSocket nor an iterable of them');
}

/** Those that are open now. Whatever happens while they are sent something, it is for these. */
export function selectRecipients<Data>(
  clients: Iterable<WebSocket<Data>>,
  { except, filter }: RecipientOptions<Data>,
): WebSocket<Data>[] {
  const leftOut = !except || except instanceof WebSocket ? except : new Set(except);
  const recipients: WebSocket<Data>[] = [];
  for (const socket of clients) {
    if (socket.readyState !== socket.OPEN) continue;
    if (leftOut && (leftOut instanceof Set ? leftOut.has(socket) : leftOut === socket)) continue;
    if (filter === undefined || isWanted(filter(socket))) recipients.push(socket);
  }
  return recipients;
}

function isWanted(answer: unknown): boolean {
  if (typeof answer === 'object' && answer !== null && 'then' in answer)
    throw new TypeError('filter gave a Promise, expected a boolean'); // which would be true for everybody
  return Boolean(answer);
}
