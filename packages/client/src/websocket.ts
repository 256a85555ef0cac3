import { WebSocket as Connection, type ConnectionOptions } from '@ws/connection';
import { isToken } from '@ws/handshake';
import { parseAddress } from './address.js';
import { syntaxError } from './errors.js';
import { Opening, type Plan } from './opening.js';
import { clientSettings, type ClientOptions } from './options.js';

/**
 * A WebSocket by address: connects at once, and is a connection of `@ws/connection` from `'open'` on. Until then a
 * failure is an `'error'` event, which throws if nobody listens, and `'close'` with 1006 follows it.
 */
export class WebSocket<Data = unknown> extends Connection<Data> {
  #url = '';
  /** While CONNECTING; then it goes, with its request, response and options. */
  #opening: Opening | undefined;

  /** Without an address: for `WebSocket.from` and `setSocket`. */
  constructor(address: null, protocols?: undefined, options?: ConnectionOptions);
  constructor(address: string | URL, options?: ClientOptions);
  /**
   * @throws {SyntaxError} for an address that is none or has a fragment, a subprotocol that is no token or comes twice
   * @throws {TypeError | RangeError} for an option, naming it
   */
  constructor(address: string | URL, protocols?: string | readonly string[], options?: ClientOptions);
  constructor(
    address: string | URL | null,
    second?: string | readonly string[] | ClientOptions,
    third?: ClientOptions | ConnectionOptions,
  ) {
    const plan = address === null ? undefined : planOf(address, second, third);
    super(null, undefined, plan === undefined ? third : plan.settings.connection);
    if (plan === undefined) return;
    this.#url = plan.address.href;
    this.#opening = new Opening(this, plan, {
      moved: (href) => {
        this.#url = href;
      },
      accepted: (socket, head, { protocol, extensions }) => {
        this.#opening = undefined;
        this.setSocket(socket, head, { role: 'client', protocol, requestedProtocols: plan.protocols, extensions });
      },
      failed: (error, initiator) => {
        this.#opening = undefined;
        this.failConnecting(error, initiator);
      },
    });
    this.#opening.start();
  }

  /** The address, normalised, after the last redirect; '' if there was none. */
  override get url(): string {
    return this.#url;
  }

  protected override abortConnecting(error: Error): void {
    this.#opening?.cancel();
    this.#opening = undefined;
    this.failConnecting(error, 'local');
  }

  static {
    Object.defineProperty(this.prototype, 'url', { enumerable: true }); // as the attributes of the base
  }
}

/** @throws what the constructor does */
function planOf(
  address: string | URL,
  second: string | readonly string[] | ClientOptions | undefined,
  third: ClientOptions | undefined,
): Plan {
  const [protocols, options = {}] = isOptions(second) ? [undefined, second] : [second, third];
  return { address: parseAddress(address), protocols: subprotocols(protocols), settings: clientSettings(options) };
}

function isOptions(argument: string | readonly string[] | ClientOptions | undefined): argument is ClientOptions {
  return typeof argument === 'object' && argument !== null && !Array.isArray(argument);
}

/** RFC 6455 §4.1 item 10. Copied: the caller may change his array while we connect. */
function subprotocols(argument: string | readonly string[] | undefined): readonly string[] {
  const protocols: readonly string[] = argument === undefined ? [] : [argument].flat();
  if (protocols.every(isToken) && new Set(protocols).size === protocols.length) return protocols;
  throw syntaxError('WS_ERR_INVALID_SUBPROTOCOL', 'An invalid or duplicated subprotocol was specified');
}
