import { expect, test } from '@jest/globals';
import { deflated, fixed, match, stored } from '../src/blocks.js';
import type { Expectation, FrameCase, Role } from '../src/case.js';
import type { BackFrame } from '../src/decoder.js';
import { aPing, aText, clean, closedByUs, fails, isCut } from '../src/expect.js';
import { hex } from '../src/input.js';
import { verify, type Observed } from '../src/verify.js';

// The judge: each row is a good run with one thing wrong, and must be found out.

const back = (opcode: number, payload: string | Buffer = '', changes: Partial<BackFrame> = {}): BackFrame => ({
  fin: true,
  rsv: 0,
  opcode,
  masked: false,
  key: 0,
  payload: Buffer.from(payload),
  minimal: true,
  ...changes,
});

const closeFrame = (code: number, reason = ''): BackFrame =>
  back(8, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]));

const caseOf = (expected: Expectation, more: Partial<FrameCase> = {}): FrameCase => ({
  kind: 'frames',
  id: 'test/case',
  section: '§5',
  title: 'a case',
  role: 'both',
  input: [],
  expect: expected,
  ...more,
});

const problemsOf = (testCase: FrameCase, observed: Observed, role: Role = 'server', bare = false): string[] =>
  verify(testCase, testCase.expect, role, bare ? 'bare' : 'whole', observed);

const talk = clean(aText('one'), aPing('p1'), aPing('p2'), aText('two'));
const goodTalk: Observed = {
  frames: [back(1, 'one'), back(10, 'p1'), back(10, 'p2'), back(1, 'two'), closeFrame(1000)],
  rest: Buffer.alloc(0),
  end: 'fin',
  received: talk.events,
  errors: [],
  closes: [{ code: 1000, reason: '', sentCode: 1000 }],
  late: [],
  stateAtClose: 3,
};

const fault = fails(1002, 'WS_ERR_INVALID_OPCODE', aText('one'));
const goodFault: Observed = {
  ...goodTalk,
  frames: [back(1, 'one'), closeFrame(1002, 'reserved opcode')],
  received: fault.events,
  errors: ['WS_ERR_INVALID_OPCODE'],
  closes: [{ code: 1006, reason: '', sentCode: 1002 }],
};

test('good runs have no problems', () => {
  expect(problemsOf(caseOf(talk), goodTalk)).toEqual([]);
  expect(problemsOf(caseOf(fault), goodFault)).toEqual([]);
  const masked = goodTalk.frames.map((frame, i) => ({ ...frame, masked: true, key: i }));
  expect(problemsOf(caseOf(talk), { ...goodTalk, frames: masked }, 'client')).toEqual([]);
  // Without listeners: nothing is echoed, nothing recorded.
  const bare = { ...goodFault, frames: goodFault.frames.slice(1), received: [], errors: [], closes: [] };
  expect(problemsOf(caseOf(fault), bare, 'server', true)).toEqual([]);
});

test('the pong of an earlier ping may be left out', () => {
  const frames = goodTalk.frames.filter((frame) => frame.payload.toString() !== 'p1');
  expect(problemsOf(caseOf(talk), { ...goodTalk, frames })).toEqual([]);
});

const without = (index: number): BackFrame[] => goodTalk.frames.filter((_, i) => i !== index);
const replaced = (index: number, ...frames: BackFrame[]): BackFrame[] => goodTalk.frames.toSpliced(index, 1, ...frames);

test.each<[string, Partial<Observed>, string]>([
  ['a missing echo', { frames: without(0) }, 'data frame'],
  ['an echo with other bytes', { frames: replaced(0, back(1, 'onE')) }, 'data frame'],
  ['an echo of the other type', { frames: replaced(0, back(2, 'one')) }, 'data frame'],
  ['an echo too many', { frames: replaced(0, back(1, 'one'), back(1, 'one')) }, 'data frame'],
  ['a fragmented echo', { frames: replaced(0, back(1, 'o', { fin: false }), back(0, 'ne')) }, 'without FIN'],
  ['echoes in another order', { frames: [3, 1, 2, 0, 4].flatMap((i) => goodTalk.frames[i] ?? []) }, 'data frame'],
  ['no pong for the newest ping', { frames: without(2) }, 'no pong'],
  ['pongs in another order', { frames: [0, 2, 1, 3, 4].flatMap((i) => goodTalk.frames[i] ?? []) }, 'pong'],
  ['a pong with other bytes', { frames: replaced(2, back(10, 'px')) }, 'pong'],
  ['a pong too many', { frames: replaced(2, back(10, 'p2'), back(10, 'p2')) }, 'pong'],
  ['no close frame', { frames: without(4) }, '0 close frames'],
  ['two close frames', { frames: [...goodTalk.frames, closeFrame(1000)] }, '2 close frames'],
  ['a frame after the close frame', { frames: [...goodTalk.frames, back(10, 'p2')] }, 'after the close frame'],
  ['another close code', { frames: replaced(4, closeFrame(1001)) }, 'expected code 1000'],
  ['no close code', { frames: replaced(4, back(8)) }, 'expected code 1000'],
  ['half a close code', { frames: replaced(4, back(8, '\u0003')) }, 'one byte'],
  ['another close reason', { frames: replaced(4, closeFrame(1000, 'other')) }, 'close reason'],
  ['a masked frame', { frames: replaced(0, back(1, 'one', { masked: true })) }, '§5.1'],
  ['a length in a long form', { frames: replaced(0, back(1, 'one', { minimal: false })) }, '§5.2'],
  ['an RSV bit', { frames: replaced(0, back(1, 'one', { rsv: 4 })) }, 'RSV'],
  ['a ping of its own', { frames: replaced(0, back(1, 'one'), back(11)) }, 'opcode 11'],
  ['half a frame at the end', { rest: Buffer.from([0x81]) }, 'bytes behind'],
  ['a reset', { end: 'reset' }, 'TCP: reset'],
  ['TCP left open', { end: 'open' }, 'TCP: not ended'],
  ['a missing event', { received: talk.events.slice(1) }, 'event 1'],
  ['an event too many', { received: [...talk.events, aText('x')] }, 'event 5'],
  ['events in another order', { received: talk.events.toReversed() }, 'event 1'],
  ["an 'error'", { errors: ['WS_ERR_INVALID_UTF8'] }, "unexpected 'error'"],
  ["no 'close'", { closes: [] }, "0 'close'"],
  ["two 'close'", { closes: [...goodTalk.closes, ...goodTalk.closes] }, "2 'close'"],
  ["'close' with another code", { closes: [{ code: 1005, reason: '', sentCode: 1000 }] }, 'expected 1000'],
  ["'close' with a reason", { closes: [{ code: 1000, reason: 'x', sentCode: 1000 }] }, 'reason "x"'],
  ["an event after 'close'", { late: ['message'] }, "after 'close'"],
  ["readyState not CLOSED at 'close'", { stateAtClose: 2 }, 'readyState 2'],
])('in a good talk: %s', (_, change, problem) => {
  expect(problemsOf(caseOf(talk), { ...goodTalk, ...change }).join('\n')).toContain(problem);
});

test.each<[string, Partial<Observed>, string]>([
  ['another close code', { frames: [back(1, 'one'), closeFrame(1007)] }, 'expected code 1002'],
  ['no close frame', { frames: [back(1, 'one')] }, '0 close frames'],
  ['a reason that is too long', { frames: [back(1, 'one'), closeFrame(1002, 'r'.repeat(124))] }, '124 bytes'],
  ["no 'error'", { errors: [] }, "no 'error'"],
  ["another 'error'", { errors: ['WS_ERR_EXPECTED_FIN'] }, 'WS_ERR_EXPECTED_FIN'],
  ["two 'error'", { errors: ['WS_ERR_INVALID_OPCODE', 'WS_ERR_INVALID_OPCODE'] }, '2'],
  ["'close' with the code of the fault", { closes: [{ code: 1002, reason: '', sentCode: 1002 }] }, 'expected 1006'],
  ['CloseInfo with another code', { closes: [{ code: 1006, reason: '', sentCode: 1000 }] }, 'CloseInfo'],
])('after a violation: %s', (_, change, problem) => {
  expect(problemsOf(caseOf(fault), { ...goodFault, ...change }).join('\n')).toContain(problem);
});

test('a reason that is not UTF-8 is found', () => {
  const bad = back(8, Buffer.from([3, 234, 0xff]));
  expect(problemsOf(caseOf(fault), { ...goodFault, frames: [back(1, 'one'), bad] }).join()).toContain('not UTF-8');
});

test('a client that does not mask, or masks with one key, is found', () => {
  expect(problemsOf(caseOf(talk), goodTalk, 'client').join()).toContain('unmasked');
  const frames = goodTalk.frames.map((frame) => ({ ...frame, masked: true, key: 7 }));
  expect(problemsOf(caseOf(talk), { ...goodTalk, frames }, 'client').join()).toContain('one masking key');
});

test('a close frame of ours after TCP was cut is found', () => {
  const cut = {
    ...goodTalk,
    frames: [closeFrame(1000)],
    received: [],
    closes: [{ code: 1006, reason: '', sentCode: undefined }],
  };
  expect(problemsOf(caseOf(isCut()), cut)).toEqual(['1 close frames instead of 0']);
});

const compressed = clean(aText('Hello'), aText('Hello', 'compressed'), aText('x', 'plain'));
const deflate = { offer: 'permessage-deflate', answer: 'permessage-deflate' };
const squeezed = (hexadecimal: string, changes: Partial<BackFrame> = {}): BackFrame =>
  back(1, hex(hexadecimal), { rsv: 4, ...changes });
const goodCompressed: Observed = {
  ...goodTalk,
  frames: [squeezed('f2 48 cd c9 c9 07 00'), squeezed('f2 00 11 00 00'), back(1, 'x'), closeFrame(1000)],
  received: compressed.events,
};

test('compressed echoes are judged by what they inflate to, where the extension is in use', () => {
  expect(problemsOf(caseOf(compressed, { deflate }), goodCompressed)).toEqual([]);
  expect(problemsOf(caseOf(compressed), goodCompressed).join()).toContain('RSV bits 4');
});

test.each<[string, readonly BackFrame[], string]>([
  [
    'other text',
    [squeezed('f2 48 cd c9 c9 07 00'), squeezed('f2 48 cd c9 c9 07 00'.replace('48', '4a'))],
    'data frame 2',
  ],
  ['a plain echo of what has to be compressed', [squeezed('f2 48 cd c9 c9 07 00'), back(1, 'Hello')], 'compressed'],
  [
    'a compressed echo of what has to be plain',
    [...goodCompressed.frames.slice(0, 2), squeezed('00 01 00 fe ff 78 00')],
    'plain',
  ],
  ['the tail still there', [squeezed('f2 48 cd c9 c9 07 00 00 00 ff ff')], '00 00 ff ff'],
  ['a byte lost', [squeezed('f2 48 cd c9 c9 07')], 'ends inside'],
  ['no payload at all', [squeezed('')], 'ends inside'],
  ['a block of the reserved type', [squeezed('06')], 'reserved'],
  ['RSV1 on a close frame', [...goodCompressed.frames.slice(0, 3), { ...closeFrame(1000), rsv: 4 }], 'RSV bits 4'],
  [
    'RSV1 on a continuation',
    [squeezed('f2 48 cd', { fin: false }), squeezed('c9 c9 07 00', { opcode: 0 })],
    'RSV bits 4',
  ],
  ['RSV2 beside RSV1', [squeezed('f2 48 cd c9 c9 07 00', { rsv: 6 })], 'RSV bits 6'],
])('in a compressed talk: %s', (_, frames, problem) => {
  expect(problemsOf(caseOf(compressed, { deflate }), { ...goodCompressed, frames }).join('\n')).toContain(problem);
});

test('an echo in fragments is put together, and compressed as one message', () => {
  const app = { kind: 'echoes', fragments: 2 } as const;
  const frames = [
    squeezed('f2 48 cd', { fin: false }),
    back(0, hex('c9 c9 07 00')),
    squeezed('f2 00', { fin: false }),
    back(0, hex('11 00 00')),
    back(1, 'x'),
    closeFrame(1000),
  ];
  const judge = (changed: readonly BackFrame[], more: Partial<FrameCase> = { app }): string =>
    problemsOf(caseOf(compressed, { deflate, ...more }), { ...goodCompressed, frames: changed }).join();
  expect(judge(frames)).toBe('');
  expect(judge(frames, {})).toContain('without FIN');
  expect(judge(frames.with(1, back(0, hex('c9 c9 07 00'), { rsv: 4 })))).toContain('RSV bits 4');
  expect(judge(frames.with(1, back(1, hex('c9 c9 07 00'))))).toContain('out of order');
  expect(judge(frames.toSpliced(0, 1))).toContain('out of order');
  expect(judge(frames.slice(0, 3))).toContain('without an end');
});

test('an echo may be lost where the connection fails, not where it does not', () => {
  const lost = { ...goodFault, frames: goodFault.frames.slice(1) };
  expect(problemsOf(caseOf(fault, { deflate }), lost)).toEqual([]);
  expect(problemsOf(caseOf(fault), lost).join()).toContain('data frame 1');
  const other = { ...goodFault, frames: [back(1, 'two'), ...lost.frames] };
  expect(problemsOf(caseOf(fault, { deflate }), other).join()).toContain('data frame');
  const clipped = { ...goodCompressed, frames: goodCompressed.frames.toSpliced(2, 1) };
  expect(problemsOf(caseOf(compressed, { deflate }), clipped).join()).toContain('data frame 3');
});

test.each<[string, Role, string, string | undefined]>([
  ['takeover of the server', 'server', 'server_no_context_takeover', 'there are 1 bytes'],
  ['takeover of the client, where it is not the one that sends', 'server', 'client_no_context_takeover', undefined],
  ['takeover of the client', 'client', 'client_no_context_takeover', 'there are 1 bytes'],
  ['the window of the other end', 'client', 'server_max_window_bits=8', undefined],
])('what was agreed on decides how our frames are read: %s', (_, role, parameter, problem) => {
  const frames = goodCompressed.frames.map((frame, i) => ({ ...frame, masked: role === 'client', key: i }));
  const answer = `permessage-deflate; ${parameter}`;
  const problems = problemsOf(
    caseOf(compressed, { deflate: { offer: '', answer } }),
    { ...goodCompressed, frames },
    role,
  );
  expect(problems.join()).toContain(problem ?? '');
  expect(problems.length > 0).toBe(problem !== undefined);
});

test('the smaller window that our end has announced binds it, not the answer alone', () => {
  const far = deflated(stored(Buffer.alloc(300, 'ab')), fixed([match(4, 300)]));
  const text = Buffer.concat([Buffer.alloc(300, 'ab'), Buffer.from('abab')]).toString();
  const observed = { ...goodTalk, frames: [back(1, far, { rsv: 4 }), closeFrame(1000)], received: [aText(text)] };
  const binding = 'permessage-deflate; server_max_window_bits=8';
  expect(problemsOf(caseOf(clean(aText(text)), { deflate }), observed)).toEqual([]);
  expect(problemsOf(caseOf(clean(aText(text)), { deflate: { ...deflate, binding } }), observed).join()).toContain(
    'distance 300 in a window of 256',
  );
});

test('behind a close frame of ours pongs are allowed, messages are not', () => {
  const testCase = caseOf(closedByUs({ code: 4000, reason: 'ours' }, 4000, '', [aPing('late')]), {
    app: { kind: 'closes', on: 'open', close: {} },
  });
  const good: Observed = {
    ...goodTalk,
    frames: [closeFrame(4000, 'ours'), back(10, 'late')],
    received: testCase.expect.events,
    closes: [{ code: 4000, reason: '', sentCode: 4000 }],
  };
  expect(problemsOf(testCase, good)).toEqual([]);
  expect(problemsOf(testCase, { ...good, frames: [...good.frames, back(1, 'x')] })).toContain(
    'a frame after the close frame',
  );
  expect(problemsOf(testCase, { ...good, frames: [closeFrame(4000), back(10, 'late')] }).join()).toContain(
    'close reason',
  );
});
