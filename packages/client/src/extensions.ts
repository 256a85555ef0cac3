import type { Extension } from '@ws/connection';
import { checkAnswer, offer, PerMessageDeflate } from '@ws/deflate';
import { zlibBackend, type PerMessageDeflateOptions } from '@ws/deflate/node';
import type { ExtensionOffer } from '@ws/handshake';

/** What a client can do with extensions. */
export interface ClientExtensions {
  /** In the order of preference. */
  readonly offers: readonly ExtensionOffer[];
  /**
   * Makes the extensions of the connection.
   * @param agreed the server's answer, of which each name was offered, and comes once
   * @throws {DeflateError} WS_ERR_INVALID_DEFLATE_PARAMETERS for an answer that does not fit what was offered
   */
  create(agreed: readonly ExtensionOffer[]): readonly Extension[];
}

const NONE: ClientExtensions = { offers: [], create: () => [] };

/**
 * permessage-deflate, RFC 7692, as the option says. Nothing that compresses is made before a message needs it.
 * @throws {TypeError | RangeError} naming the option
 */
export function clientExtensions(perMessageDeflate: boolean | PerMessageDeflateOptions | null): ClientExtensions {
  if (perMessageDeflate === false || perMessageDeflate === null) return NONE; // null as in ws 8
  if (perMessageDeflate === true) return (byDefault ??= deflateExtension({}));
  if (typeof perMessageDeflate === 'object' && !Array.isArray(perMessageDeflate)) {
    return deflateExtension({ ...perMessageDeflate });
  }
  const shown = Array.isArray(perMessageDeflate) ? 'an array' : String(perMessageDeflate);
  throw new TypeError(`perMessageDeflate is ${shown}, expected a boolean or an object`);
}

/** One for all who leave the option out. */
let byDefault: ClientExtensions | undefined;

function deflateExtension(options: PerMessageDeflateOptions): ClientExtensions {
  const backend = zlibBackend(options);
  const { threshold, thresholdMode, maxRatio } = options;
  const codec = { role: 'client', backend, threshold, thresholdMode, maxRatio } as const;
  const extensions: ClientExtensions = {
    offers: offer(options),
    create: (agreed) =>
      agreed.map((answer) => new PerMessageDeflate({ ...codec, parameters: checkAnswer(answer, options) })),
  };
  void new PerMessageDeflate(codec); // checks what neither the offer nor the backend looks at
  return extensions;
}
