import type { Extension } from '@ws/connection';
import type { ExtensionNegotiator, ExtensionOffer, ExtensionParameters } from '@ws/handshake';

/** An extension that a server can agree to use. */
export interface ServerExtension extends ExtensionNegotiator {
  /** Makes the extension of one connection, with the parameters that `accept` gave. */
  create(parameters: ExtensionParameters): Extension;
}

/** In the order of preference. permessage-deflate will be the first. */
export const SUPPORTED_EXTENSIONS: readonly ServerExtension[] = [];

export function createExtensions(agreed: readonly ExtensionOffer[], supported = SUPPORTED_EXTENSIONS): Extension[] {
  const byName = new Map(supported.map((extension) => [extension.name, extension]));
  return agreed.flatMap(({ name, parameters }) => byName.get(name)?.create(parameters) ?? []);
}
