export const introduction = `
Change the import line, and nothing else:

\`\`\`diff
-import WebSocket, { WebSocketServer } from 'ws';
+import WebSocket, { WebSocketServer } from '@ws/compat/ws';
\`\`\`

or leave it as it is, also in packages of others, with an override in \`package.json\` (\`"."\` is the same module as \`"./ws"\`; under pnpm \`overrides\` in \`pnpm-workspace.yaml\`, under yarn \`"resolutions"\`):

\`\`\`json
{ "overrides": { "ws": "npm:@ws/compat" } }
\`\`\`

Where \`ws\` is a dependency of your own too, npm wants one word for both, or it stops with \`EOVERRIDE\`:

\`\`\`json
{ "dependencies": { "ws": "npm:@ws/compat" }, "overrides": { "ws": "$ws" } }
\`\`\`

\`@types/ws\` can go: the types are there, under the same names.

What \`ws\` does where no option says otherwise is done here too: pages of any host are let in, messages may have 100 MiB, protocol version 8 is taken, compression is at level 6 with contexts that
are taken over, and the guards of \`@ws/server\` are off. Each of them is one option away: \`origins\`, \`handshakeTimeout\`, \`heartbeat\`, \`slowConsumer\`, \`memoryLimit\`, \`messageTimeout\`, \`maxPending\`,
\`maxHeaderCount\`, \`maxConnections\` and [all others](../../packages/server/README.md#limits). A server on the open internet should have them: with \`@ws/server\` it has.

In the tables, "the same" is the same name with the same meaning. Every row is a test; what a program can see over a connection is run with \`ws\` 8.23 and with the adapter, in all four combinations of their ends, and has to be
the same.
`;

export const differences = `
What stays different here, on purpose, and how a program gets what \`ws\` does:

| what | the way of \`ws\` |
| --- | --- |
| What a peer does wrong throws nothing where nobody listens for \`'error'\`: it is in \`info.error\`, the third argument of \`'close'\`. | \`socket.on('error', (error) => { throw error; })\` |
| Lengths must be in their shortest form: 1002, \`WS_ERR_NON_MINIMAL_LENGTH\`. | \`strictLength: false\` |
| The role decides who masks; \`mask\` of \`send\`, \`ping\` and \`pong\` changes nothing. | none: RFC 6455 §5.1 |
| Options are checked at the constructor: one of the wrong type is a TypeError that names it. Flags are taken as \`ws\` does, null is as if left out, a port may be digits. | none |
| \`server.options\` is frozen, but for \`handleProtocols\` and \`verifyClient\`. | give them to the constructor |
| What \`verifyClient\`, \`handleProtocols\` or \`shouldHandle\` throws is a 500, and told by \`'refused'(reason, request, error)\`. | none: the exception does not come up by itself |
| A subprotocol that the client did not offer is not sent: 500. | none: RFC 6455 §4.2.2 |
| Lines that a \`'headers'\` listener adds are checked, and those of the handshake itself stay. | none |
| A client's version that we do not speak: 426, not 400. Other refusals have the status that \`ws\` gives and a text that says why. | listen to \`'wsClientError'\`, and answer |
| An offer of compression that is wrong is declined, not answered with 400. Empty elements of a list of subprotocols are stepped over. | none: RFC 7692 §7, RFC 9110 §5.6.1 |
| Several servers on one http server share it: the first whose \`path\` fits takes a request, and what none of them wants is left to other \`'upgrade'\` listeners, if there are any. | none |
| \`'close'\` follows in every case, also after \`'unexpected-response'\` when the request is closed. | none |
| On a redirect to another host, credentials are dropped before \`'redirect'\` is emitted. | set them in the listener: \`request.setHeader('Authorization', …)\` |
| \`handshakeTimeout\` is a limit, not a time of silence. \`timeout\`, \`socketPath\` and \`host\` have an effect. | none |
| \`bufferedAmount\` is above 0 right behind \`send\`: all that is sent in one turn leaves in one write. | compare it with a limit above what one turn sends |
| The texts of errors are ours where a peer breaks the protocol, their \`code\` is that of \`ws\`; corrupt compressed data is \`WS_ERR_INVALID_DEFLATE_DATA\`, not \`Z_DATA_ERROR\`. Texts of failed handshakes of clients are those of \`ws\`, but for what is wrong in a 101; these, and errors of the program itself (options, what cannot be sent), have texts of ours. | branch on \`code\` |
| A code or a reason that \`close\` cannot send is a RangeError, not always a TypeError. | none |
| At most 128 connections of a process have a compressor with a window; others compress each message on its own. | \`perMessageDeflate: { maxContexts: 1e6 }\` |
| After a 101 with something wrong in it, \`'close'\` follows \`'error'\` at once, as it does in \`ws\` after all other failed handshakes. | listen to \`'close'\` before \`'error'\` comes |
| Where both ends are in one process, and the client closes, its \`'close'\` comes before that of the server's end, which is still among \`server.clients\` then. | wait for \`'close'\` of the server's end |
| The callback of \`send\` gets undefined where \`ws\` passes on the null of a stream; \`url\` of a server's end is \`''\`, not undefined. | none |
| A subclass that overrides \`send\` returns its boolean: to the compiler \`void\` is not enough. | \`return super.send(…)\` |
| \`server.close()\` emits \`'close'\` once. | none |
| The queue of the listening socket is 4096 long. | \`backlog: 511\` |
| \`maxPendingAutoPongs\` has no effect: of pings whose answers wait, the newest is answered. | none |
| What begins with \`_\` in \`ws\`, and \`emitClose\`, is not there (\`_receiver\`, \`_extensions\`, \`_readyState\` …), but for \`_socket\`, \`_sender.sendFrame\` and \`_isServer\` before \`setSocket\`. | \`socket.socket\`, \`socket.limits\`, \`socket.closed\` |
| \`new Sender(duplex)\` is a TypeError; \`sendFrame\` throws for frames with RSV1: only the connection knows what its peer can decompress. | \`WebSocket.from(duplex, { role })\` |
| \`bufferutil\` and \`utf-8-validate\` are not used. | none: they are not needed |

And what comes on top: \`send\` returns a boolean, \`'drain'\` follows; \`'close'\` has \`info\` as third argument; \`socket.closed\`, \`for await\`, \`broadcast\`, \`shutdown\`, \`metrics\` and all else that
[@ws/server](../../packages/server/README.md), [@ws/client](../../packages/client/README.md) and [@ws/connection](../../packages/connection/README.md) have is there, for they are the same classes.
`;
