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

/** Read behind the last character. */
const END = -1;

/** A header value and a position in it that only ever moves forward. */
class Scanner {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  private get code(): number {
    return this.at < this.text.length ? this.text.charCodeAt(this.at) : END;
  }

  /** Steps over blanks; the character that comes next, or END. */
  next(): number {
    while (isBlank(this.code)) this.at++;
    return this.code;
  }

  /** Steps over blanks, and over `code` if that is what comes next. */
  take(code: number): boolean {
    if (this.next() !== code) return false;
    this.at++;
    return true;
  }

  token(): string {
    this.next();
    const from = this.at;
    while (isTokenCode(this.code)) this.at++;
    if (this.at === from) throw this.fault();
    return this.text.slice(from, this.at);
  }

  /** Behind the opening quote: what stands up to the closing one, unescaped; must be a token all the same. §9.1. */
  quotedToken(): string {
    const pieces: string[] = [];
    let from = this.at;
    let isEmpty = true;
    while (isEmpty || this.code !== QUOTE) {
      if (this.code === BACKSLASH) {
        pieces.push(this.text.slice(from, this.at));
        from = ++this.at;
      }
      if (!isTokenCode(this.code)) throw this.fault(); // END and, at the very start, QUOTE are none either
      this.at++;
      isEmpty = false;
    }
    pieces.push(this.text.slice(from, this.at++));
    return pieces.join('');
  }

  fault(): HandshakeError {
    const seen = this.code === END ? 'unexpected end' : 'unexpected character';
    return new HandshakeError('WS_ERR_INVALID_EXTENSIONS', `${seen} at ${this.at}`);
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
    if (code === COMMA || code === END) continue; // an empty element, RFC 9110 §5.6.1.2
    offers.push(parseExtension(input));
  } while (input.take(COMMA));
  if (offers.length === 0 || input.next() !== END) throw input.fault();
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
