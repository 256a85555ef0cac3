// Our own part of an opening handshake, of server and client: no socket, no node:http.
import {
  acceptFor,
  checkOrigin,
  checkUpgradeRequest,
  checkUpgradeResponse,
  formatResponse,
  upgradeRequest,
  upgradeResponse,
} from '@ws/handshake';

// prettier-ignore
const BROWSER = {
  method: 'GET', target: '/socket?room=1', httpVersion: '1.1',
  headers: [
    'Host', 'chat.example.com:8080', 'Connection', 'Upgrade', 'Pragma', 'no-cache', 'Cache-Control', 'no-cache',
    'User-Agent', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36',
    'Upgrade', 'websocket', 'Origin', 'http://chat.example.com:8080', 'Sec-WebSocket-Version', '13',
    'Accept-Encoding', 'gzip, deflate, br, zstd', 'Accept-Language', 'en-US,en;q=0.9', 'Cookie', `session=${'0123456789abcdef'.repeat(8)}`,
    'Sec-WebSocket-Key', 'dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Extensions', 'permessage-deflate; client_max_window_bits',
    'Sec-WebSocket-Protocol', 'chat.v2, chat.v1',
  ],
};
const KEYLESS = { ...BROWSER, headers: BROWSER.headers.slice(0, 22) };

const checked = checkUpgradeRequest(BROWSER);
if (!('offer' in checked) || checked.offer === undefined) throw new Error('a good request was refused');
const { offer } = checked;
const response = upgradeResponse(offer, { protocol: 'chat.v2' });
const sent = { key: offer.key, protocols: offer.protocols };

/** @type {import('./cases.mjs').Cases} */
export const cases = [
  { name: 'checkUpgradeRequest, a browser', run: () => checkUpgradeRequest(BROWSER) },
  { name: 'checkUpgradeRequest, refused', run: () => checkUpgradeRequest(KEYLESS) },
  { name: 'checkOrigin, same', run: () => checkOrigin(offer.origin, offer.host, 'same') },
  { name: 'acceptFor', run: () => acceptFor(offer.key) },
  { name: 'upgradeResponse', run: () => upgradeResponse(offer, { protocol: 'chat.v2' }) },
  { name: 'formatResponse', run: () => formatResponse(response) },
  {
    name: 'upgradeRequest, random key',
    run: () => upgradeRequest({ host: 'chat.example.com', target: '/', protocols: ['chat.v2'] }),
  },
  { name: 'checkUpgradeResponse', run: () => checkUpgradeResponse(response, sent) },
];
