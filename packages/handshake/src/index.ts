export { acceptFor, generateKey } from './accept-key.js';
export { clientAddress, type TrustedProxies } from './client-address.js';
export { HandshakeError, type HandshakeErrorCode } from './errors.js';
export {
  formatExtensions,
  negotiateExtensions,
  parseExtensions,
  type ExtensionNegotiator,
  type ExtensionOffer,
  type ExtensionParameters,
} from './extensions.js';
export { formatRequest, formatResponse } from './format.js';
export type { HeaderList } from './header-list.js';
export { checkHost, isHostEntry } from './host.js';
export { addressKey } from './ip-address.js';
export { checkOrigin, isOrigin, type OriginRule } from './origin.js';
export {
  checkUpgradeRequest,
  upgradeRequest,
  type CheckRequestOptions,
  type RequestDecision,
  type UpgradeOffer,
  type UpgradeRequest,
  type UpgradeRequestOptions,
} from './request.js';
export {
  checkUpgradeResponse,
  refusalResponse,
  upgradeResponse,
  type RefusalOptions,
  type ResponseDecision,
  type SentRequest,
  type UpgradeResponse,
  type UpgradeResponseOptions,
} from './response.js';
export { parseSubprotocols, selectSubprotocol } from './subprotocol.js';
export { isToken } from './token.js';
