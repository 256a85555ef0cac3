import type { Migration, Rows } from '../rows.js';

export const moduleRows = {
  'NW-001': {
    old: 'ws.createServer([options], [callback])',
    core: 'new WebSocketServer({ port })',
  },
  'NW-002': {
    old: '`createServer` with options of `net` and `tls`: `key`, `cert`, `ca`, `allowHalfOpen`',
    adapter: 'those of `http.createServer` and `https.createServer`, which pass them on',
    core: '`new WebSocketServer({ server })` on a server of yours, by these options',
  },
  'NW-003': {
    old: 'createServer({ secure: true, key, cert })',
    core: 'new WebSocketServer({ server: https.createServer({ key, cert }) })',
  },
  'NW-004': {
    old: "createServer({ validProtocols: ['a', 'b'] })",
    core: "new WebSocketServer({ protocols: ['a', 'b'] })",
  },
  'NW-005': {
    old: 'createServer({ selectProtocol: (conn, protocols) => … })',
    adapter:
      'the same; a name that was not asked for is a 500, and an `error` of the server if somebody listens; so is an exception',
    core: 'new WebSocketServer({ handleProtocols: (protocols, request) => … })',
  },
  'NW-006': { old: 'createServer(callback)', core: "server.on('connection', (socket, request) => …)" },
  'NW-007': {
    old: 'ws.connect(url, [options], [callback])',
    adapter: 'the same; the options object is not changed',
    core: 'new WebSocket(url, protocols, options)',
  },
  'NW-008': {
    old: "ws.connect('host:port/path?query')",
    adapter: 'the same: without a scheme it is `ws:`, another scheme throws; a fragment is a SyntaxError',
    core: "new WebSocket('ws://host:port/path?query')",
  },
  'NW-009': {
    old: "connect(url, { extraHeaders: { 'X-Name': 'value' } })",
    adapter: 'the same; what cannot be a header throws a TypeError, those of the handshake itself are left out',
    core: "new WebSocket(url, { headers: { 'X-Name': 'value' } })",
  },
  'NW-010': { old: "connect(url, { protocols: ['a', 'b'] })", core: "new WebSocket(url, ['a', 'b'])" },
  'NW-011': { old: 'connect(url, callback)', core: "socket.once('open', callback)" },
  'NW-012': {
    old: 'ws.setBinaryFragmentation(bytes)',
    core: '`socket.createOutgoing({ fragmentSize: bytes })`, or the option `fragmentSize` of a connection',
  },
  'NW-013': {
    old: 'ws.setMaxBufferLength(bytes)',
    adapter:
      'the limit of one message, its fragments counted together, for all connections from now on; the head of a handshake has a limit of its own, 16 KiB',
    core: '`maxPayload`, an option; `socket.limits.update({ maxPayload: bytes })` for one that is open',
  },
  'NW-014': {
    old: 'ws.Connection, ws.Server, ws.InStream, ws.OutStream, ws.frame',
    core: '`WebSocket`, `WebSocketServer`, `Incoming`, `Outgoing`; `@ws/frame`',
  },
  'NW-015': {
    old: 'Connection.super_, Server.super_, InStream.super_, OutStream.super_',
    adapter: '`instanceof` EventEmitter, Readable and Writable holds; there is no `super_`',
    core: 'the same',
    internal: true,
  },
} as const satisfies Rows;

export const serverRows = {
  'NW-020': { old: 'new ws.Server(secure, [options], [callback])', core: 'new WebSocketServer(options)' },
  'NW-021': {
    old: 'server.listen(port, [host], [callback])',
    core: 'new WebSocketServer({ port, host }, callback)',
  },
  'NW-022': { old: 'server.close([callback])', core: 'server.close(callback)' },
  'NW-023': {
    old: 'server.socket',
    adapter: 'an http or https server',
    core: '`server.address()`; with the option `server` you have it',
  },
  'NW-024': {
    old: 'server.connections.forEach((conn) => conn.sendText(text))',
    adapter: 'the same; when a connection leaves there is a new array, so that a loop over the old one misses none',
    core: '`server.broadcast(text)`, or `for (const socket of server.clients)`',
  },
  'NW-025': {
    old: 'server._selectProtocol, server._buildSelectProtocol(validProtocols)',
    core: '`selectSubprotocol` of `@ws/handshake`',
    internal: true,
  },
  'NW-026': { old: "server.on('listening', () => …)", core: 'the same' },
  'NW-027': { old: "server.on('close', () => …)", core: 'the same' },
  'NW-028': {
    old: "server.on('error', (error) => …)",
    core: 'the same, and `refused(reason, request, error)` for handshakes',
  },
  'NW-029': { old: "server.on('connection', (conn) => …)", core: "server.on('connection', (socket, request) => …)" },
  'NW-030': {
    old: '400 for a handshake that is none',
    adapter:
      'the same; 426 for another version of the protocol, and for a request that asks for no WebSocket; 431 for a head that is too long',
    core: '400, 405, 426; `refused` tells which',
  },
} as const satisfies Rows;

export const connectionRows = {
  'NW-040': {
    old: 'new ws.Connection(socket, serverOrOptions, [callback])',
    adapter: 'the same; `port` and `secure` are options too, for the `Host` header',
    core: '`server.handleUpgrade`, `new WebSocket(url, { createConnection })`; after a handshake of yours `WebSocket.from(duplex, { role })`',
  },
  'NW-041': {
    old: 'Connection.binaryFragmentation, Connection.maxBufferLength',
    core: '`fragmentSize`, `maxPayload`',
  },
  'NW-042': {
    old: 'conn.CONNECTING, conn.OPEN, conn.CLOSING, conn.CLOSED',
    adapter: 'the same, and on the class',
    core: 'WebSocket.CONNECTING, WebSocket.OPEN, …',
  },
  'NW-048': {
    old: 'conn.close([code, [reason]])',
    adapter: 'the same; a code or reason that may not be sent throws a RangeError',
    core: 'socket.close(code, reason)',
  },
  'NW-049': { old: 'conn.socket', core: 'socket.duplex' },
  'NW-050': { old: 'conn.server', core: 'the server in whose `connection` event it came' },
  'NW-051': { old: 'conn.readyState', core: 'the same' },
  'NW-052': { old: 'conn.outStream', core: 'what `createOutgoing` has returned' },
  'NW-053': {
    old: 'conn.path',
    adapter: 'the same, on both ends',
    core: '`request.url`, second argument of `connection`',
  },
  'NW-054': { old: 'conn.host, conn.extraHeaders', core: 'new URL(socket.url).hostname' },
  'NW-055': {
    old: "conn.headers['name']",
    core: '`request.headers`; of a client, those of the response that `upgrade` gives',
  },
  'NW-056': { old: 'conn.protocols', core: 'socket.requestedProtocols' },
  'NW-057': { old: 'conn.protocol', core: "`socket.protocol`, `''` for none" },
  'NW-058': { old: 'conn.key, conn.buffer, conn.frameBuffer', core: 'none', internal: true },
} as const satisfies Rows;

export const sendingRows = {
  'NW-043': {
    old: 'conn.sendText(text, [callback])',
    adapter: 'the same; a callback is called in every case, with the error where there is one',
    core: 'socket.send(text, callback)',
  },
  'NW-044': { old: 'conn.beginBinary()', core: 'socket.createOutgoing({ binary: true })' },
  'NW-045': {
    old: 'conn.sendBinary(data, [callback])',
    adapter: 'the same, for every view of memory; what is none throws a TypeError',
    core: 'socket.send(data, callback)',
  },
  'NW-046': { old: 'conn.send(data, [callback])', core: 'socket.send(data, callback)' },
  'NW-047': {
    old: 'conn.sendPing([data])',
    adapter: 'the same; more than 125 bytes are an `error`',
    core: 'socket.ping(data)',
  },
} as const satisfies Rows;

export const eventRows = {
  'NW-060': { old: "conn.on('connect', () => …)", core: "socket.on('open', () => …)" },
  'NW-061': {
    old: "conn.on('close', (code, reason) => …)",
    adapter: "the same: when closing begins, but once; behind `close()` without a code 1005 and `''`, not undefined",
    core: '`closing(code, reason, initiator)` at that moment, `close(code, reason, info)` when it is gone',
  },
  'NW-062': { old: "conn.on('error', (error) => …)", core: 'the same, and callbacks' },
  'NW-063': {
    old: "conn.on('text', (text) => …)",
    core: "socket.on('message', (data, isBinary) => …)",
  },
  'NW-064': {
    old: "conn.on('binary', (inStream) => …)",
    adapter: 'the same; a message that is cut destroys the stream',
    core: "`socket.on('incoming', (message) => …)` with `incoming: 'binary'`",
  },
  'NW-065': { old: "conn.on('pong', (text) => …)", core: "socket.on('pong', (data) => …)" },
  'NW-066': { old: 'pings are answered', core: 'the same, unless `autoPong: false`' },
} as const satisfies Rows;

export const privateRows = {
  'NW-070': { old: 'conn.startHandshake()', core: '`upgradeRequest` of `@ws/handshake`', internal: true },
  'NW-071': { old: 'conn.answerHandshake(lines)', core: '`upgradeResponse` of `@ws/handshake`', internal: true },
  'NW-072': {
    old: "`error` with 'Invalid handshake: …'",
    adapter: 'the same texts, and `code` of the core',
    core: '`error.code`: WS_ERR_UNEXPECTED_STATUS, WS_ERR_INVALID_ACCEPT, …',
  },
  'NW-073': { old: 'conn.readHandshake()', core: 'none', internal: true },
  'NW-074': { old: 'conn.readHeaders(lines)', core: 'none', internal: true },
  'NW-075': {
    old: 'conn.buildRequest(requestLine, headers)',
    core: '`formatRequest` of `@ws/handshake`',
    internal: true,
  },
  'NW-076': { old: 'conn.doRead()', core: 'none', internal: true },
  'NW-077': { old: 'conn.extractFrame()', core: '`FrameParser` of `@ws/frame`', internal: true },
  'NW-078': { old: 'conn.processFrame(fin, opcode, payload)', core: 'none', internal: true },
  'NW-079': { old: 'conn.processCloseFrame(payload)', core: '`decodeClosePayload` of `@ws/frame`', internal: true },
} as const satisfies Rows;

export const streamRows = {
  'NW-080': { old: 'ws.InStream', adapter: 'the same, `addData` and `end` too', core: '`Incoming`' },
  'NW-085': {
    old: 'new ws.OutStream(connection, minSize)',
    core: 'socket.createOutgoing({ binary: true, fragmentSize: minSize })',
  },
  'NW-086': {
    old: 'writes behind the end of the connection',
    adapter: 'destroy the stream with an error, which is not thrown',
    core: 'the same: WS_ERR_CLOSED',
  },
  'NW-087': { old: 'back-pressure of an OutStream', core: 'the same' },
  'NW-088': {
    old: '`conn.outStream` is null from `finish` on, and text may be sent',
    core: 'what is sent behind a message waits for its end',
  },
} as const satisfies Rows;

export const frameRows = {
  'NW-090': {
    old: 'ws.frame.createTextFrame(text, [masked])',
    core: '`encodeFrame({ opcode: Opcode.Text, maskingKey }, bytes)` of `@ws/frame`',
  },
  'NW-091': {
    old: 'ws.frame.createBinaryFrame(data, [masked], [first], [fin])',
    core: '`encodeFrame({ opcode: Opcode.Binary, fin, maskingKey }, data)`',
  },
  'NW-092': {
    old: 'ws.frame.createCloseFrame(code, reason, [masked])',
    adapter: 'the same; a code or reason that may not be sent throws a RangeError',
    core: '`encodeFrame({ opcode: Opcode.Close, maskingKey }, encodeClosePayload(code, reason))`',
  },
  'NW-093': {
    old: 'ws.frame.createPingFrame(data, [masked]), ws.frame.createPongFrame(data, [masked])',
    adapter: 'the same, for bytes too; more than 125 throw',
    core: '`encodeFrame({ opcode: Opcode.Ping, maskingKey }, bytes)`',
  },
  'NW-094': {
    old: 'lengths in their shortest form, a random key for each frame',
    core: 'the same; the key of `encodeFrame` is yours to draw',
    internal: true,
  },
  'NW-095': { old: 'no dependencies, MIT', core: 'the same', internal: true },
} as const satisfies Rows;

export const migration: Migration = {
  name: 'nodejs-websocket',
  entry: '@ws/compat/nodejs-websocket',
  introduction: `
Change the import line, and the program runs as it is:

\`\`\`js
const ws = require('@ws/compat/nodejs-websocket'); // was: require('nodejs-websocket')
\`\`\`

\`import ws from\` and \`import { createServer } from\` do as well. The names are those of nodejs-websocket 1.7. \`conn.webSocket\` is the connection of the core underneath, for what the old
library does not have: \`limits\`, \`bufferedAmount\`, \`createOutgoing\`, \`closed\`. So a program can go over to the core piece by piece.`,
  sections: [
    { title: 'The module', rows: moduleRows },
    { title: 'Server', rows: serverRows },
    { title: 'Connection', rows: connectionRows },
    { title: 'What a Connection sends', rows: sendingRows },
    { title: 'Events of a Connection', rows: eventRows },
    { title: 'Handshake and frames', rows: privateRows },
    { title: 'Streams', rows: streamRows },
    { title: 'frame', rows: frameRows },
  ],
  differences: `
| what | the way back |
| --- | --- |
| \`'close'\` comes once, where \`close()\` of the old library emitted it at each call | none |
| text that is not UTF-8, control frames over 125 bytes, lengths that are not in their shortest form, Close codes that may not travel: the connection is closed with 1002 or 1007 | none |
| \`setMaxBufferLength\` limits a message, not a buffer: many small fragments cannot add up to more | a larger number; 0 is no limit |
| a binary message that is cut by the end of its connection destroys its stream with WS_ERR_INCOMPLETE_MESSAGE; the old library ended it as if it were complete | none |
| a binary message nobody listens for is dropped; one that somebody has and does not read stops its connection | \`stream.resume()\` |
| a connection that ends destroys the stream of \`beginBinary\` with an error; writes to it were swallowed | none |
| \`close()\` gives up a message of \`beginBinary\` that has no end: the peer is told the code, or 1011 in place of 1000, 1001 and none, so that it takes no part for the whole | call \`end()\` before |
| after both Close frames the server ends TCP, and cuts it 30 s after the first of them | none |
| the head of a handshake has 10 s and 16 KiB, 256 headers | \`headersTimeout\` and \`maxHeaderSize\` in \`createServer\`'s options |
| a client that is silent for 30 s is pinged, and cut 30 s later | \`conn.webSocket.limits.update({ heartbeat: false })\` |
| who does not read is cut when 16 MiB wait for it | \`conn.webSocket.limits.update({ slowConsumer: false })\` |
| a text has to arrive within 120 s, and a binary message must not stand still for so long | \`conn.webSocket.limits.update({ messageTimeout: false })\` |
| above a quarter of the memory that the process may have, the largest holders are closed with 1013 | none here; \`memoryLimit\` of the core |
| a client whose name in a \`wss:\` certificate does not fit gets an \`error\`; the name that is checked and sent (SNI) is that of the address | \`servername\`, \`rejectUnauthorized\` |
| errors of the network after \`'connect'\` are \`'error'\` events where somebody listens, and throw nowhere | none |
| \`server.socket\` is an http or https server | none |
| \`Server.call(this)\` of a function that inherits is not possible: these are classes | \`class … extends Server\` |

To send on a connection that is not open is an \`'error'\` of it, as before, and thrown where nobody listens. A peer may leave at any time: listen to it, or look at \`readyState\`. In an async listener it ends nothing (\`code\` WS_ERR_CLOSED).

Pages of any origin may connect, as before. To let in those of yours alone, look at \`conn.headers.origin\`, or take \`WebSocketServer\`, which asks by itself.`,
};
