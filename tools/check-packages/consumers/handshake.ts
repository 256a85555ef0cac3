import {
  acceptFor,
  checkUpgradeRequest,
  HandshakeError,
  parseExtensions,
  upgradeRequest,
  type UpgradeOffer,
} from '@ws/handshake';

if (acceptFor('dGhlIHNhbXBsZSBub25jZQ==') !== 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=') throw new Error('acceptFor');
const decision = checkUpgradeRequest(upgradeRequest({ host: 'example.com', target: '/', protocols: ['chat'] }));
if (!decision.accepted) throw decision.error;
const offer: UpgradeOffer = decision.offer;
if (offer.protocols[0] !== 'chat') throw new Error('protocols');
try {
  parseExtensions(';');
  throw new Error('nonsense was accepted');
} catch (error) {
  if (!(error instanceof HandshakeError)) throw error;
}
