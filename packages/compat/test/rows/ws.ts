import type { Migration, Rows } from '../rows.js';
import { differences, introduction } from './ws-text.js';

const CLIENT = '`@ws/client`';
const SERVER = '`@ws/server`';

export const module = {
  'WS8-001': { old: "`import WebSocket from 'ws'`", core: "`import { WebSocket } from '@ws/client'`" },
  'WS8-002': {
    old: "`const WebSocket = require('ws')`, `import WebSocket = require('ws')`, `import * as WebSocket from 'ws'`",
    core: "`const { WebSocket } = require('@ws/client')`",
  },
  'WS8-003': {
    old: "`import { WebSocketServer, createWebSocketStream } from 'ws'`",
    core: "`import { WebSocketServer, createWebSocketStream } from '@ws/server'`",
  },
  'WS8-004': { old: '`WebSocket.Server`, `WebSocket.WebSocketServer`', core: `\`WebSocketServer\` of ${SERVER}` },
  'WS8-005': { old: '`WebSocket.WebSocket`', core: `\`WebSocket\` of ${CLIENT}` },
  'WS8-006': {
    old: '`socket instanceof WebSocket`',
    adapter: 'one class for both ends',
    core: '`WebSocket` of `@ws/connection` is the base of both ends',
  },
  'WS8-007': { old: '`class X extends WebSocket`', core: `\`class X extends WebSocket\`, of ${CLIENT} or ${SERVER}` },
  'WS8-008': { old: '`class S extends WebSocket.Server`', core: '`class S extends WebSocketServer`' },
  'WS8-009': {
    old: 'types of `@types/ws`: `WebSocket.RawData`, `WebSocket.Server<typeof X>` …',
    adapter: 'the same names; without `@types/ws`',
    core: '`RawData`, `ServerOptions`, `ClientOptions` … are exports',
  },
  'WS8-017': { old: '`socket._socket`, `socket._sender._socket`', core: '`socket.duplex`, `socket.remoteAddress`' },
  'WS8-018': {
    old: '`ws/package.json`, and `browser.js` for bundlers; `ws/lib/*`, which `ws` 8 does not export either',
    adapter: 'the same: `package.json`, a module for browsers that throws when it is called, and nothing else',
    core: '`@ws/client/package.json`',
  },
  'WS8-019': {
    old: '`WS_NO_BUFFER_UTIL`, `WS_NO_UTF_8_VALIDATE`',
    adapter: 'no effect: there are no binary addons',
    core: 'the same',
  },
} as const satisfies Rows;

export const parts = {
  'WS8-010': {
    old: '`WebSocket.Sender.frame(data, options)`',
    adapter: 'the same bytes, in two Buffers',
    core: '`encodeFrame(head, payload)` of `@ws/frame`; for many recipients `new PreparedMessage(data)`',
  },
  'WS8-011': {
    old: '`socket._sender.sendFrame(list, callback)`',
    adapter: 'sent in order with other messages; not with RSV1',
    core: '`socket.send(new PreparedMessage(data))`',
  },
  'WS8-012': {
    old: '`new WebSocket.Sender(duplex)`',
    adapter: 'not there: a TypeError',
    core: "`WebSocket.from(duplex, { role: 'server' })` of `@ws/connection`",
  },
  'WS8-013': {
    old: '`new WebSocket.Receiver(options)`',
    core: '`FrameParser` of `@ws/frame`, `Protocol` of `@ws/connection/protocol`',
  },
  'WS8-014': {
    old: '`new WebSocket.PerMessageDeflate(options)`',
    core: '`offer`, `answer`, `PerMessageDeflate` of `@ws/deflate`',
  },
  'WS8-015': {
    old: '`WebSocket.extension.parse`, `.format`',
    core: '`parseExtensions`, `formatExtensions` of `@ws/handshake`',
  },
  'WS8-016': { old: '`WebSocket.subprotocol.parse`', core: '`parseSubprotocols` of `@ws/handshake`' },
} as const satisfies Rows;

export const serverOptions = {
  'WS8-020': { old: '`new WebSocketServer(options, callback)`', core: 'the same' },
  'WS8-021': { old: '`allowSynchronousEvents`', core: 'the same' },
  'WS8-022': { old: '`autoPong`', core: 'the same' },
  'WS8-023': { old: '`backlog`', adapter: 'default 4096, not 511', core: 'the same' },
  'WS8-024': { old: '`clientTracking`', core: 'the same' },
  'WS8-025': { old: '`closeTimeout`', core: 'the same' },
  'WS8-026': {
    old: '`handleProtocols(protocols, request)`',
    adapter: 'a protocol that was not offered: 500',
    core: 'the same, or `protocols: […]`',
  },
  'WS8-027': { old: '`host`', core: 'the same' },
  'WS8-028': { old: '`maxBufferedChunks`', core: 'the same' },
  'WS8-029': { old: '`maxFragments`', core: 'the same; default 131072, not 16384' },
  'WS8-030': { old: '`maxPayload`', core: 'the same; default 1 MiB, not 100' },
  'WS8-031': {
    old: '`maxPendingAutoPongs`',
    adapter: 'no effect: of pings that wait for their answers, the newest is answered',
    core: 'the same',
  },
  'WS8-032': { old: '`noServer`', core: 'the same' },
  'WS8-033': { old: '`path`', core: 'the same' },
  'WS8-034': { old: '`perMessageDeflate`', core: 'the same; by default level 1, and nobody takes contexts over' },
  'WS8-035': { old: '`port`', core: 'the same' },
  'WS8-036': { old: '`server`', core: 'the same, or `attach(httpServer)` later' },
  'WS8-037': { old: '`skipUTF8Validation`', core: 'the same' },
  'WS8-038': { old: '`verifyClient(info[, callback])`', adapter: 'may also be async', core: 'the same, or `origins`' },
  'WS8-039': { old: '`WebSocket`', core: 'the same; a subclass of the one of `@ws/server`' },
} as const satisfies Rows;

export const server = {
  'WS8-040': { old: "`'close'`", adapter: 'once', core: 'the same' },
  'WS8-041': { old: "`'connection'(socket, request)`", core: 'the same' },
  'WS8-042': { old: "`'error'(error)`", core: 'the same' },
  'WS8-043': {
    old: "`'headers'(lines, request)`",
    adapter: 'lines of the handshake itself stay as they are',
    core: 'the same',
  },
  'WS8-044': { old: "`'listening'`", core: 'the same' },
  'WS8-045': { old: "`'wsClientError'(error, socket, request)`", core: 'the same' },
  'WS8-046': { old: '`server.address()`', core: 'the same' },
  'WS8-047': { old: '`server.clients`', core: 'the same; `broadcast(data)` goes through it' },
  'WS8-048': { old: '`server.close(callback)`', core: 'the same; `shutdown()` closes the clients too' },
  'WS8-049': { old: '`server.handleUpgrade(request, socket, head, callback)`', core: 'the same' },
  'WS8-050': { old: '`server.shouldHandle(request)`', core: 'the same' },
  'WS8-051': { old: '`server.options`', adapter: 'frozen; what is not set is undefined, not null', core: 'the same' },
  'WS8-052': {
    old: '`server._server`',
    adapter: 'the same; of a port of its own, what listens, which no HTTP request gets through to',
    core: '`server.listener`',
  },
} as const satisfies Rows;

export const clientOptions = {
  'WS8-060': { old: '`WebSocket.CONNECTING`, `OPEN`, `CLOSING`, `CLOSED`, also of sockets', core: 'the same' },
  'WS8-061': { old: '`new WebSocket(address[, protocols][, options])`', core: 'the same' },
  'WS8-062': { old: '`http:` and `https:` addresses, `URL` objects', core: 'the same' },
  'WS8-063': { old: '`allowSynchronousEvents`', core: 'the same' },
  'WS8-064': { old: '`autoPong`', core: 'the same' },
  'WS8-065': { old: '`closeTimeout`', core: 'the same' },
  'WS8-066': { old: '`finishRequest(request, socket)`', core: 'the same' },
  'WS8-067': { old: '`followRedirects`', core: 'the same' },
  'WS8-068': { old: '`generateMask(mask)`', core: 'the same' },
  'WS8-069': { old: '`handshakeTimeout`', core: 'the same' },
  'WS8-070': { old: '`maxBufferedChunks`', core: 'the same' },
  'WS8-071': { old: '`maxFragments`', core: 'the same; default 131072, not 16384' },
  'WS8-072': { old: '`maxPayload`', core: 'the same' },
  'WS8-073': { old: '`maxPendingAutoPongs`', adapter: 'no effect, as on servers', core: 'the same' },
  'WS8-074': { old: '`maxRedirects`', core: 'the same' },
  'WS8-075': { old: '`origin`', core: 'the same' },
  'WS8-076': { old: '`perMessageDeflate`', core: 'the same; level 1 by default' },
  'WS8-077': { old: '`protocolVersion`', core: 'the same' },
  'WS8-078': { old: '`skipUTF8Validation`', core: 'the same' },
  'WS8-079': { old: 'options of `http.request`, `https.request` and `tls.connect`', core: 'the same' },
  'WS8-080': { old: '`ws+unix:` addresses', core: 'the same' },
  'WS8-081': {
    old: '`new WebSocket(null)`',
    core: "the same; `WebSocket.from(duplex, { role: 'client' })` over a stream",
  },
} as const satisfies Rows;

export const events = {
  'WS8-085': { old: "`'close'(code, reason)`", adapter: 'a third argument, `info`, says why', core: 'the same' },
  'WS8-086': {
    old: "`'error'(error)`",
    adapter: 'what a peer does wrong throws nothing where nobody listens',
    core: 'the same',
  },
  'WS8-087': { old: "`'message'(data, isBinary)`", core: 'the same, or `for await (const message of socket)`' },
  'WS8-088': { old: "`'open'`", core: 'the same' },
  'WS8-089': { old: "`'ping'(data)`", core: 'the same' },
  'WS8-090': { old: "`'pong'(data)`", core: 'the same' },
  'WS8-091': {
    old: "`'redirect'(url, request)`",
    adapter: 'credentials are gone already where the host is another one',
    core: 'the same',
  },
  'WS8-092': { old: "`'unexpected-response'(request, response)`", adapter: "`'close'` follows", core: 'the same' },
  'WS8-093': { old: "`'upgrade'(response)`", core: 'the same' },
} as const satisfies Rows;

export const members = {
  'WS8-095': {
    old: '`socket.addEventListener(type, listener, options)`',
    adapter: 'the same; JSON of an event has what it tells, where it is `{}` in `ws`',
    core: 'the same',
  },
  'WS8-096': { old: '`socket.binaryType`', core: 'the same' },
  'WS8-097': { old: '`socket.bufferedAmount`', core: 'the same; `send` says when it is too much' },
  'WS8-098': {
    old: '`socket.close(code, reason)`',
    adapter: 'what is no string and no bytes is no reason',
    core: 'the same; another reason is a TypeError',
  },
  'WS8-099': { old: '`socket.extensions`', core: 'the same' },
  'WS8-100': { old: '`socket.isPaused`', core: 'the same' },
  'WS8-101': { old: '`socket.onclose`', core: 'the same' },
  'WS8-102': { old: '`socket.onerror`', core: 'the same' },
  'WS8-103': { old: '`socket.onmessage`', core: 'the same' },
  'WS8-104': { old: '`socket.onopen`', core: 'the same' },
  'WS8-105': { old: '`socket.pause()`', core: 'the same' },
  'WS8-106': { old: '`socket.ping(data, mask, callback)`', core: 'the same; the role decides over masks' },
  'WS8-107': { old: '`socket.pong(data, mask, callback)`', core: 'the same' },
  'WS8-108': { old: '`socket.protocol`', core: 'the same' },
  'WS8-109': { old: '`socket.readyState`, `socket._readyState`', core: 'the same' },
  'WS8-110': { old: '`socket.removeEventListener(type, listener)`', core: 'the same' },
  'WS8-111': { old: '`socket.resume()`', core: 'the same' },
  'WS8-112': {
    old: '`socket.send(data, options, callback)`',
    adapter: 'returns a boolean, as `stream.write`',
    core: 'the same',
  },
  'WS8-113': { old: '`socket.terminate()`', core: 'the same' },
  'WS8-114': { old: '`socket.url`', core: 'the same' },
  'WS8-120': { old: '`createWebSocketStream(socket, options)`', core: 'the same, of either package' },
} as const satisfies Rows;

export const errorCodes = {
  'WS8-130': { old: '`WS_ERR_EXPECTED_FIN`', core: 'the same' },
  'WS8-131': { old: '`WS_ERR_EXPECTED_MASK`', core: 'the same' },
  'WS8-132': { old: '`WS_ERR_INVALID_CLOSE_CODE`', core: 'the same' },
  'WS8-133': { old: '`WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH`', core: 'the same' },
  'WS8-134': { old: '`WS_ERR_INVALID_OPCODE`', core: 'the same' },
  'WS8-135': { old: '`WS_ERR_INVALID_UTF8`', core: 'the same' },
  'WS8-136': { old: '`WS_ERR_TOO_MANY_BUFFERED_PARTS`', core: 'the same' },
  'WS8-137': { old: '`WS_ERR_UNEXPECTED_MASK`', core: 'the same' },
  'WS8-138': { old: '`WS_ERR_UNEXPECTED_RSV_1`', core: 'the same' },
  'WS8-139': { old: '`WS_ERR_UNEXPECTED_RSV_2_3`', core: 'the same' },
  'WS8-140': { old: '`WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH`', core: 'the same' },
  'WS8-141': { old: '`WS_ERR_UNSUPPORTED_MESSAGE_LENGTH`', core: 'the same' },
} as const satisfies Rows;

export const programs = {
  'WS8-150': { old: 'several servers on one http server', core: 'the same, and each may have a `path`' },
  'WS8-151': { old: "authentication in an `'upgrade'` listener", core: 'the same, or `verifyClient`' },
  'WS8-152': { old: 'a broadcast: a loop over `server.clients`', core: '`server.broadcast(data, { except: socket })`' },
  'WS8-153': {
    old: 'broken connections: `isAlive`, `ping` and `terminate` in an interval',
    core: '`heartbeat`, which servers have',
  },
  'WS8-154': {
    old: 'addresses: `request.socket.remoteAddress`, `X-Forwarded-For`',
    core: '`socket.remoteAddress` with `trustProxy`',
  },
  'WS8-155': { old: 'time of a round trip', core: '`socket.latency` with `heartbeat`' },
  'WS8-156': { old: 'an https server of yours', core: 'the same' },
  'WS8-157': { old: 'engine.io and socket.io: frames made once', core: '`new PreparedMessage(data)`' },
  'WS8-158': {
    old: 'proxies such as mockttp: `request.headers` changed before `handleUpgrade(request, …)`',
    core: 'override `handshakeOf(request)`',
  },
  'WS8-159': {
    old: 'and an end on a stream of their own: `new WebSocket(null)`, `_isServer`, `_extensions`, `setSocket(duplex, head, options)`',
    core: "`WebSocket.from(duplex, { role: 'client', extensions })` of `@ws/connection`",
  },
} as const satisfies Rows;

export const migration: Migration = {
  name: 'ws',
  entry: '@ws/compat/ws',
  introduction,
  sections: [
    { title: 'The module', rows: module },
    { title: 'Sender, Receiver and PerMessageDeflate, and headers', rows: parts },
    { title: 'Options of WebSocketServer', rows: serverOptions },
    { title: 'WebSocketServer', rows: server },
    { title: 'Constructor and options of WebSocket', rows: clientOptions },
    { title: 'Events of WebSocket', rows: events },
    { title: 'Members of WebSocket, and streams', rows: members },
    { title: 'Error codes', rows: errorCodes },
    { title: 'Programs', rows: programs },
  ],
  differences,
};
