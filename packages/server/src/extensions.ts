import type { Extension } from '@ws/connection';
import { answer, checkAnswer, PerMessageDeflate } from '@ws/deflate';
import { zlibBackend, type PerMessageDeflateOptions } from '@ws/deflate/node';
import type { ExtensionNegotiator, ExtensionOffer, ExtensionParameters } from '@ws/handshake';

/** An extension that a server can agree to use. */
export interface ServerExtension extends ExtensionNegotiator {
  /** Makes the extension of one connection, with the parameters that `accept` gave. */
  create(parameters: ExtensionParameters): Extension;
}

/**
 * What a server with this option supports, made once for all its connections.
 * @throws {TypeError | RangeError} naming the option
 */
export function supportedExtensions(perMessageDeflate: boolean | PerMessageDeflateOptions): readonly ServerExtension[] {
  if (perMessageDeflate === false) return [];
  return [deflateExtension(perMessageDeflate === true ? {} : perMessageDeflate)];
}

const NAME = 'permessage-deflate';

/** RFC 7692. What compresses is made by the first message that needs it, and shared with all who have the same options. */
function deflateExtension(given: PerMessageDeflateOptions): ServerExtension {
  const options = { ...given };
  const backend = zlibBackend(options);
  const extension: ServerExtension = {
    name: NAME,
    accept: (parameters) => answer([{ name: NAME, parameters }], options)?.response.parameters,
    create: (parameters) =>
      new PerMessageDeflate({
        role: 'server',
        parameters: checkAnswer({ name: NAME, parameters }), // as the client reads it
        backend,
        threshold: options.threshold,
        thresholdMode: options.thresholdMode,
        maxRatio: options.maxRatio,
      }),
  };
  answer([], options); // every option is checked now, not by the first client
  extension.create([]);
  return extension;
}

const NONE: readonly Extension[] = Object.freeze([]);

export function createExtensions(
  agreed: readonly ExtensionOffer[],
  supported: readonly ServerExtension[],
): readonly Extension[] {
  if (agreed.length === 0) return NONE;
  const byName = new Map(supported.map((extension) => [extension.name, extension]));
  const made = agreed.flatMap(({ name, parameters }) => byName.get(name)?.create(parameters) ?? []);
  return made.slice(); // each connection keeps it: without room for more
}
