import type { Migration, Rows } from '../rows.js';

export const moduleRows = {
  'BK-001': {
    old: "require('websockets').Socket",
    adapter: 'one class for frames and messages; it stands on a byte stream, or on a WebSocket of the core',
    core: '`FrameDuplex` of `@ws/frame/stream` for frames, `WebSocket` for messages',
  },
  'BK-002': { old: "require('websockets').Server", core: 'WebSocketServer' },
  'BK-003': { old: 'the stability notes', core: 'none', internal: true },
} as const satisfies Rows;

export const frameRows = {
  'BK-010': { old: 'class WebSocket extends stream.Duplex', core: 'FrameDuplex' },
  'BK-011': {
    old: 'new WebSocket(source, [options])',
    adapter: 'the same; a second one on the same source throws',
    core: 'new FrameDuplex(source, options), or WebSocket.from(source, { role })',
  },
  'BK-012': {
    old: '`mask`, an option',
    adapter: 'the same, and it says whose end it is: frames that are masked as they must not be end it with 1002',
    core: "the option `role`: 'server', 'client' or 'any'",
  },
  'BK-013': {
    old: 'wssocket.read()',
    adapter: 'the same, payload of text and binary frames alone',
    core: 'duplex.read()',
  },
  'BK-014': {
    old: 'wssocket.writeHead(head)',
    adapter: 'the same; it holds for one message',
    core: 'duplex.writeHead(head), which throws for a bad value',
  },
  'BK-015': { old: 'head.fin', core: 'head.fin' },
  'BK-016': {
    old: 'head.mask',
    adapter: 'the same; ignored on a connection of a Server',
    core: 'head.mask of a FrameDuplex; a WebSocket masks by its role',
  },
  'BK-017': { old: 'head.opcode', adapter: 'of the first frame; the others are continuations', core: 'head.opcode' },
  'BK-018': {
    old: 'head.length',
    adapter:
      'the same, for as many writes as it takes; too much throws, too little destroys the source. On a connection of a Server a frame that is all of its message goes out as it is written, and one that is a part of it when all of that part is there; one of more than 1 MiB (`maxDeclaredFrame`) goes out as fragments',
    core: 'head.length; createOutgoing({ length }); outgoing.collect(chunk)',
  },
  'BK-019': { old: 'head.masking', core: 'head.maskingKey, a number' },
  'BK-020': {
    old: 'head.rsv1, head.rsv2, head.rsv3',
    adapter: 'ignored, unless the option `allowedRsv` says that an extension owns them',
    core: 'head.rsv, with the option `allowedRsv`',
  },
  'BK-021': {
    old: 'wssocket.write(chunk)',
    adapter: 'the same; null, undefined, true and false are no chunks',
    core: 'duplex.write(chunk); socket.createOutgoing().write(chunk)',
  },
  'BK-022': { old: 'wssocket.writeEnd([chunk])', core: 'duplex.writeEnd(chunk); outgoing.end(chunk)' },
  'BK-023': {
    old: "wssocket.on('head', (head) => …)",
    adapter: 'the same, for each frame; a Server tells of those of all its connections',
    core: "duplex.on('head', (head) => …); socket.on('frame', (head) => …)",
  },
  'BK-024': { old: "wssocket.on('done', () => …)", core: "duplex.on('messageEnd', () => …); incoming.on('end', …)" },
  'BK-025': {
    old: "wssocket.on('readable', () => …)",
    adapter: 'the same; never with nothing to read',
    core: "duplex.on('readable', () => …), once more at the end, with null",
  },
  'BK-026': {
    old: 'pings, pongs and close frames, unmentioned',
    adapter: 'pings and close frames are answered unless `raw`; events `ping`, `pong`, `close`',
    core: 'events `ping`, `pong`, `closing`, `close`; option `raw`',
  },
} as const satisfies Rows;

export const serverRows = {
  'BK-030': { old: 'class WebSocketServer extends stream.Writable', core: 'WebSocketServer, and server.messages' },
  'BK-031': { old: 'new WebSocketServer([options])', core: 'new WebSocketServer({ noServer: true })' },
  'BK-032': {
    old: '`url`, an option',
    adapter: 'the same; its path is compared, without a query; 404 where nobody takes a request',
    core: '`path`, and `unservedPath: 404`',
  },
  'BK-033': {
    old: '`timeout`, an option',
    adapter:
      'ms without a byte in either direction, then 1001, and the end behind `closeTimeout`; 0 is for ever. A stream without `setTimeout`, which only a program brings, has none. With it there is no `heartbeat`, whose bytes would count, unless you ask for one',
    core: '`idleTimeout`, which goes by messages; `heartbeat` finds those that are gone',
  },
  'BK-034': {
    old: '`maxConnections`, an option',
    adapter:
      'the same; who is too many gets 503, the others stay. A socket that is not read to its end has until `closeTimeout` behind its connection, or until somebody comes for its place',
    core: '`maxConnections`',
  },
  'BK-035': {
    old: 'wsserver.write(chunk)',
    adapter: 'the same: an empty chunk ends the message; `end()` does too, and ends nothing else',
    core: 'server.createBroadcast({ binary: true }).write(chunk)',
  },
  'BK-036': { old: 'wsserver.listen(server)', core: 'server.attach(httpServer)' },
  'BK-037': {
    old: 'wsserver.broadcast(head, message)',
    adapter:
      'the same; without a head it is text. Without `fin` in the head it is a whole message; with `fin: false` the next broadcasts, and `write`, go on with it until one ends it',
    core: 'server.broadcast(data, { binary })',
  },
  'BK-038': { old: "wsserver.on('open', (wssocket) => …)", core: "server.on('connection', (socket) => …)" },
  'BK-039': {
    old: "wsserver.on('pong', (message, wssocket) => …)",
    adapter: 'for each pong, sent or received: a third argument `{ direction, data }` says which',
    core: "socket.on('ping', (data) => …), socket.on('pong', (data) => …)",
  },
  'BK-040': {
    old: "wsserver.on('close', (code, wssocket) => …)",
    adapter: 'the same, and the reason as third argument',
    core: "socket.on('close', (code, reason) => …)",
  },
  'BK-041': {
    old: "wsserver.on('error', (error) => …)",
    adapter: 'the same, with the socket where there is one; nothing is thrown where nobody listens',
    core: "socket.on('error', (error) => …), server.on('refused', (reason, request, error) => …)",
  },
  'BK-042': {
    old: "wsserver.on('message', (message, wssocket) => …)",
    adapter: 'text as a string, binary as a Buffer',
    core: "socket.on('message', (data, isBinary) => …)",
  },
  'BK-043': {
    old: "wsserver.on('stream:start', (wssocket) => …)",
    adapter: 'the same, for messages in fragments or longer than `streamThreshold`',
    core: "`incoming: 'auto'`, socket.on('incoming', (message) => …)",
  },
  'BK-044': {
    old: "wsserver.on('stream:end', (wssocket) => …)",
    adapter: 'the same, also under the name `stream:stop`',
    core: "message.on('end', () => …)",
  },
  'BK-045': {
    old: 'wsserver.sockets, .url, .timeout, .maxConnections, .mask',
    core: 'server.clients, a Set; server.options',
  },
} as const satisfies Rows;

export const messageRows = {
  'BK-050': {
    old: 'wssocket.send(message)',
    adapter: 'a string is text, bytes are binary, anything else a TypeError',
    core: 'socket.send(data)',
  },
  'BK-051': { old: 'wssocket.id', adapter: 'counts from 0 on each server', core: '`socket.data`, which is yours' },
  'BK-052': {
    old: 'wssocket.pipe(wsserver), wssocket.unpipe(wsserver)',
    adapter: 'the same, to one server at a time; each message arrives as one, and the server never ends',
    core: 'socket.messages().pipe(server.messages), or incoming.pipe(server.createBroadcast())',
  },
  'BK-053': {
    old: 'wssocket.ping([message]), wssocket.close([code], [reason])',
    adapter: "the same; close('text') is 1000 with that reason",
    core: 'socket.ping(data), socket.close(code, reason)',
  },
  'BK-054': {
    old: 'events of wssocket: `message`, `pong`, `close`, `stream:start`, `stream:end`',
    adapter: 'the same; the server has each with the socket behind the first argument',
    core: 'events of the WebSocket alone',
  },
  'BK-055': { old: 'WebSocketUpgrade', core: '@ws/handshake', internal: true },
} as const satisfies Rows;

export const migration: Migration = {
  name: 'websockets',
  entry: '@ws/compat/websockets',
  introduction: `This is \`websockets\` by Bodo Kaiser, as it was in April 2013; the package that has the name now is another one.

\`\`\`diff
-var websockets = require('websockets');
+var websockets = require('@ws/compat/websockets');
\`\`\`

With \`import\`, say \`import websockets from '@ws/compat/websockets'\`, or \`import { Server, Socket } from\`.`,
  sections: [
    { title: 'Module', rows: moduleRows },
    { title: 'Frames: Socket', rows: frameRows },
    { title: 'Server', rows: serverRows },
    { title: 'Messages: Socket', rows: messageRows },
  ],
  differences: `- **The rules of RFC 6455 hold**: masks, UTF-8, lengths, opcodes, close codes. Who breaks one gets the Close frame that says so, and you an \`'error'\` with a \`code\`. For tools, \`new Socket(source, { role: 'any' })\` takes frames with and without a mask, \`raw: true\` answers nothing, \`skipUTF8Validation\` and \`strictLength: false\` look away.
- **Browser pages of other hosts are refused** (403). Way back: \`new Server({ origins: 'any' })\`, or a list of origins.
- **Messages are at most 100 MiB**: \`maxPayload\`, 0 for no limit. All options of [@ws/server](../../packages/server) that are not said in other words here are taken too: \`heartbeat\`, \`handshakeTimeout\`, \`slowConsumer\`, \`perMessageDeflate\`, ….
- **A head is for one message.** It used to stay, with its length and opcode, for all that came after.
- **\`send\` of bytes is binary.** It used to be text. Way back: \`send(bytes.toString())\`.
- **Messages that clients stream to all never mix**, and go out whole up to 1 MiB; longer ones as they come. A client that is cut in the middle ends its message with an empty frame; \`'error'\` (\`WS_ERR_INCOMPLETE_MESSAGE\`) and \`'stream:end'\` tell of it.
- **On a byte stream a message of \`'message'\`** has the limit of a frame, \`maxFramePayload\`, 100 MiB: beyond it 1009.
- **A message that nobody reads is dropped** on a connection of a Server; once somebody reads it, it holds up its connection as long as he does not go on. On a byte stream everything waits for its reader.
- **\`'message'\` is for whole messages**: where nobody listens for it, on the server or the socket, they can be read from the socket; streams can always.
- **A Server cannot be ended or destroyed** by a source that is piped to it. To close it: \`await server.core.shutdown()\`; \`server.core\` is the WebSocketServer. Use \`source.pipe(server)\`, not \`pipeline\`, which takes the \`'close'\` of a connection for that of the server.
- **A connection on which nobody reads** is silent for \`timeout\`, as bytes count when they are read: who lets a message wait for longer says \`timeout: 0\`.
- In the middle of a message that \`write\` has begun, \`send\` on a byte stream ends that message; on a connection of a Server it waits for its end.`,
};
