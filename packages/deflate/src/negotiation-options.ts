/** What one end wants of permessage-deflate. What is left out is the other end's to decide, as far as the RFC lets it. */
export interface NegotiationOptions {
  /**
   * The server begins each message with an empty window. Server: true and undefined: it says so in its answer; 'as-offered': where the
   * offer demands it, as ws 8 does by default; false: it does not, and declines an offer that demands it. Client: true: demands it.
   */
  readonly serverNoContextTakeover?: boolean | 'as-offered' | undefined;
  /**
   * The client begins each message with an empty window. Server: true and undefined: it demands so; false: it does not, but
   * takes up what is announced. Client: true: announces it; false: takes no answer that demands it.
   */
  readonly clientNoContextTakeover?: boolean | undefined;
  /**
   * Largest window of the server, 8 to 15. Server: a number declines offers that demand less; undefined: what the client demands; false:
   * declines offers that demand one. Client: a number demands it.
   */
  readonly serverMaxWindowBits?: number | false | undefined;
  /**
   * Largest window of the client, 8 to 15. Server: a number demands it, and declines offers that do not allow that; undefined and true:
   * what the client announces; false: never demanded. Client: a number announces it; undefined and true: the server may demand one;
   * false: it may not.
   */
  readonly clientMaxWindowBits?: number | boolean | undefined;
}

/** @throws {TypeError | RangeError} naming the option */
export function checkNegotiationOptions(options: NegotiationOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options is ${show(options)}, expected an object`);
  }
  const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } = options;
  if (serverNoContextTakeover !== 'as-offered') checkFlag('serverNoContextTakeover', serverNoContextTakeover);
  checkFlag('clientNoContextTakeover', clientNoContextTakeover);
  if (serverMaxWindowBits !== false) checkBits('serverMaxWindowBits', serverMaxWindowBits, 'false');
  if (typeof clientMaxWindowBits !== 'boolean') checkBits('clientMaxWindowBits', clientMaxWindowBits, 'a boolean');
}

function checkFlag(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'boolean') {
    throw new TypeError(`${name} is ${show(value)}, expected a boolean`);
  }
}

function checkBits(name: string, value: unknown, other: string): void {
  if (value === undefined) return;
  const message = `${name} is ${show(value)}, expected 8 to 15 or ${other}`;
  if (typeof value !== 'number') throw new TypeError(message);
  if (!Number.isInteger(value) || value < 8 || value > 15) throw new RangeError(message);
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 32));
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
