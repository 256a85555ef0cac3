import type { DeflateOptions } from './case.js';
import { opens, request } from './request.js';
import type { RequestRow } from './table.js';

// Offers to our server and what it has to answer, RFC 7692 §5, §7.1. An offer that our server declines is as good as
// none: the next one has its turn, and without another the connection opens uncompressed.

export const PMD = 'permessage-deflate';
export const SERVER = 'server_no_context_takeover';
export const CLIENT = 'client_no_context_takeover';
/** What our server answers where it is free to. */
export const BOTH = `${PMD}; ${SERVER}; ${CLIENT}`;
/** Options with which it answers nothing that was not asked for, as ws 8 does by default. */
export const KEEPS: DeflateOptions = { serverNoContextTakeover: false, clientNoContextTakeover: false };

export interface Offer {
  readonly id: string;
  readonly title?: string;
  readonly offer: string | readonly string[];
  /** null: declined. */
  readonly answer: string | null;
  readonly options?: DeflateOptions | boolean;
  readonly note?: string;
}

export const offerRows = (section: string, usual: DeflateOptions | boolean, offers: readonly Offer[]): RequestRow[] =>
  offers.map(({ id, title, offer, answer, options = usual, note }) => ({
    id,
    section: `RFC 7692 §${section}`,
    title: title ?? `offered: ${[offer].flat().join(' | ')}`,
    options: { perMessageDeflate: options },
    request: request({ 'Sec-WebSocket-Extensions': offer }),
    expect: opens({ 'sec-websocket-extensions': answer }),
    ...(note === undefined ? {} : { note }),
  }));
