// Faults of older WebSocket libraries, by their number, and the test that holds each of them: a part of its name, and its file from the root.
// test/table.test.ts fails where there is no such test.

const HERE = 'tools/advisories/test';

/** @typedef {{ readonly fault: string, readonly file: string, readonly test: string }} Held */

/** @type {Readonly<Record<string, Held>>} */
export const HELD = {
  'B-01': {
    fault: 'text decoded fragment by fragment',
    file: 'packages/server/test/echo.test.ts',
    test: 'npm ws: text in fragments that cut its characters',
  },
  'B-02': {
    fault: 'UTF-8 not checked, or at the end only',
    file: 'packages/connection/test/protocol/messages.test.ts',
    test: 'UTF-8 fails in mid-frame, before the rest has come',
  },
  'B-03': { fault: 'masking not enforced', file: `${HERE}/duties.test.ts`, test: 'without a mask to a server: 1002' },
  'B-04': {
    fault: 'handshakes scanned from the start at each chunk, without limits',
    file: `${HERE}/grammars.test.ts`,
    test: 'a request of 64 KiB in chunks of one byte',
  },
  'B-05': { fault: 'quadratic receive buffer', file: `${HERE}/regressions.test.ts`, test: 'B-05' },
  'B-06': {
    fault: 'fragmented text without limit',
    file: `${HERE}/lengths.test.ts`,
    test: 'a server: 400 + 400 + 201 bytes of 1000',
  },
  'B-07': {
    fault: 'control frames over 125 bytes',
    file: `${HERE}/crashes.test.ts`,
    test: 'to a server without any listener: ${code}',
  },
  'B-08': { fault: 'ping payload as text', file: `${HERE}/regressions.test.ts`, test: 'B-08' },
  'B-09': {
    fault: 'any close code taken and sent',
    file: `${HERE}/duties.test.ts`,
    test: 'a program cannot send what may not travel',
  },
  'B-10': {
    fault: 'an incoming stream that was cut ends as if it were whole',
    file: 'packages/connection/test/incoming.test.ts',
    test: '$name: WS_ERR_INCOMPLETE_MESSAGE, for every way to read',
  },
  'B-11': {
    fault: 'nobody ends TCP',
    file: `${HERE}/closing.test.ts`,
    test: 'a server ends TCP behind the two Close frames',
  },
  'B-12': {
    fault: 'parsing goes on behind a fault',
    file: `${HERE}/closing.test.ts`,
    test: 'and no end of it: a server keeps none of it, and cuts',
  },
  'B-13': { fault: '`close` more than once', file: `${HERE}/regressions.test.ts`, test: 'B-13 B-14' },
  'B-14': { fault: '`readyState` undefined behind the end', file: `${HERE}/regressions.test.ts`, test: 'B-13 B-14' },
  'B-15': {
    fault: 'a length that is not minimal blocks the parser',
    file: `${HERE}/regressions.test.ts`,
    test: 'B-15',
  },
  'B-16': {
    fault: 'keys of Math.random',
    file: `${HERE}/sources.test.ts`,
    test: 'a server and a client get on without Math.random',
  },
  'B-17': { fault: '`new Buffer`', file: `${HERE}/sources.test.ts`, test: 'no `new Buffer`' },
  'B-18': {
    fault: 'CR LF in options of a client, which are changed besides',
    file: 'packages/client/test/options.test.ts',
    test: 'B-18 NW-009 TypeError for $text in $place',
  },
  'B-19': { fault: '`Connection` not read as a list', file: `${HERE}/regressions.test.ts`, test: 'B-19' },
  'B-20': {
    fault: 'version 8 without asking, its origin elsewhere',
    file: `${HERE}/origins.test.ts`,
    test: 'the origin of version 8 is not believed in its place',
  },
  'B-21': { fault: 'whether to compress kept per connection', file: `${HERE}/regressions.test.ts`, test: 'B-21' },
  'B-22': {
    fault: 'no limit on clients, none for what inflates',
    file: 'packages/client/test/deflate-peers.test.ts',
    test: 'B-22 maxPayload and maxRatio hold',
  },
  'B-23': { fault: 'zlib objects for every connection', file: `${HERE}/regressions.test.ts`, test: 'B-23' },
  'B-24': {
    fault: "options changed, others' listeners removed",
    file: 'packages/client/test/options.test.ts',
    test: 'B-18 B-24 options, headers, protocols and address stay as they were',
  },
  'B-25': {
    fault: 'exceptions and silence of `verifyClient`',
    file: 'packages/server/test/verify-client.test.ts',
    test: 'no answer within handshakeTimeout: 503 with Retry-After (K-08, B-25)',
  },
  'B-26': {
    fault: 'key and method not checked, headers of callbacks sent as they are',
    file: `${HERE}/requests.test.ts`,
    test: 'each required header is empty, a comma, or a blank',
  },
  'B-27': {
    fault: 'more than `maxConnections` ends everything',
    file: 'packages/server/test/programs.test.ts',
    test: 'A-07 four are in and stay in, the fifth gets 503',
  },
  'B-28': {
    fault: 'length, opcode and mask of the frame before',
    file: 'packages/frame/test/stream/round-trip.test.ts',
    test: 'two of them over a pair in memory understand each other',
  },
  'B-30': {
    fault: '`error` without a listener',
    file: 'packages/connection/test/closing.test.ts',
    test: 'B-30: nobody listens: no exception, the reason is in CloseInfo',
  },
  'B-31': {
    fault: 'an upgrade that nobody wants stays open; bytes behind the request are lost',
    file: 'packages/server/test/upgrade-routing.test.ts',
    test: 'B-31 a foreign listener that leaves it alone: 404 after handshakeTimeout',
  },
  'B-32': {
    fault: 'control payloads and unknown frames within messages',
    file: `${HERE}/fragments.test.ts`,
    test: 'pings between the fragments do not make them other messages',
  },
  'B-33': {
    fault: 'upper half of the length ignored',
    file: `${HERE}/lengths.test.ts`,
    test: 'to a server, opcode ${opcode}: 1009 at the header',
  },
  'B-34': {
    fault: 'who fails the handshake is connected anyway',
    file: `${HERE}/regressions.test.ts`,
    test: 'B-34 B-35',
  },
  'B-35': { fault: 'the wrong ones are taken for gone', file: `${HERE}/regressions.test.ts`, test: 'B-34 B-35' },
  'B-36': {
    fault: 'what somebody streams comes back to him',
    file: 'packages/server/test/broadcast-stream.test.ts',
    test: 'except and filter are asked at the first write',
  },
  'B-37': { fault: '`timeout: 0` ignored', file: `${HERE}/regressions.test.ts`, test: 'B-37' },
  'B-38': {
    fault: 'Close frame not answered',
    file: `${HERE}/duties.test.ts`,
    test: 'a server answers those that may travel with the same',
  },
  'B-39': {
    fault: 'a missing key ends the process',
    file: `${HERE}/requests.test.ts`,
    test: 'each required header is missing',
  },
  'B-40': { fault: 'version in the 101, bytes behind it lost', file: `${HERE}/regressions.test.ts`, test: 'B-40' },
  'B-41': {
    fault: 'no back-pressure on broadcasts',
    file: 'packages/server/test/broadcast-slow.test.ts',
    test: 'one copy for all: ten stalled clients cost no more than one',
  },
  'B-42': { fault: "masking in the caller's memory", file: `${HERE}/regressions.test.ts`, test: 'B-42 B-45' },
  'B-43': {
    fault: 'a source that ends takes the server along',
    file: 'packages/server/test/message-sink.test.ts',
    test: 'it has no end: end() writes, destroy() does nothing',
  },
  'B-44': {
    fault: 'an illegal close code hangs, a close while connecting is silent',
    file: 'packages/client/test/lifecycle.test.ts',
    test: 'A-35 close after the request was sent cuts the connection',
  },
  'B-45': { fault: 'callbacks not called, or twice', file: `${HERE}/regressions.test.ts`, test: 'B-42 B-45' },
};

/** Of adapters alone, with the reason. @type {Readonly<Record<string, string>>} */
export const ADAPTERS_ONLY = {
  'B-29': 'the server is no Writable here: `server.messages` and `createBroadcast` are',
};
