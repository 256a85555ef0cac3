import { acceptFor } from './accept-key.js';
import { HandshakeError, quote } from './errors.js';
import { formatExtensions, parseExtensions, type ExtensionOffer } from './extensions.js';
import { assertStatus, utf8Octets } from './format.js';
import {
  assertHeaders,
  fieldValues,
  isFieldValue,
  listsInclude,
  withoutFields,
  type HeaderList,
  NOT_A_LIST,
} from './header-list.js';
import { assertList } from './list.js';
import type { UpgradeOffer } from './request.js';
import { equalsIgnoringCase, isToken } from './token.js';

/** The answer to an opening handshake: 101, or a refusal with its body. */
export interface UpgradeResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: HeaderList;
  /** Sent as UTF-8. */
  readonly body?: string | undefined;
}

export interface UpgradeResponseOptions {
  /** One of the offer's; none if left out or ''. */
  readonly protocol?: string | undefined;
  readonly extensions?: readonly ExtensionOffer[] | undefined;
  /** Sent as they are, behind ours; what makes the handshake one is left out. */
  readonly headers?: HeaderList | undefined;
}

const OURS_IN_RESPONSE = [
  'upgrade',
  'connection',
  'sec-websocket-accept',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'content-length',
  'transfer-encoding',
];

/**
 * The 101 that accepts `offer`. RFC 6455 §4.2.2.
 * @throws {RangeError} for a subprotocol or an extension that was not offered, or an extension that comes twice
 * @throws {TypeError} for a subprotocol, extension or header that cannot be sent as it is
 */
export function upgradeResponse(offer: UpgradeOffer, options: UpgradeResponseOptions = {}): UpgradeResponse {
  const { protocol = '', extensions = [], headers = [] } = options;
  assertHeaders(headers);
  const list = ['Upgrade', 'websocket', 'Connection', 'Upgrade', 'Sec-WebSocket-Accept', acceptFor(offer.key)];
  if (protocol !== '') {
    if (!isToken(protocol)) throw new TypeError('protocol is not a token');
    if (!offer.protocols.includes(protocol))
      throw new RangeError(`protocol ${protocol} is not one that the client asked for`);
    list.push('Sec-WebSocket-Protocol', protocol);
  }
  if (extensions.length > 0) {
    const value = formatExtensions(extensions);
    const open = new Set(offer.extensions.map(({ name }) => name));
    for (const { name } of extensions) {
      if (!open.delete(name)) throw new RangeError(`extensions: ${name} was not offered by the client, or comes twice`);
    }
    list.push('Sec-WebSocket-Extensions', value);
  }
  list.push(...withoutFields(headers, OURS_IN_RESPONSE));
  return { status: 101, reason: 'Switching Protocols', headers: list };
}

/** Reason phrases of RFC 9110 §15 and RFC 6585. */
const REASONS: ReadonlyMap<number, string> = new Map([
  [300, 'Multiple Choices'],
  [301, 'Moved Permanently'],
  [302, 'Found'],
  [303, 'See Other'],
  [307, 'Temporary Redirect'],
  [308, 'Permanent Redirect'],
  [400, 'Bad Request'],
  [401, 'Unauthorized'],
  [402, 'Payment Required'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [405, 'Method Not Allowed'],
  [406, 'Not Acceptable'],
  [407, 'Proxy Authentication Required'],
  [408, 'Request Timeout'],
  [409, 'Conflict'],
  [410, 'Gone'],
  [413, 'Content Too Large'],
  [414, 'URI Too Long'],
  [421, 'Misdirected Request'],
  [426, 'Upgrade Required'],
  [428, 'Precondition Required'],
  [429, 'Too Many Requests'],
  [431, 'Request Header Fields Too Large'],
  [500, 'Internal Server Error'],
  [501, 'Not Implemented'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
  [505, 'HTTP Version Not Supported'],
]);

/** What a status must or should come with. RFC 9110 §15.5.6, §15.5.22, §10.2.3; RFC 6455 §4.4. */
const COMPANIONS: ReadonlyMap<number, HeaderList> = new Map([
  [405, ['Allow', 'GET']],
  [426, ['Upgrade', 'websocket', 'Sec-WebSocket-Version', '13']],
  [429, ['Retry-After', '5']],
  [503, ['Retry-After', '5']],
]);

export interface RefusalOptions {
  /** @default the reason phrase */
  readonly body?: string | undefined;
  /** Replace ours of the same name, but for `Connection`, `Content-Length` and `Transfer-Encoding`, which are left out. */
  readonly headers?: HeaderList | undefined;
  /** @default the phrase that belongs to the status */
  readonly reason?: string | undefined;
}

/**
 * The answer to a handshake that is not accepted: `Connection: close`, a plain text body with its length, and what the status calls
 * for (405 `Allow`; 426 `Upgrade` and `Sec-WebSocket-Version`; 429 and 503 `Retry-After`).
 * @throws {RangeError} for a status under 300 or over 599, or 304, which has no body
 * @throws {TypeError} for a reason or header that cannot be sent as it is
 */
export function refusalResponse(status: number, options: RefusalOptions = {}): UpgradeResponse {
  assertStatus(status, 300);
  if (status === 304) throw new RangeError('status is 304, which can have no body');
  const { reason = REASONS.get(status) ?? '', headers = [] } = options;
  const body = options.body ?? (reason || String(status));
  if (typeof body !== 'string') throw new TypeError('body must be a string');
  if (!isFieldValue(reason)) throw new TypeError('reason has characters that no status line may have');
  assertHeaders(headers);

  const theirs = withoutFields(headers, ['connection', 'content-length', 'transfer-encoding']);
  const list = ['Connection', status === 426 ? 'close, Upgrade' : 'close']; // RFC 9110 §7.8: Upgrade never without its option
  const ours = ['Content-Type', 'text/plain; charset=utf-8', ...(COMPANIONS.get(status) ?? [])];
  for (let at = 0; at < ours.length; at += 2) {
    if (fieldValues(theirs, ours[at]!.toLowerCase()).length === 0) list.push(ours[at]!, ours[at + 1]!);
  }
  list.push('Content-Length', String(utf8Octets(body).length), ...theirs);
  return { status, reason, headers: list, body };
}

export type ResponseDecision =
  | {
      readonly accepted: true;
      /** '' where none was asked for. */
      readonly protocol: string;
      readonly extensions: readonly ExtensionOffer[];
    }
  | { readonly accepted: false; readonly error: HandshakeError };

/** What the client sent, as far as the answer depends on it. */
export interface SentRequest {
  readonly key: string;
  readonly protocols?: readonly string[] | undefined;
  readonly extensions?: readonly ExtensionOffer[] | undefined;
}

/**
 * Decides whether an answer opens the connection. RFC 6455 §4.1, "Once the client's opening handshake has been sent". Never throws for
 * what the peer sent. An extension's parameters are the extension's to judge.
 *
 * A client that asked for subprotocols gets one of them, or the connection fails: stricter than the RFC, as the WHATWG standard has it.
 */
export function checkUpgradeResponse(
  response: { readonly status: number; readonly headers: HeaderList },
  sent: SentRequest,
): ResponseDecision {
  try {
    const { status, headers } = response;
    assertList(headers, NOT_A_LIST);
    if (status !== 101) throw new HandshakeError('WS_ERR_UNEXPECTED_STATUS', String(status)); // item 1
    const upgrade = fieldValues(headers, 'upgrade').join(', '); // item 2: the value itself, not a list that has it
    if (!equalsIgnoringCase(upgrade, 'websocket')) throw new HandshakeError('WS_ERR_INVALID_UPGRADE', quote(upgrade));
    const connection = fieldValues(headers, 'connection'); // item 3
    if (!listsInclude(connection, 'upgrade'))
      throw new HandshakeError('WS_ERR_INVALID_CONNECTION', quote(connection.join(', ')));
    const accept = fieldValues(headers, 'sec-websocket-accept'); // item 4
    if (accept.length !== 1 || accept[0] !== acceptFor(sent.key)) {
      throw new HandshakeError('WS_ERR_INVALID_ACCEPT', quote(accept.join(', ')));
    }
    const extensions = readExtensions(headers, sent.extensions ?? []); // item 5
    return { accepted: true, protocol: readProtocol(headers, sent.protocols ?? []), extensions };
  } catch (error) {
    if (!(error instanceof HandshakeError)) throw error;
    return { accepted: false, error: new HandshakeError(error.code, error.detail, { status: 0 }) };
  }
}

function readExtensions(headers: HeaderList, offered: readonly ExtensionOffer[]): ExtensionOffer[] {
  const values = fieldValues(headers, 'sec-websocket-extensions');
  if (values.length === 0) return [];
  const known = new Set(offered.map(({ name }) => name));
  const used = new Set<string>();
  const extensions = parseExtensions(values.join(','));
  for (const { name } of extensions) {
    if (!known.has(name)) throw new HandshakeError('WS_ERR_UNEXPECTED_EXTENSION', quote(name));
    if (used.has(name)) throw new HandshakeError('WS_ERR_INVALID_EXTENSIONS', `${quote(name)} is repeated`);
    used.add(name);
  }
  return extensions;
}

function readProtocol(headers: HeaderList, requested: readonly string[]): string {
  const values = fieldValues(headers, 'sec-websocket-protocol'); // item 6; §11.3.4: once at most
  const protocol = values[0];
  if (protocol === undefined) {
    if (requested.length > 0) throw new HandshakeError('WS_ERR_MISSING_SUBPROTOCOL');
    return '';
  }
  if (requested.length === 0) throw new HandshakeError('WS_ERR_UNEXPECTED_SUBPROTOCOL', quote(protocol));
  if (values.length > 1 || !requested.includes(protocol)) {
    throw new HandshakeError('WS_ERR_INVALID_SUBPROTOCOL', `${quote(values.join(', '))} was not requested`);
  }
  return protocol;
}
