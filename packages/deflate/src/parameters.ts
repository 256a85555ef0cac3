import { DeflateError } from './errors.js';
import { checkNegotiationOptions, type NegotiationOptions } from './negotiation-options.js';

/** Parameters in the order they were written, repeats kept; `true` is a parameter without a value. */
export type ParameterList = readonly (readonly [name: string, value: string | true])[];

/** One element of `Sec-WebSocket-Extensions`: an offer or an answer, if its name is 'permessage-deflate'. */
export interface DeflateElement {
  readonly name: string;
  readonly parameters: ParameterList;
}

/** What both ends agreed on. A window of n bits has 2^n bytes; 8 to 15, and 15 where nothing was agreed. */
export interface DeflateParameters {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number;
  readonly clientMaxWindowBits: number;
}

/** The extension token of RFC 7692 §7. */
const EXTENSION_NAME = 'permessage-deflate';

const SERVER_NO_CONTEXT_TAKEOVER = 'server_no_context_takeover';
const CLIENT_NO_CONTEXT_TAKEOVER = 'client_no_context_takeover';
const SERVER_MAX_WINDOW_BITS = 'server_max_window_bits';
const CLIENT_MAX_WINDOW_BITS = 'client_max_window_bits';

/** The window of DEFLATE itself, RFC 1951. */
const MAX_WINDOW_BITS = 15;

/** All there are, as they are written: decimal, no leading zero. §7.1.2.1, §7.1.2.2 */
const WINDOW_BITS: ReadonlyMap<string | true, number> = new Map(
  [8, 9, 10, 11, 12, 13, 14, 15].map((bits) => [String(bits), bits]),
);

/** The parameters of an answer. */
interface Answered {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number | undefined;
  readonly clientMaxWindowBits: number | undefined;
}

/** The parameters of an offer. */
interface Offered extends Omit<Answered, 'clientMaxWindowBits'> {
  /** true: without a value; the client leaves it to the server. §7.1.2.2 */
  readonly clientMaxWindowBits: number | true | undefined;
}

/**
 * What a client offers, in the order of preference: one element for each of its `options`. §5.1
 * @throws {TypeError | RangeError} naming the option
 */
export function offer(options: NegotiationOptions | readonly NegotiationOptions[] = {}): DeflateElement[] {
  return alternatives(options).map((wanted) => {
    const { clientMaxWindowBits = true } = wanted;
    return element({
      serverNoContextTakeover: wanted.serverNoContextTakeover === true,
      clientNoContextTakeover: wanted.clientNoContextTakeover === true,
      serverMaxWindowBits: wanted.serverMaxWindowBits || undefined,
      clientMaxWindowBits: clientMaxWindowBits || undefined,
    });
  });
}

/**
 * What a server answers: to the first acceptable one of the offers, in their order. Elements of other names are stepped over.
 * Never throws for what the peer sent.
 * @returns undefined if no offer is acceptable: the connection goes without the extension, §5.1
 * @throws {TypeError | RangeError} naming the option
 */
export function answer(
  offers: readonly DeflateElement[],
  options: NegotiationOptions = {},
): { readonly response: DeflateElement; readonly parameters: DeflateParameters } | undefined {
  checkNegotiationOptions(options);
  for (const { name, parameters } of offers) {
    if (name !== EXTENSION_NAME) continue;
    const offered = read(parameters);
    if (typeof offered === 'string') continue; // declined, §7.1
    const agreed = agree(offered, options);
    if (agreed !== undefined) return { response: element(agreed), parameters: completed(agreed) };
  }
  return undefined;
}

/** @returns undefined for an offer that the options rule out */
function agree(offered: Offered, options: NegotiationOptions): Answered | undefined {
  const { serverNoContextTakeover = true, clientNoContextTakeover = true } = options;
  if (offered.serverNoContextTakeover && !serverNoContextTakeover) return undefined; // §7.1.1.1
  const serverMaxWindowBits = serverWindow(offered.serverMaxWindowBits, options.serverMaxWindowBits);
  const clientMaxWindowBits = clientWindow(offered.clientMaxWindowBits, options.clientMaxWindowBits);
  if (serverMaxWindowBits === DECLINED || clientMaxWindowBits === DECLINED) return undefined;
  return {
    serverNoContextTakeover: serverNoContextTakeover === true || offered.serverNoContextTakeover,
    clientNoContextTakeover: clientNoContextTakeover || offered.clientNoContextTakeover, // §7.1.1.2: it announces so
    serverMaxWindowBits,
    clientMaxWindowBits,
  };
}

const DECLINED = 0;

/** §7.1.2.1: as large as the client demands, or smaller; may be answered where nothing was offered. */
function serverWindow(offered: number | undefined, wanted: number | false | undefined): number | undefined {
  if (offered === undefined) return wanted || undefined;
  if (wanted === undefined) return offered;
  return wanted === false || wanted > offered ? DECLINED : wanted;
}

/** §7.1.2.2: can be answered only where it was offered; not larger than there. */
function clientWindow(
  offered: number | true | undefined,
  wanted: number | boolean | undefined = true,
): number | undefined {
  if (wanted === false) return undefined;
  if (wanted === true) return offered === true ? undefined : offered;
  if (offered === undefined) return DECLINED;
  return offered === true ? wanted : Math.min(offered, wanted);
}

/**
 * Reads a server's answer to what `offer(options)` gave. What one of several offers allows is allowed.
 * @returns what was agreed; the client's own side of it is as it announced, even where the server did not repeat that
 * @throws {DeflateError} WS_ERR_INVALID_DEFLATE_PARAMETERS: the connection must be failed, §7.1
 * @throws {TypeError | RangeError} naming the option
 */
export function checkAnswer(
  response: DeflateElement,
  options: NegotiationOptions | readonly NegotiationOptions[] = {},
): DeflateParameters {
  const offered = alternatives(options);
  const answered = readAnswer(response);
  if (typeof answered === 'string') throw new DeflateError('WS_ERR_INVALID_DEFLATE_PARAMETERS', answered);
  const faults = offered.map((wanted) => mismatch(answered, wanted));
  const fitting = offered.filter((_, i) => faults[i] === undefined);
  if (fitting.length === 0) {
    throw new DeflateError('WS_ERR_INVALID_DEFLATE_PARAMETERS', faults[0] ?? 'nothing was offered');
  }
  // What an offer announces of the client's own side holds without being repeated: §7.1.1.2, §7.1.2.2
  const { clientNoContextTakeover, clientMaxWindowBits = MAX_WINDOW_BITS } = answered;
  return completed({
    ...answered,
    clientNoContextTakeover:
      clientNoContextTakeover || fitting.some((wanted) => wanted.clientNoContextTakeover === true),
    clientMaxWindowBits: Math.min(clientMaxWindowBits, ...fitting.map(announcedWindow)),
  });
}

/** @returns undefined, or why this is no answer to this offer */
function mismatch(answered: Answered, wanted: NegotiationOptions): string | undefined {
  const { serverMaxWindowBits, clientMaxWindowBits } = answered;
  if (wanted.serverNoContextTakeover === true && !answered.serverNoContextTakeover) {
    return `${SERVER_NO_CONTEXT_TAKEOVER} is missing`; // §7.1.1.1
  }
  if (wanted.clientNoContextTakeover === false && answered.clientNoContextTakeover) {
    return `${CLIENT_NO_CONTEXT_TAKEOVER} is ruled out by clientNoContextTakeover: false`; // as in ws 8
  }
  if (wanted.serverMaxWindowBits) {
    if (serverMaxWindowBits === undefined) return `${SERVER_MAX_WINDOW_BITS} is missing`; // §7.1.2.1
    if (serverMaxWindowBits > wanted.serverMaxWindowBits) {
      return `${SERVER_MAX_WINDOW_BITS} is ${serverMaxWindowBits}, above ${wanted.serverMaxWindowBits}`; // §7.1.2.1
    }
  }
  if (clientMaxWindowBits === undefined) return undefined;
  if (wanted.clientMaxWindowBits === false) return `${CLIENT_MAX_WINDOW_BITS} was not offered`; // §7.1.2.2
  const limit = announcedWindow(wanted);
  return clientMaxWindowBits > limit
    ? `${CLIENT_MAX_WINDOW_BITS} is ${clientMaxWindowBits}, above ${limit}` // §7.1.2.2
    : undefined;
}

function announcedWindow({ clientMaxWindowBits }: NegotiationOptions): number {
  return typeof clientMaxWindowBits === 'number' ? clientMaxWindowBits : MAX_WINDOW_BITS;
}

function alternatives(options: NegotiationOptions | readonly NegotiationOptions[]): readonly NegotiationOptions[] {
  const list = isList(options) ? options : [options];
  list.forEach(checkNegotiationOptions);
  return list;
}

function isList<One extends object>(value: One | readonly One[]): value is readonly One[] {
  return Array.isArray(value);
}

/** @returns what is wrong with it, if that is so: unknown, twice, without its value, with one too many or a bad one. §7.1 */
function read(parameters: ParameterList): Offered | string {
  const values = new Map<string, string | true>();
  for (const [name, value] of parameters) {
    if (values.has(name)) return `${show(name)} comes twice`;
    if (name === SERVER_NO_CONTEXT_TAKEOVER || name === CLIENT_NO_CONTEXT_TAKEOVER) {
      if (value !== true) return `${name} has a value`;
    } else if (name === SERVER_MAX_WINDOW_BITS || name === CLIENT_MAX_WINDOW_BITS) {
      const isBare = value === true && name === CLIENT_MAX_WINDOW_BITS;
      if (!isBare && !WINDOW_BITS.has(value)) return `${name} is ${show(value)}, expected 8 to 15`;
    } else return `${show(name)} is unknown`;
    values.set(name, value);
  }
  const clientBits = values.get(CLIENT_MAX_WINDOW_BITS);
  return {
    serverNoContextTakeover: values.has(SERVER_NO_CONTEXT_TAKEOVER),
    clientNoContextTakeover: values.has(CLIENT_NO_CONTEXT_TAKEOVER),
    serverMaxWindowBits: bitsOf(values.get(SERVER_MAX_WINDOW_BITS)),
    clientMaxWindowBits: clientBits === true ? true : bitsOf(clientBits),
  };
}

function readAnswer({ name, parameters }: DeflateElement): Answered | string {
  if (name !== EXTENSION_NAME) return `${show(name)} is another extension`;
  const answered = read(parameters);
  if (typeof answered === 'string') return answered;
  const { clientMaxWindowBits } = answered;
  if (clientMaxWindowBits === true) return `${CLIENT_MAX_WINDOW_BITS} has no value`; // §7.1.2.2
  return { ...answered, clientMaxWindowBits };
}

function bitsOf(value: string | true | undefined): number | undefined {
  return value === undefined ? undefined : WINDOW_BITS.get(value);
}

function element(parameters: Offered): DeflateElement {
  const list: [string, string | true][] = [];
  if (parameters.serverNoContextTakeover) list.push([SERVER_NO_CONTEXT_TAKEOVER, true]);
  if (parameters.clientNoContextTakeover) list.push([CLIENT_NO_CONTEXT_TAKEOVER, true]);
  const { serverMaxWindowBits, clientMaxWindowBits } = parameters;
  if (serverMaxWindowBits !== undefined) list.push([SERVER_MAX_WINDOW_BITS, String(serverMaxWindowBits)]);
  if (clientMaxWindowBits !== undefined) {
    list.push([CLIENT_MAX_WINDOW_BITS, clientMaxWindowBits === true ? true : String(clientMaxWindowBits)]);
  }
  return { name: EXTENSION_NAME, parameters: list };
}

function completed(agreed: Answered): DeflateParameters {
  const { serverMaxWindowBits = MAX_WINDOW_BITS, clientMaxWindowBits = MAX_WINDOW_BITS } = agreed;
  const { serverNoContextTakeover, clientNoContextTakeover } = agreed;
  return { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits };
}

/** Of the peer's text, as much as a message can show. */
function show(text: string | true): string {
  return text === true ? 'without a value' : JSON.stringify(text.slice(0, 32));
}
