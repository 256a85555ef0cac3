import type { Migration, Rows } from '../rows.js';

export const moduleRows = {
  'WE-001': {
    old: "`require('wesos').createServer((wsocket, wserver) => { … }).listen(http)`",
    adapter: 'the same; `createServer(options, listener)` besides',
    core: "`new WebSocketServer({ server: http })`, `server.on('connection', (socket) => { … })`",
  },
  'WE-002': {
    old: "`require('wesos')`: `Server`, `Socket`, `Incoming`, `Outgoing`",
    adapter: "`require('@ws/compat/wesos')`, or `import { Server } from '@ws/compat/wesos'`",
    core: "`import { WebSocketServer, WebSocket, Incoming, Outgoing } from '@ws/server'`",
  },
} as const satisfies Rows;

export const serverRows = {
  'WE-010': {
    old: '`new Server()`',
    adapter: 'the same; it takes the options of `@ws/server`, and `url` for its `path`',
    core: '`new WebSocketServer({ noServer: true })`',
  },
  'WE-011': {
    old: "`server.on('open', (wsocket) => { … })`",
    adapter: 'the same, with the server as second argument; `connect` comes besides',
    core: "`server.on('connection', (socket, request) => { … })`",
  },
  'WE-012': {
    old: "`server.on('close', () => { … })`",
    adapter: 'when the http servers have closed, or after `server.webSocketServer.close()`',
    core: "`server.on('close', () => { … })`, after `server.close()`",
  },
  'WE-013': {
    old: "`server.on('error', (error) => { … })`",
    adapter: 'of the http server; of a connection too, with its socket as second argument, where somebody listens',
    core: "`server.on('error', (error) => { … })`; of a connection `socket.on('error', (error) => { … })`",
  },
  'WE-014': {
    old: '`server.listen(http)`',
    core: '`server.attach(http)`, or the option `server`',
  },
  'WE-015': {
    old: '`wsocket.pipe(wserver)`',
    adapter: 'the same: to all, the sender included',
    core: '`socket.messages().pipe(server.messages)`',
  },
} as const satisfies Rows;

export const socketRows = {
  'WE-020': {
    old: '`new Socket(socket)`',
    adapter: 'the same; `new Socket(socket, { role, head })` besides, and all options of a connection',
    core: "`WebSocket.from(socket, { role: 'server', head })`",
  },
  'WE-021': {
    old: "`wsocket.on('message', (incoming) => { … })`",
    adapter: 'the same, once for each message, whatever frames it came in',
    core: "`socket.on('incoming', (message) => { … })`, with the option `incoming: 'stream'`",
  },
  'WE-022': {
    old: "`wsocket.on('close', () => { … })`",
    adapter: 'the same, with `(code, reason)`',
    core: "`socket.on('closing', (code, reason, initiator) => { … })`",
  },
  'WE-023': {
    old: "`wsocket.on('ping', (data) => { … })`",
    core: "`socket.on('ping', (data) => { … })`",
  },
  'WE-024': {
    old: "`wsocket.on('end', () => { … })`",
    core: "`socket.on('close', (code, reason, info) => { … })`",
  },
} as const satisfies Rows;

export const incomingRows = {
  'WE-030': {
    old: '`new Incoming()`, `incoming.header`, `header`',
    adapter: "the same, without the event `flush`; `new Incoming({ role: 'server' })` takes masked frames alone",
    core: '`new FrameDuplex(source)` of `@ws/frame/stream`; of a message `message.header`',
  },
  'WE-031': {
    old: "`incoming.on('readable', () => incoming.read())`",
    core: "`message.on('readable', () => message.read())`, or `await message.text()`",
  },
  'WE-032': {
    old: "`incoming.on('end', () => { … })`",
    core: "`message.on('end', () => { … })`",
  },
} as const satisfies Rows;

export const outgoingRows = {
  'WE-040': {
    old: '`new Outgoing(wsocket)`',
    core: '`socket.createOutgoing()`',
  },
  'WE-041': {
    old: '`outgoing.write(data)`',
    core: '`outgoing.write(data)`',
  },
  'WE-042': {
    old: '`outgoing.end([data])`',
    core: '`outgoing.end([data])`, or `socket.send(data)`',
  },
  'WE-043': {
    old: '`outgoing.header`',
    adapter: '`opcode` (1 or 2) and `length` have an effect, until the first write',
    core: '`socket.createOutgoing({ binary, length })`',
  },
} as const satisfies Rows;

export const migration: Migration = {
  name: 'wesos',
  entry: '@ws/compat/wesos',
  introduction: `
Change the import line:

\`\`\`js
const wesos = require('wesos'); // before
const wesos = require('@ws/compat/wesos'); // after
\`\`\`

In an ES module: \`import wesos from '@ws/compat/wesos'\`, or \`import { createServer } from\`. The entry has its types with it.

What wesos has no name for is one step away: \`wsocket.webSocket\` is the \`WebSocket\` of the core, with \`close\`, \`send\`, \`ping\` and all else, and
\`server.webSocketServer\` its \`WebSocketServer\`. Both may be used beside the old names, so that a program can be moved piece by piece.
`,
  sections: [
    { title: 'The module', rows: moduleRows },
    { title: 'Server', rows: serverRows },
    { title: 'Socket', rows: socketRows },
    { title: 'Incoming', rows: incomingRows },
    { title: 'Outgoing', rows: outgoingRows },
  ],
  differences: `
| what | the way back |
| --- | --- |
| a browser's page of another host is refused | \`createServer({ origins: 'any' }, …)\` |
| a message may have 1 MiB, also one that is read as a stream | \`maxPayload: 0\` |
| \`incoming\` is a message, not a frame: fragments are put together, control frames are not in it | \`FrameDuplex\` of \`@ws/frame/stream\` shows frames |
| frames that are not masked, text that is not UTF-8, reserved bits and the like end the connection | none |
| an upgrade that nobody takes gets 404 | \`unservedPath: 400\` for another status |
| a message that nobody listens for, reads or pipes is dropped; one that a \`message\` listener has got and does not read holds up its connection | \`incoming.destroy()\` |
| a piped message of up to 1 MiB goes on when it is complete, a longer one while it comes in; one whose sender is gone is told by the server's \`error\` (\`WS_ERR_INCOMPLETE_MESSAGE\`) | none |
| who reads too slowly is cut when 16 MiB wait for him | \`slowConsumer: false\` |
| a client that is gone is noticed after a minute at most | \`heartbeat: false\` |
| what a peer does never throws: \`error\` is emitted where somebody listens | none |

A \`message\` listener and a pipe get the same \`incoming\`: let one of them read it. \`close\` and \`end\` of a \`Socket\` are those of the connection, so use \`pipe\` with it, not
\`pipeline\` or \`for await\`; for these there is \`wsocket.webSocket.messages()\`.
`,
};
