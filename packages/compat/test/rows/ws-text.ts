export const introduction = `
Change the import line, and nothing else:

\`\`\`diff
-import WebSocket, { WebSocketServer } from 'ws';
+import WebSocket, { WebSocketServer } from '@ws/compat/ws';
\`\`\`

or leave it as it is, also in packages of others, with an override in \`package.json\` (\`"."\` is the same module as \`"./ws"\`; under pnpm \`overrides\` in \`pnpm-workspace.yaml\`, under Yarn \`"resolutions"\`, since Yarn 2 with a version: \`"npm:@ws/compat@*"\`):

\`\`\`json
{ "overrides": { "ws": "npm:@ws/compat" } }
\`\`\`

Where \`ws\` is a dependency of your own too, npm wants one word for both, or it stops with \`EOVERRIDE\`. With the dependency alone it stops with \`ERESOLVE\` where a package, such as graphql-ws, has \`ws\` 8 for a peer:

\`\`\`json
{ "dependencies": { "ws": "npm:@ws/compat" }, "overrides": { "ws": "$ws" } }
\`\`\`

What is installed already npm leaves as it is, and says \`up to date\`. So install anew, and look:

\`\`\`sh
rm -rf node_modules package-lock.json
npm install
npm ls ws # ws@npm:@ws/compat@… in each line
\`\`\`

\`@types/ws\` can go: the types are there, under the same names. [Programs](../../tools/drop-in/README.md) of the registry that run so, unchanged: socket.io, @nestjs/platform-ws, graphql-ws, @trpc/server, mockttp and others.

A bundle by esbuild or Rollup in which one module has \`import\` and another \`require\` has two classes \`WebSocket\`, unless it is told the condition \`module-sync\`, which Node and webpack have by themselves: \`esbuild --conditions=module-sync\`,
\`exportConditions: ['module-sync']\` of @rollup/plugin-node-resolve.

What \`ws\` does where no option says otherwise is done here too: pages of any host are let in, messages may have 100 MiB, protocol version 8 is taken, compression is at level 6 with contexts that
are taken over, a client ends TCP as soon as both Close frames have gone (in the core it waits for the server: \`waitForTcpClose\`), and the guards of \`@ws/server\` are off. Each of them is one option away: \`origins\`, \`handshakeTimeout\`, \`heartbeat\`, \`slowConsumer\`, \`memoryLimit\`, \`messageTimeout\`, \`maxPending\`,
\`maxHeaderCount\`, \`maxConnections\` and [all others](../../packages/server/README.md#limits). A server on the open internet should have them: with \`@ws/server\` it has.

What a program can see over a connection is run with \`ws\` 8.23 and with the adapter, in all four combinations of their ends, and has to be the same.
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
| An object that \`verifyClient\` answers, or calls back with, has \`accept\`: one without is a 500, unless it is a list with something in it. | \`Boolean(user)\` |
| A subprotocol that the client did not offer is not sent: 500. | none: RFC 6455 §4.2.2 |
| Lines that a \`'headers'\` listener adds are checked, and those of the handshake itself stay. | none |
| A client's version that we do not speak: 426, not 400. Other refusals have the status that \`ws\` gives and a text that says why. | listen to \`'wsClientError'\`, and answer |
| A request without \`Host\` or with two, with a body, with \`*\` or a fragment as its target, or with extensions that break the grammar: 400, also where nobody asks for them. | none: RFC 9112 §3.2, RFC 6455 §9.1 |
| An offer of compression that is wrong is declined, not answered with 400. Empty elements of a list of subprotocols are stepped over. | none: RFC 7692 §7, RFC 9110 §5.6.1 |
| Several servers on one http server share it: the first whose \`path\` fits takes a request, and what none of them wants is left to other \`'upgrade'\` listeners, if there are any. | none |
| Headers that make a handshake one are left out of a client's \`headers\`, \`Sec-WebSocket-Protocol\` among them. | \`new WebSocket(address, protocols)\` |
| Of redirects, 301, 302, 303, 307 and 308 are followed. | none |
| Where a \`signal\` is aborted with an error, that is the error; else it is \`ABORT_ERR\`, as in \`ws\`. | \`controller.abort()\` |
| \`'close'\` follows in every case, also after \`'unexpected-response'\` when the request is closed. | none |
| On a redirect to another host, credentials are dropped before \`'redirect'\` is emitted. | set them in the listener: \`request.setHeader('Authorization', …)\` |
| \`handshakeTimeout\` is a limit, not a time of silence. \`timeout\`, \`socketPath\` and \`host\` have an effect. | none |
| \`bufferedAmount\` is above 0 right behind \`send\`: all that is sent in one turn leaves in one write. | compare it with a limit above what one turn sends |
| The texts of errors are ours where a peer breaks the protocol, their \`code\` is that of \`ws\`; corrupt compressed data is \`WS_ERR_INVALID_DEFLATE_DATA\`, not \`Z_DATA_ERROR\`. Texts of failed handshakes of clients are those of \`ws\`, but for what is wrong in a 101; these, and errors of the program itself (options, what cannot be sent), have texts of ours. | branch on \`code\` |
| Errors that a peer causes are a \`ProtocolError\` or a \`HandshakeError\`, where \`ws\` has a RangeError or an Error. | branch on \`code\` |
| A code or a reason that \`close\` cannot send is a RangeError, not always a TypeError. | none |
| At most 128 connections of a process have a compressor with a window; others compress each message on its own. | \`perMessageDeflate: { maxContexts: 1e6 }\` |
| After a 101 with something wrong in it, \`'close'\` follows \`'error'\` at once, as it does in \`ws\` after all other failed handshakes. | listen to \`'close'\` before \`'error'\` comes |
| No message comes behind \`terminate()\`, or while \`pause()\` holds, also of those that have arrived together. | none |
| Text that is no UTF-8 ends the connection at its first wrong byte, also in a message that is not whole yet. | none |
| Pings and pongs, and the Close frame for a fault, do not wait for messages that are still being compressed, or for a Blob. | send them from the message's callback |
| What a listener or a callback throws leaves the connection as it was: the next message comes. | \`socket.terminate()\` |
| Callbacks of what is sent in one turn run in the async context of the first of them. | \`AsyncResource.bind(callback)\` |
| A subclass hears of the peer's Close frame by \`'closing'\`, not by a call of its \`close\`. | \`socket.on('closing', …)\` |
| The callback of \`send\` gets undefined where \`ws\` passes on the null of a stream; \`url\` of a server's end is \`''\`, not undefined. | none |
| \`server.close()\` emits \`'close'\` once. | none |
| The queue of the listening socket is 4096 long. | \`backlog: 511\` |
| \`maxPendingAutoPongs\` has no effect: of pings whose answers wait, the newest is answered. | none |
| What begins with \`_\` in \`ws\`, and \`emitClose\`, is not there (\`_receiver\`, \`_closeFrameReceived\` …), but for \`_socket\`, \`_readyState\`, \`_sender.sendFrame\`, \`server._server\`, and \`_isServer\` and \`_extensions\` before \`setSocket\`. | \`socket.duplex\`, \`socket.limits\`, \`socket.closed\` |
| What comes on top has names too: \`socket.closed\`, \`.duplex\`, \`.stats\`, \`server.messages\` … A program may assign values of its own to all of them but \`incoming\`; what it reads before it does is ours. | \`socket.closed = false\` in \`'connection'\` |
| The state of a socket is private to it: members of a Proxy for one, or of \`Object.create(WebSocket.prototype)\`, throw a TypeError. | a Proxy that binds methods to the socket |
| \`new Sender(duplex)\` is a TypeError; \`sendFrame\` throws for frames with RSV1: only the connection knows what its peer can decompress. | \`WebSocket.from(duplex, { role })\` |
| Agents that patch the files of \`ws\` (dd-trace) see none of its messages: there are no such files. Those that patch the class do. | the channels \`ws:open\`, \`ws:message\`, \`ws:close\` of \`node:diagnostics_channel\` |
| \`bufferutil\` and \`utf-8-validate\` are not used. | none: they are not needed |

And what comes on top: \`send\` returns a boolean, \`'drain'\` follows; \`'close'\` has \`info\` as third argument; \`socket.closed\`, \`for await\`, \`broadcast\`, \`shutdown\`, \`metrics\` and all else that
[@ws/server](../../packages/server/README.md), [@ws/client](../../packages/client/README.md) and [@ws/connection](../../packages/connection/README.md) have is there, for they are the same classes.
`;
