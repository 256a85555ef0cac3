// What our own part of a handshake costs, in ns per call, everything else (sockets, node:http) left out. The best of several rounds,
// for other work on the machine only ever adds. Run: npm run build && npm run bench
import {
  acceptFor,
  checkOrigin,
  checkUpgradeRequest,
  checkUpgradeResponse,
  formatResponse,
  upgradeRequest,
  upgradeResponse,
} from '@ws/handshake';

const ROUNDS = 200;
const CALLS = 1000;

// prettier-ignore
const chrome = {
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
const { offer } = checkUpgradeRequest(chrome);
const response = upgradeResponse(offer, { protocol: 'chat.v2' });
const sent = { key: offer.key, protocols: offer.protocols };

const CASES = {
  'checkUpgradeRequest, 15 headers': () => checkUpgradeRequest(chrome),
  'checkUpgradeRequest, refused (no key)': () =>
    checkUpgradeRequest({ ...chrome, headers: chrome.headers.slice(0, 22) }),
  'checkOrigin same': () => checkOrigin(offer.origin, offer.host, 'same'),
  acceptFor: () => acceptFor(offer.key),
  upgradeResponse: () => upgradeResponse(offer, { protocol: 'chat.v2' }),
  formatResponse: () => formatResponse(response),
  'upgradeRequest, with its random key': () =>
    upgradeRequest({ host: 'chat.example.com', target: '/', protocols: ['chat.v2'] }),
  checkUpgradeResponse: () => checkUpgradeResponse(response, sent),
};

for (const [name, run] of Object.entries(CASES)) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let call = 0; call < CALLS; call++) run();
    best = Math.min(best, ((performance.now() - start) * 1e6) / CALLS);
  }
  console.log(`${name.padEnd(40)} ${best.toFixed(0).padStart(6)} ns`);
}
