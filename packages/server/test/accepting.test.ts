import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { formatResponse, upgradeResponse, type UpgradeOffer } from '@ws/handshake';
import { acceptingText } from '../src/accepting.js';

const key = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const OFFERED = { name: 'permessage-deflate', parameters: [['client_max_window_bits', true]] } as const;

test('the 101 that is put together is the one that is made header by header', () => {
  fc.assert(
    fc.property(key, fc.constantFrom('', 'chat'), fc.boolean(), (sent, protocol, hasExtension) => {
      const offer: UpgradeOffer = {
        version: 13,
        key: sent,
        host: 'server.example',
        origin: undefined,
        path: '/',
        protocols: ['chat'],
        extensions: [OFFERED],
      };
      const extensions = hasExtension ? [{ name: OFFERED.name, parameters: [] }] : [];
      const text = acceptingText({ offer, protocol, extensions, remoteAddress: undefined, data: undefined });
      expect(text).toBe(formatResponse(upgradeResponse(offer, { protocol, extensions })));
    }),
  );
});
