import type { Migration, Rows } from '../rows.js';

export const serverRows = {
  'WS-001': {
    old: '`new WebSocket.Server(options, callback)`',
    adapter: 'the same; callable without `new`. With `port` and `server`, `port` counts',
    core: '`new WebSocketServer(options, callback)` of `@ws/server`: exactly one of `port`, `server`, `noServer`',
  },
  'WS-002': { old: '`host`, `port`', core: '`host`, `port`, `backlog`' },
  'WS-003': { old: '`server`', core: '`server`; more of them by `attach(httpServer)`' },
  'WS-004': { old: '`noServer`', core: '`noServer`' },
  'WS-005': { old: '`path`', core: '`path`' },
  'WS-006': {
    old: '`clientTracking`, `server.clients`',
    core: '`clientTracking`, `server.clients`; `server.broadcast(data)` for a loop over it',
  },
  'WS-025': {
    old: '`server.close(callback)`',
    adapter: 'ends the clients with 1001 and cuts them; `graceMs` leaves them time to answer',
    core: '`await server.shutdown({ timeout })`; `close()` leaves the clients alone',
  },
  'WS-026': {
    old: '`server.handleUpgrade(request, socket, upgradeHead, callback)`',
    adapter: 'the same; `callback(socket, request)`',
    core: 'the same; `callback(socket, request)`',
  },
  'WS-027': { old: "`server.on('error', (error) => …)`", core: 'the same' },
  'WS-028': {
    old: "`server.on('headers', (headers) => headers.push(line))`",
    adapter: 'the same, with `request` behind it; a line that breaks the answer is refused',
    core: "`server.on('headers', (headers, request) => …)`",
  },
  'WS-029': {
    old: "`server.on('connection', (socket) => …)`",
    adapter: 'the same, with `request` behind it',
    core: "`server.on('connection', (socket, request) => …)`",
  },
  'WS-030': {
    old: "`'listening'`, `'connection' + url`, `server.path`, `server.options`, `shouldHandle(request)`",
    core: "`'listening'`, `shouldHandle(request)`; `request.url` in `'connection'`",
  },
} as const satisfies Rows;

export const admissionRows = {
  'WS-007': {
    old: '`verifyClient: (info) => boolean`',
    adapter: 'the same; a Promise is waited for, and what it throws is a 500',
    core: '`verifyClient: (info) => boolean | { accept, code, reason, headers, data }`, or a Promise of it',
  },
  'WS-008': {
    old: '`verifyClient: (info, cb) => cb(result, code, name)`',
    adapter:
      'the same; 503 if it has not answered after `handshakeTimeout` (10 s), 500 for what it throws or rejects with',
    core: 'the same',
  },
  'WS-009': { old: '`info.origin`, `info.req`, `info.secure`', core: 'the same' },
  'WS-010': {
    old: 'no `verifyClient`',
    adapter: 'everybody is let in',
    core: "`origins: 'any'`; without it pages of other hosts are not let in",
  },
  'WS-011': {
    old: '`handleProtocols: (protocols) => protocol`, or `(protocols, cb) => cb(result, protocol)`',
    adapter:
      'the same, asked only if there is something to choose from; `false` is a 401, a protocol that was not offered a 500; a Promise is waited for',
    core: '`handleProtocols: (set, request) => protocol`, `{ accept: false, code: 401 }` to refuse',
  },
  'WS-012': {
    old: 'no `handleProtocols`',
    adapter: "the client's first",
    core: "the client's first; or `protocols: [...]`",
  },
  'WS-031': {
    old: 'refusals: 400, 401',
    adapter: 'besides, 405 for other methods, 426 for other versions; the text is `text/plain`',
    core: "the same; `server.on('refused', (reason, request, error) => …)`",
  },
} as const satisfies Rows;

export const compressionRows = {
  'WS-013': {
    old: '`perMessageDeflate` of a server, on by default',
    core: '`perMessageDeflate: true`; off by default',
  },
  'WS-014': {
    old: '`serverNoContextTakeover`, `clientNoContextTakeover`',
    adapter: 'the same; what a client announces for itself is taken up in any case',
    core: "the same, `true` by default on servers; `'as-offered'`, `false`: as it was",
  },
  'WS-015': { old: '`serverMaxWindowBits`, `clientMaxWindowBits`', core: 'the same' },
  'WS-016': { old: '`memLevel`', core: '`zlibDeflateOptions: { memLevel }`' },
  'WS-017': {
    old: '`threshold`',
    core: "`threshold`, `thresholdMode: 'always'`; without that only where messages do not refer to each other",
  },
  'WS-018': {
    old: 'what is left out; an offer that does not fit',
    adapter: 'what is left out follows the client; an offer that does not fit is declined, the connection goes on',
    core: 'the same',
  },
  'WS-019': {
    old: 'a message in fragments: its first one decides',
    core: 'the option `compress` of its first `send`',
  },
  'WS-020': { old: '`maxPayload`, 100 MiB', core: '`maxPayload`, 1 MiB on servers' },
} as const satisfies Rows;

export const openingRows = {
  'WS-040': {
    old: '`new WebSocket(address, protocols, options)`',
    adapter: 'the same; callable without `new`',
    core: '`new WebSocket(address, protocols, options)` of `@ws/client`',
  },
  'WS-041': {
    old: '`new WebSocket([request, socket, rest], options)`',
    core: "`WebSocket.from(socket, { role: 'server', head: rest })`",
  },
  'WS-042': { old: '`protocol`', core: 'the argument `protocols`' },
  'WS-043': { old: '`agent`', core: 'the same' },
  'WS-044': { old: '`headers`', adapter: "the same, but for the handshake's own", core: 'the same' },
  'WS-045': { old: '`protocolVersion`', core: 'the same; servers take 8 with `draft08: true`' },
  'WS-046': { old: '`host`, `origin`', core: 'the same' },
  'WS-047': { old: '`pfx key passphrase cert ca ciphers rejectUnauthorized`', core: 'the same' },
  'WS-048': { old: '`perMessageDeflate` of a client', core: 'the same' },
  'WS-049': { old: '`localAddress`', core: 'the same' },
  'WS-050': { old: '`ws:` `wss:` `ws+unix:` `http:` `https:`, `user:password@`', core: 'the same' },
  'WS-051': {
    old: "failed handshakes: their texts, `'unexpected-response'`",
    adapter: "the same; the error has a `code`, and `'close'` with 1006 follows",
    core: 'other texts, the same `code`',
  },
} as const satisfies Rows;

export const stateRows = {
  'WS-055': { old: '`socket.bytesReceived`', core: 'the same; `socket.stats`' },
  'WS-056': { old: '`socket.readyState`', core: 'the same' },
  'WS-057': { old: '`socket.protocolVersion`', core: "`request.headers['sec-websocket-version']`" },
  'WS-058': { old: '`socket.url`', adapter: 'the address as it was given', core: 'the same, normalised' },
  'WS-059': { old: '`socket.upgradeReq`', core: "the second argument of `'connection'`" },
  'WS-060': {
    old: '`protocol extensions bufferedAmount binaryType`',
    adapter: '`extensions` is a string of names with commas, and no object by names',
    core: 'the same; `binaryType` holds for `on` too, and another value is ignored',
  },
  'WS-061': { old: '`socket._socket`, for its addresses', core: '`socket.duplex`, `socket.remoteAddress`' },
} as const satisfies Rows;

export const methodRows = {
  'WS-065': {
    old: '`socket.close(code, data)`',
    adapter:
      "the same, 1000 without a code; a bad code is an `'error'` and leaves it open; while connecting, `'error'` and `'close'`",
    core: '`socket.close(1000, reason)`; without a code the frame is empty; a bad code throws',
  },
  'WS-066': { old: '`socket.terminate()`', core: 'the same' },
  'WS-067': {
    old: '`socket.pause()`, `socket.resume()`',
    adapter: 'the same; they throw unless it is open',
    core: 'the same; they do nothing unless it is open',
  },
  'WS-068': {
    old: '`socket.ping(data, options, dontFailWhenClosed)`',
    adapter: 'the same; over 125 bytes is a RangeError',
    core: '`socket.ping(data, mask, callback)`, which throws only while connecting',
  },
  'WS-069': { old: '`socket.pong(data, options, dontFailWhenClosed)`', core: '`socket.pong(data, mask, callback)`' },
  'WS-070': {
    old: '`socket.send(data, options, callback)`',
    core: 'the same; not open: the callback alone is told',
  },
  'WS-071': {
    old: '`{ compress, binary, mask, fin }`',
    adapter: 'the same; the role decides over `mask`',
    core: 'the same',
  },
  'WS-075': {
    old: '`socket.stream(options, (error, send) => send(data, final))`',
    adapter: 'the same; while the peer does not take it, it is not asked for more',
    core: '`socket.createOutgoing(options)`, `socket.sendStream(source, options)`',
  },
} as const satisfies Rows;

export const eventRows = {
  'WS-080': {
    old: '`onopen onmessage onclose onerror`',
    adapter: 'the same; setting one takes no other listener away',
    core: 'the same; no `binary`, and `onerror` gets `{ error, message }`',
  },
  'WS-081': {
    old: '`addEventListener(type, listener)`, `removeEventListener`',
    core: 'the same; other types than the four are ignored',
  },
  'WS-085': {
    old: "`'error'`",
    adapter: "the same; after `'open'` only where somebody listens",
    core: "the same; after `'open'` only where somebody listens",
  },
  'WS-086': {
    old: "`'close'(code, message)`",
    adapter: 'the same; 1000 for a Close frame without a code, 1006 without a frame',
    core: "`'close'(code, reason: Buffer, info)`; 1005 for a Close frame without a code",
  },
  'WS-087': {
    old: "`'message'(data, flags)`, text a string, `flags.binary`",
    core: "`'message'(data: Buffer, isBinary)`: `isBinary ? data : data.toString()`",
  },
  'WS-088': { old: "`'ping'(data, flags)`, `'pong'(data, flags)`", core: "`'ping'(data)`, `'pong'(data)`" },
  'WS-089': { old: "`'open'()`", core: 'the same' },
  'WS-090': {
    old: 'listeners after the end: taken away',
    adapter: 'they stay',
    core: 'they stay',
  },
} as const satisfies Rows;

export const migration: Migration = {
  name: 'ws 1 and 2',
  entry: '@ws/compat/ws2',
  introduction: `
For programs written for \`ws\` as it was up to the end of 2016. Only the import line changes:

\`\`\`js
const WebSocket = require('@ws/compat/ws2'); // was: require('ws')
\`\`\`

or \`import WebSocket from '@ws/compat/ws2'\`; \`WebSocket.Server\` is there as well. A program can move on step by step: options of the core may be given among the old ones, and
\`new WebSocket(socket, { upgradeReq: request })\` puts the old face in front of a socket of \`@ws/server\` or \`@ws/client\`, for what still has old listeners.
`,
  sections: [
    { title: 'The server', rows: serverRows },
    { title: 'Who is let in', rows: admissionRows },
    { title: 'Compression', rows: compressionRows },
    { title: 'Making a WebSocket', rows: openingRows },
    { title: 'What it is', rows: stateRows },
    { title: 'What it does', rows: methodRows },
    { title: 'What it tells', rows: eventRows },
  ],
  differences: `
| now | why | the way back |
| --- | --- | --- |
| masks, lengths, UTF-8, close codes and handshakes are checked as RFC 6455 has it | what a peer sends wrong ends its connection and nothing else | none; \`strictLength: false\`, \`skipUTF8Validation: true\` for two of them |
| after \`'open'\`, an error that nobody listens for is not thrown | no peer can end the process | listen to \`'error'\` |
| what \`verifyClient\` or \`handleProtocols\` throws is a 500, and their answer is due after 10 s | a client that waits for ever | \`handshakeTimeout: false\` |
| clients have \`maxPayload\` too, 100 MiB | a server can fill memory as well | \`maxPayload: 0\` |
| \`send(…, { mask })\`, \`ping(…, { mask })\`: the role decides | RFC 6455 §5.1 | \`@ws/frame\` builds any frame |
| \`server.close()\` says 1001 before it cuts | clients know that they may come back | listen to \`'close'\` with 1001 as with 1006 |
| a refusal's text is \`text/plain\` | it may hold what a callback took from the request | \`verifyClient\` of the core with \`headers\` |
| an unusable offer of compression is declined, not refused | RFC 7692 §7 | none |
| listeners stay after the end, \`on…\` takes none but its own away | they were not the library's | \`removeAllListeners()\` |
| \`server.clients\` is a Set, as in \`ws\` 2; in \`ws\` 1 it was an array | it had become one by the end of 2016 | \`for (const client of server.clients)\`, \`server.clients.size\` |
| \`WebSocket.createServer\`, \`connect\`, \`Sender\`, \`Receiver\` are not there; \`flags\` has no \`buffer\` | they were not documented | \`new WebSocket.Server\`, \`new WebSocket\`; \`@ws/frame\`; \`Buffer.from(data)\` |
| \`extensions\` is a string of names; it was an object with their parameters | RFC 6455 and browsers have it so | \`extensions.includes('permessage-deflate')\` |
| \`bytesReceived\` is 0 at \`'open'\`: the handshake does not count | what came behind it is counted as it is read | none |
| in TypeScript the \`send\` of \`stream((error, send) => …)\` may be undefined: it is, where there is an error | the compiler says so before a program does | \`send?.(data, true)\` |
| the callback of \`send\` gets undefined, not null | as in \`ws\` 8's types | none |
| \`wasClean\` is true for every code, if both Close frames have gone over; it was true for 1000 alone | as the W3C has it | \`event.code === 1000\` |
| \`stream\` holds up what is sent behind it from its first fragment on; it did so from the call on | nothing has to wait for a callback that has nothing yet | send it in the callback |
| \`WebSocket.call(this)\` of a function that inherits is not possible | it is a class | \`class … extends WebSocket\` |
`,
};
