import { acceptFor, formatResponse, upgradeResponse, type UpgradeOffer } from '@ws/handshake';
import { addedHeaders, responseLines } from './headers-event.js';
import type { AcceptedUpgrade } from './upgrade-host.js';

const SAMPLE: UpgradeOffer = {
  version: 13,
  key: 'dGhlIHNhbXBsZSBub25jZQ==',
  host: undefined,
  origin: undefined,
  path: '/',
  protocols: [],
  extensions: [],
};
/** What nearly every 101 is, around the answer to its key. To make a list of it each time, and to check each character, is a tenth of what we do for a handshake. */
const [BEFORE, BEHIND] = formatResponse(upgradeResponse(SAMPLE)).split(acceptFor(SAMPLE.key));

/** The 101 as text. */
export function acceptingText({ offer, protocol, extensions }: AcceptedUpgrade<unknown>): string {
  if (protocol === '' && extensions.length === 0) return `${BEFORE}${acceptFor(offer.key)}${BEHIND}`;
  return formatResponse(upgradeResponse(offer, { protocol, extensions }));
}

/** As the event `'headers'` shows it. */
export interface ShownLines {
  /** What listeners change. */
  readonly lines: string[];
  /** The 101 as text, with what they added. @throws {TypeError} for what may not be sent */
  text(): string;
}

export function shownLines({ offer, protocol, extensions }: AcceptedUpgrade<unknown>): ShownLines {
  const own = responseLines(upgradeResponse(offer, { protocol, extensions }));
  const lines = [...own];
  return {
    lines,
    text: () => formatResponse(upgradeResponse(offer, { protocol, extensions, headers: addedHeaders(lines, own) })),
  };
}
