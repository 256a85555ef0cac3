// Faults of older WebSocket libraries, by their number, and the file with the test that holds each of them, which has the number in its name.
// test/table.test.ts fails where there is none.

const HERE = 'tools/advisories/test';

/** @typedef {{ readonly fault: string, readonly file: string }} Held */

/** @type {Readonly<Record<string, Held>>} */
export const HELD = {
  'B-01': {
    fault: 'text decoded fragment by fragment',
    file: 'packages/server/test/echo.test.ts',
  },
  'B-02': {
    fault: 'UTF-8 not checked, or at the end only',
    file: 'packages/connection/test/protocol/messages.test.ts',
  },
  'B-03': { fault: 'masking not enforced', file: `${HERE}/duties.test.ts` },
  'B-04': {
    fault: 'handshakes scanned from the start at each chunk, without limits',
    file: `${HERE}/grammars.test.ts`,
  },
  'B-05': { fault: 'quadratic receive buffer', file: `${HERE}/regressions.test.ts` },
  'B-06': {
    fault: 'fragmented text without limit',
    file: `${HERE}/lengths.test.ts`,
  },
  'B-07': {
    fault: 'control frames over 125 bytes',
    file: `${HERE}/crashes.test.ts`,
  },
  'B-08': { fault: 'ping payload as text', file: `${HERE}/regressions.test.ts` },
  'B-09': {
    fault: 'any close code taken and sent',
    file: `${HERE}/duties.test.ts`,
  },
  'B-10': {
    fault: 'an incoming stream that was cut ends as if it were whole',
    file: 'packages/connection/test/incoming.test.ts',
  },
  'B-11': {
    fault: 'nobody ends TCP',
    file: `${HERE}/closing.test.ts`,
  },
  'B-12': {
    fault: 'parsing goes on behind a fault',
    file: `${HERE}/closing.test.ts`,
  },
  'B-13': { fault: '`close` more than once', file: `${HERE}/regressions.test.ts` },
  'B-14': { fault: '`readyState` undefined behind the end', file: `${HERE}/regressions.test.ts` },
  'B-15': {
    fault: 'a length that is not minimal blocks the parser',
    file: `${HERE}/regressions.test.ts`,
  },
  'B-16': {
    fault: 'keys of Math.random',
    file: `${HERE}/sources.test.ts`,
  },
  'B-17': { fault: '`new Buffer`', file: `${HERE}/sources.test.ts` },
  'B-18': {
    fault: 'CR LF in options of a client, which are changed besides',
    file: 'packages/client/test/options.test.ts',
  },
  'B-19': { fault: '`Connection` not read as a list', file: `${HERE}/regressions.test.ts` },
  'B-20': {
    fault: 'version 8 without asking, its origin elsewhere',
    file: `${HERE}/origins.test.ts`,
  },
  'B-21': { fault: 'whether to compress kept per connection', file: `${HERE}/regressions.test.ts` },
  'B-22': {
    fault: 'no limit on clients, none for what inflates',
    file: 'packages/client/test/deflate-peers.test.ts',
  },
  'B-23': { fault: 'zlib objects for every connection', file: `${HERE}/regressions.test.ts` },
  'B-24': {
    fault: "options changed, others' listeners removed",
    file: 'packages/client/test/options.test.ts',
  },
  'B-25': {
    fault: 'exceptions and silence of `verifyClient`',
    file: 'packages/server/test/verify-client.test.ts',
  },
  'B-26': {
    fault: 'key and method not checked, headers of callbacks sent as they are',
    file: `${HERE}/requests.test.ts`,
  },
  'B-27': {
    fault: 'more than `maxConnections` ends everything',
    file: 'packages/server/test/programs.test.ts',
  },
  'B-28': {
    fault: 'length, opcode and mask of the frame before',
    file: 'packages/frame/test/stream/send.test.ts',
  },
  'B-29': {
    fault: 'a server that streams are piped to throws at each write',
    file: 'packages/server/test/message-sink.test.ts',
  },
  'B-30': {
    fault: '`error` without a listener',
    file: 'packages/connection/test/closing.test.ts',
  },
  'B-31': {
    fault: 'an upgrade that nobody wants stays open; bytes behind the request are lost',
    file: 'packages/server/test/upgrade-routing.test.ts',
  },
  'B-32': {
    fault: 'control payloads and unknown frames within messages',
    file: `${HERE}/fragments.test.ts`,
  },
  'B-33': {
    fault: 'upper half of the length ignored',
    file: `${HERE}/lengths.test.ts`,
  },
  'B-34': {
    fault: 'who fails the handshake is connected anyway',
    file: `${HERE}/regressions.test.ts`,
  },
  'B-35': { fault: 'the wrong ones are taken for gone', file: `${HERE}/regressions.test.ts` },
  'B-36': {
    fault: 'what somebody streams comes back to him',
    file: 'packages/server/test/incoming.test.ts',
  },
  'B-37': { fault: '`timeout: 0` ignored', file: `${HERE}/regressions.test.ts` },
  'B-38': {
    fault: 'Close frame not answered',
    file: `${HERE}/duties.test.ts`,
  },
  'B-39': {
    fault: 'a missing key ends the process',
    file: `${HERE}/requests.test.ts`,
  },
  'B-40': { fault: 'version in the 101, bytes behind it lost', file: `${HERE}/regressions.test.ts` },
  'B-41': {
    fault: 'no back-pressure on broadcasts',
    file: 'packages/server/test/broadcast-slow.test.ts',
  },
  'B-42': { fault: "masking in the caller's memory", file: `${HERE}/regressions.test.ts` },
  'B-43': {
    fault: 'a source that ends takes the server along',
    file: 'packages/server/test/message-sink.test.ts',
  },
  'B-44': {
    fault: 'an illegal close code hangs, a close while connecting is silent',
    file: 'packages/client/test/lifecycle.test.ts',
  },
  'B-45': { fault: 'callbacks not called, or twice', file: `${HERE}/regressions.test.ts` },
};
