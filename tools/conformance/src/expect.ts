import type { App, ClosePayload, Expectation, Outcome, Received } from './case.js';

// Builders for the right-hand columns of the table.

const received = (type: Received['type'], data: string | Uint8Array, reply?: Received['reply']): Received => ({
  type,
  data: typeof data === 'string' ? Buffer.from(data) : data,
  ...(reply === undefined ? {} : { reply }),
});

/** @param reply how the echo has to travel, where permessage-deflate is in use; left out: either way */
export const aText = (data: string | Uint8Array, reply?: Received['reply']): Received => received('text', data, reply);
export const aBinary = (data: string | Uint8Array, reply?: Received['reply']): Received =>
  received('binary', data, reply);
export const aPing = (data: string | Uint8Array): Received => received('ping', data);
export const aPong = (data: string | Uint8Array): Received => received('pong', data);

const expects = (outcome: Outcome, events: readonly Received[]): Expectation => ({ events, pongs: 'yes', outcome });

export const clean = (...events: Received[]): Expectation => expects({ kind: 'clean' }, events);

export const fails = (closeCode: number, error: string | readonly string[], ...events: Received[]): Expectation =>
  expects({ kind: 'fail', closeCode, error }, events);

/** Answered with the same code; 1005: the close frame was empty, and so is the answer. */
export const closes = (code: number, reason: string, ...events: Received[]): Expectation =>
  expects({ kind: 'closed', code, reason }, events);

export const isCut = (...events: Received[]): Expectation => expects({ kind: 'cut' }, events);

export const isReset = (...events: Received[]): Expectation => expects({ kind: 'reset' }, events);

/** Our application sent the close frame `sent`; its `close` event carries `code` and `reason`. */
export const closedByUs = (
  sent: ClosePayload,
  code: number,
  reason: string,
  events: readonly Received[] = [],
  error?: string,
): Expectation => expects({ kind: 'local', sent, code, reason, ...(error === undefined ? {} : { error }) }, events);

export const closeAtOpen = (code?: number, reason?: string): App => ({
  kind: 'closes',
  on: 'open',
  close: { ...(code === undefined ? {} : { code }), ...(reason === undefined ? {} : { reason }) },
});

export const closeAtMessage = (code: number, reason: string): App => ({
  kind: 'closes',
  on: 'message',
  close: { code, reason },
});
