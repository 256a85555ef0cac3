import { HandshakeError } from './errors.js';
import { isBlank, isToken, isTokenCode } from './token.js';

/** Parameters in the order they were written, repeats kept; `true` is a parameter without a value. */
export type ExtensionParameters = readonly (readonly [name: string, value: string | true])[];

/** One element of `Sec-WebSocket-Extensions`: an offer in a request, an answer in a response. */
export interface ExtensionOffer {
  readonly name: string;
  readonly parameters: ExtensionParameters;
}

/** What a server can do with the offers for one extension. */
export interface ExtensionNegotiator {
  readonly name: string;
  /** The parameters of the answer, or `undefined` to decline this offer. */
  accept(parameters: ExtensionParameters): ExtensionParameters | undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** A header value and a position that only ever moves forward. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that is not blank, which becomes the position; NaN at the end. */
  next(): number {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at++;
    return this.#text.charCodeAt(this.#at);
  }

  /** Steps over blanks and `code` if that is what comes next. */
  take(code: number): boolean {
    if (this.next() !== code) return false;
    this.#at++;
    return true;
  }

  token(): string {
    this.next();
    const from = this.#at;
    while (isTokenCode(this.#text.charCodeAt(this.#at))) this.#at++;
    if (this.#at === from) throw this.fault();
    return this.#text.slice(from, this.#at);
  }

  /** Behind the opening quote: what stands up to the closing one, unescaped; must be a token all the same. §9.1. */
  quotedToken(): string {
    const pieces: string[] = [];
    let from = this.#at;
    let isEmpty = true;
    while (this.#text.charCodeAt(this.#at) !== QUOTE) {
      if (this.#text.charCodeAt(this.#at) === BACKSLASH) {
        pieces.push(this.#text.slice(from, this.#at));
        from = ++this.#at;
      }
      if (!isTokenCode(this.#text.charCodeAt(this.#at))) throw this.fault(); // the end of the text included
      this.#at++;
      isEmpty = false;
    }
    if (isEmpty) throw this.fault();
    pieces.push(this.#text.slice(from, this.#at++));
    return pieces.join('');
  }

  fault(): HandshakeError {
    const seen = this.#at < this.#text.length ? 'unexpected character' : 'unexpected end';
    return new HandshakeError('WS_ERR_INVALID_EXTENSIONS', `${seen} at ${this.#at}`);
  }
}

/**
 * Reads a `Sec-WebSocket-Extensions` value, in one pass. Knows the grammar alone: whether a parameter is known, or comes twice, is the
 * extension's to judge.
 * @throws {HandshakeError} WS_ERR_INVALID_EXTENSIONS
 */
export function parseExtensions(value: string): ExtensionOffer[] {
  const input = new Scanner(value);
  const offers: ExtensionOffer[] = [];
  do {
    const code = input.next();
    if (code === COMMA || Number.isNaN(code)) continue; // an empty element, RFC 9110 §5.6.1.2
    offers.push(parseExtension(input));
  } while (input.take(COMMA));
  if (offers.length === 0 || !Number.isNaN(input.next())) throw input.fault();
  return offers;
}

/** `token *( ";" token [ "=" ( token | quoted-string ) ] )`. RFC 6455 §9.1. */
function parseExtension(input: Scanner): ExtensionOffer {
  const name = input.token();
  const parameters: [string, string | true][] = [];
  while (input.take(SEMICOLON)) {
    const parameter = input.token();
    if (!input.take(EQUALS)) parameters.push([parameter, true]);
    else parameters.push([parameter, input.take(QUOTE) ? input.quotedToken() : input.token()]);
  }
  return { name, parameters };
}

/**
 * Writes a `Sec-WebSocket-Extensions` value; '' for an empty list. Quotes are never needed, every value being a token. RFC 6455 §9.1.
 * @throws {TypeError} for a name or value that is not a token
 */
export function formatExtensions(list: readonly ExtensionOffer[]): string {
  return list.map(formatExtension).join(', ');
}

function formatExtension({ name, parameters }: ExtensionOffer): string {
  if (!isToken(name)) throw new TypeError('extensions: a name is not a token');
  let text = name;
  for (const [parameter, value] of parameters) {
    if (!isToken(parameter)) throw new TypeError(`extensions: a parameter name of ${name} is not a token`);
    if (value !== true && !isToken(value))
      throw new TypeError(`extensions: ${name}; ${parameter} is neither a token nor true`);
    text += value === true ? `; ${parameter}` : `; ${parameter}=${value}`;
  }
  return text;
}

/**
 * Goes through the offers in the client's order and answers, per extension name, the first one that its negotiator accepts; the rest
 * are declined by being left out. RFC 6455 §9.1.
 */
export function negotiateExtensions(
  offers: readonly ExtensionOffer[],
  supported: readonly ExtensionNegotiator[],
): ExtensionOffer[] {
  const open = new Map<string, ExtensionNegotiator>();
  for (const negotiator of supported) if (!open.has(negotiator.name)) open.set(negotiator.name, negotiator);
  const answers: ExtensionOffer[] = [];
  for (const offer of offers) {
    const parameters = open.get(offer.name)?.accept(offer.parameters);
    if (parameters === undefined) continue;
    answers.push({ name: offer.name, parameters });
    open.delete(offer.name);
  }
  return answers;
}
