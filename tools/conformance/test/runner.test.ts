import { expect, test } from '@jest/globals';
import { themeOf, type Case, type DeflateOptions, type EndpointOptions, type FrameCase } from '../src/case.js';
import { CASES } from '../src/cases/index.js';
import { loadPeer, type EndpointSocket, type Peer } from '../src/endpoint.js';
import { describe, keyOf, loadExpected } from '../src/expected.js';
import { summary } from '../src/report.js';
import { runCases, type CaseResult } from '../src/runner.js';
import { naivePeer } from './naive-peer.js';

// The runner against peers that are broken on purpose: it has to fail exactly the cases that the fault concerns.

const themes = (...names: string[]): Case[] => CASES.filter((testCase) => names.includes(themeOf(testCase)));
const named = (...ids: string[]): Case[] => CASES.filter(({ id }) => ids.includes(id));
const failed = (results: readonly CaseResult[]): string[] =>
  results.filter(({ verdict }) => verdict === 'fail').map(({ testCase }) => testCase.id);
const idsOf = (cases: readonly Case[]): string[] => cases.map(({ id }) => id);
const frameCases = (cases: readonly Case[]): FrameCase[] => cases.filter((testCase) => testCase.kind === 'frames');

const ours = await loadPeer('@ws');

/** Our own packages, with options that break them. */
function withOptions(options: Readonly<Record<string, unknown>>): Peer {
  const { WebSocketServer, WebSocket } = ours;
  return {
    ...ours,
    WebSocketServer: class extends WebSocketServer {
      constructor(own: Readonly<Record<string, unknown>>) {
        super({ ...own, ...options });
      }
    },
    WebSocket: class extends WebSocket {
      constructor(address: string, protocols: readonly string[], own: Readonly<Record<string, unknown>>) {
        super(address, protocols, { ...own, ...options });
      }
    },
  };
}

/** Our own packages, with other options of permessage-deflate where a row has the extension on. */
function withDeflate(change: (own: DeflateOptions) => DeflateOptions | false): Peer {
  const changed = (own: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => {
    const { perMessageDeflate } = own as EndpointOptions;
    if (perMessageDeflate === undefined || perMessageDeflate === false) return own;
    return { ...own, perMessageDeflate: change(perMessageDeflate === true ? {} : perMessageDeflate) };
  };
  const { WebSocketServer, WebSocket } = ours;
  return {
    ...ours,
    WebSocketServer: class extends WebSocketServer {
      constructor(own: Readonly<Record<string, unknown>>) {
        super(changed(own));
      }
    },
    WebSocket: class extends WebSocket {
      constructor(address: string, protocols: readonly string[], own: Readonly<Record<string, unknown>>) {
        super(address, protocols, changed(own));
      }
    },
  };
}

/** Our own server, with something done to each socket before the application sees it. */
function withSockets(spoil: (socket: EndpointSocket) => void): Peer {
  const { WebSocketServer } = ours;
  return {
    ...ours,
    WebSocketServer: class extends WebSocketServer {
      constructor(options: Readonly<Record<string, unknown>>) {
        super(options);
        this.on('connection', spoil);
      }
    },
  };
}

const QUICK = { modes: ['whole'], watchdogMs: 1000 } as const;
/** For large messages, and where no case is to hang. */
const PATIENT = { modes: ['whole'], watchdogMs: 10_000, concurrency: 30 } as const;
const BOTH = ['server', 'client'] as const;

test('a peer that checks nothing fails every case in which something is to be refused, and no other', async () => {
  const cases = frameCases(themes('framing', 'masking', 'reserved', 'control', 'fragmentation', 'utf8')).filter(
    ({ options }) => options === undefined,
  );
  const refusals = cases.filter(({ role, expect: { outcome } }) => role !== 'client' && outcome.kind === 'fail');
  const results = await runCases(naivePeer, cases, ['server'], { ...QUICK, concurrency: 100 });
  expect(failed(results).sort()).toEqual(idsOf(refusals).sort());
  expect(refusals.length).toBeGreaterThan(200);
  expect(results.length - refusals.length).toBeGreaterThan(130);
});

test('a server that takes any request fails every case in which one is to be refused', async () => {
  const cases = CASES.filter(
    (testCase) =>
      testCase.kind === 'request' &&
      testCase.then === 'wait' &&
      typeof testCase.request === 'string' &&
      testCase.request.includes('\r\n\r\n'),
  );
  const refusals = cases.filter(
    (testCase) =>
      testCase.kind === 'request' && testCase.expect.status.length > 0 && !testCase.expect.status.includes(101),
  );
  const results = await runCases(naivePeer, cases, ['server'], { ...QUICK, concurrency: 100 });
  expect(failed(results)).toEqual(expect.arrayContaining(idsOf(refusals)));
  expect(failed(results)).not.toContain('request/example');
  expect(refusals.length).toBeGreaterThan(100);
});

test('a client that takes any answer fails every case in which one is to be refused', async () => {
  const cases = themes('response');
  const refusals = cases.filter((testCase) => testCase.kind === 'response' && testCase.expect.kind === 'error');
  const results = await runCases(naivePeer, cases, ['client'], { ...QUICK, concurrency: 100 });
  expect(failed(results)).toEqual(expect.arrayContaining(idsOf(refusals)));
  expect(failed(results)).not.toContain('response/request-plain');
  expect(refusals.length).toBeGreaterThan(50);
});

test('a peer that does not look at UTF-8 fails the cases with bad UTF-8, on both ends', async () => {
  const cases = themes('utf8');
  const bad = frameCases(cases).filter(({ expect: { outcome } }) => outcome.kind === 'fail');
  const results = await runCases(withOptions({ skipUTF8Validation: true }), cases, BOTH, {
    ...QUICK,
    concurrency: 100,
  });
  expect([...new Set(failed(results))].sort()).toEqual(idsOf(bad).sort());
  expect(failed(results)).toHaveLength(2 * bad.length);
});

test('a peer without pongs fails the cases with pings, on both ends', async () => {
  const cases = themes('control', 'framing');
  const pings = frameCases(cases).filter(
    ({ expect: { events, pongs } }) => pongs === 'yes' && events.some(({ type }) => type === 'ping'),
  );
  const results = await runCases(withOptions({ autoPong: false }), cases, BOTH, { ...QUICK, concurrency: 100 });
  expect([...new Set(failed(results))].sort()).toEqual(idsOf(pings).sort());
});

test('a peer with looser lengths fails the cases with lengths that are not in their shortest form', async () => {
  const cases = themes('framing');
  const long = cases.filter(({ id, options }) => id.startsWith('framing/not-minimal') && options === undefined);
  const results = await runCases(withOptions({ strictLength: false }), cases, BOTH, { ...QUICK, concurrency: 100 });
  expect([...new Set(failed(results))].sort()).toEqual(idsOf(long).sort());
});

const deflateThemes = [...new Set(CASES.map(themeOf))].filter((theme) => theme.startsWith('deflate'));

test('a peer without permessage-deflate fails each case that agrees on it, on both ends', async () => {
  const cases = themes(...deflateThemes);
  const agree = frameCases(cases).filter(({ deflate }) => deflate !== undefined);
  const results = await runCases(
    withDeflate(() => false),
    frameCases(cases),
    BOTH,
    { ...QUICK, concurrency: 100 },
  );
  expect([...new Set(failed(results))].sort()).toEqual(idsOf(agree).sort());
  expect(agree.length).toBeGreaterThan(400);
});

test('without the fast path of our codec the same comes out', async () => {
  const cases = frameCases(themes(...deflateThemes));
  const results = await runCases(
    withDeflate((own) => ({ ...own, fastPath: false })),
    cases,
    BOTH,
    PATIENT,
  );
  const expected = loadExpected();
  const surprises = results.filter((result) => result.verdict !== (expected.get(keyOf(result))?.verdict ?? 'pass'));
  expect(surprises.map((result) => `${keyOf(result)} ${describe(result)}`)).toEqual([]);
});

test('a peer that compresses nothing fails the cases in which it has to', async () => {
  const cases = frameCases(themes('deflate', 'deflate-mixed', 'deflate-replies', 'deflate-bits'));
  const due = cases.filter(({ expect: { events } }) => events.some(({ reply }) => reply === 'compressed'));
  const lazy = withDeflate((own) => ({ ...own, threshold: 1e9, thresholdMode: 'always' }));
  const results = await runCases(lazy, cases, BOTH, PATIENT);
  expect([...new Set(failed(results))].sort()).toEqual(idsOf(due).sort());
  expect(due.length).toBeGreaterThan(40);
});

test('a peer that compresses whatever it can fails the cases with a threshold', async () => {
  const eager = withDeflate((own) => ({ ...own, threshold: 0, thresholdMode: 'no-context-takeover' }));
  const results = await runCases(eager, themes('deflate-replies'), BOTH, PATIENT);
  expect([...new Set(failed(results))].sort()).toEqual([
    'deflate-replies/threshold-100',
    'deflate-replies/threshold-always',
    'deflate-replies/threshold-default',
  ]);
});

test('a peer without limits fails the cases with messages that inflate to too much', async () => {
  const cases = frameCases(themes('deflate-limits'));
  const limited = cases.filter(({ expect: { outcome } }) => outcome.kind === 'fail' && outcome.closeCode === 1009);
  const boundless = withOptions({ maxPayload: 0 });
  const ratio = limited.filter(({ id }) => id.includes('/ratio'));
  const results = await runCases(boundless, limited, BOTH, { ...QUICK, concurrency: 20 });
  expect(idsOf(ratio).filter((id) => failed(results).includes(id))).toEqual([]);
  expect([...new Set(failed(results))].sort()).toEqual(
    idsOf(limited)
      .filter((id) => !id.includes('/ratio'))
      .sort(),
  );
});

test('a server that has other ideas of what it answers fails the offers that this concerns', async () => {
  const cases = themes('deflate-offers');
  const results = await runCases(
    withDeflate((own) => ({ ...own, serverMaxWindowBits: 9 })),
    cases,
    ['server'],
    QUICK,
  );
  expect(failed(results)).toContain('deflate-offers/bare');
  expect(failed(results)).not.toContain('deflate-offers/grammar-1');
});

test('a server that lets every page in fails the cases with foreign origins', async () => {
  const cases = CASES.filter(({ id }) => id.startsWith('request/origin'));
  const foreign = cases.filter((testCase) => testCase.kind === 'request' && !testCase.expect.status.includes(101));
  const results = await runCases(withOptions({ origins: 'any' }), cases, ['server'], QUICK);
  // Two Origin headers, or one that is no origin, may be refused under any rule.
  expect(idsOf(foreign)).toEqual(expect.arrayContaining(failed(results)));
  expect(failed(results)).toContain('request/origin-cross-1');
  expect(failed(results)).toContain('request/origin-not-listed');
});

test('a server that echoes twice, or adds a byte, fails each case with a message', async () => {
  const cases = named('framing/text-0', 'framing/two-messages', 'control/ping-text', 'close/empty');
  const twice = withSockets((socket) => socket.on('message', (data) => socket.send(data, { binary: false }, () => {})));
  expect(failed(await runCases(twice, cases, ['server'], QUICK))).toEqual(['framing/text-0', 'framing/two-messages']);
});

test('an exception that nobody catches fails the run that caused it, and only that', async () => {
  const cases = named('framing/text-1', 'control/ping-text', 'control/ping-125', 'close/empty', 'close/code-1000');
  const throwing = withSockets((socket) =>
    socket.on('message', () =>
      setImmediate(() => {
        throw new Error('planted');
      }),
    ),
  );
  const results = await runCases(throwing, cases, ['server'], QUICK);
  expect(failed(results)).toEqual(['framing/text-1']);
  expect(results.flatMap(({ problems }) => problems.map(({ text }) => text)).join()).toContain('planted');
});

test('an exception in the listener of a data event is caught by the runner as well', async () => {
  const throwing = withSockets((socket) =>
    socket.on('message', () => {
      throw new Error('planted');
    }),
  );
  const results = await runCases(throwing, named('framing/text-1', 'close/code-1000'), ['server'], QUICK);
  expect(failed(results)).toEqual(['framing/text-1']);
});

test('a server that closes with its own code fails where another is due', async () => {
  const rude = withSockets((socket) => socket.on('ping', () => socket.close(1001)));
  const cases = named('control/ping-text', 'close/code-1000', 'framing/text-5');
  expect(failed(await runCases(rude, cases, ['server'], QUICK))).toEqual(['control/ping-text']);
});

test('a server that never lets go of its connections fails everything', async () => {
  const { WebSocketServer } = ours;
  const stubborn: Peer = {
    ...ours,
    WebSocketServer: class extends WebSocketServer {
      override close(): void {
        super.close(() => {});
      }
    },
  };
  const results = await runCases(stubborn, named('framing/text-1', 'close/empty'), ['server'], QUICK);
  expect(failed(results)).toHaveLength(2);
  expect(results[0]?.problems.map(({ text }) => text).join()).toContain('server.close()');
});

test('alternatives are told from passes and from failures', async () => {
  const cases = named('close/ours-then-ping', 'framing/text-1');
  const results = await runCases(ours, cases, ['client'], QUICK);
  expect(results.map(({ verdict }) => verdict)).toEqual(['pass', 'no-pong']);
});

test('the summary counts by theme and end', async () => {
  const cases = named('framing/rfc-masked-text', 'framing/rfc-unmasked-text', 'control/ping-125');
  const text = summary(await runCases(withOptions({ autoPong: false }), cases, BOTH, QUICK));
  expect(text.split('\n').map((line) => line.trim().split(/\s+/))).toEqual([
    ['theme', 'cases', 'server', 'client', 'non-strict'],
    ['framing', '2', '1/1', '1/1', '0'],
    ['control', '1', '0/1', '0/1', '0'],
    ['all', '3', '1/2', '1/2', '0'],
  ]);
});

test('npm ws can take the place of our packages', async () => {
  const cases = CASES.filter(({ id }) => id.startsWith('framing/rfc') || id.startsWith('request/example'));
  expect(failed(await runCases(await loadPeer('ws'), cases, BOTH, QUICK))).toEqual([]);
});
