import { inflaterFor } from './agreement.js';
import type { ClosePayload, Expectation, FrameCase, Received, Role } from './case.js';
import type { BackFrame } from './decoder.js';
import type { CloseRecord } from './endpoint.js';
import { readMessages, type BackMessage } from './messages.js';
import type { Mode } from './modes.js';
import type { WireEnd } from './wire.js';

// Compares what happened in a frame case with what its row says. Every difference becomes one line of text.

/** What a run of a frame case left behind. */
export interface Observed {
  readonly frames: readonly BackFrame[];
  /** Bytes behind the last whole frame. */
  readonly rest: Buffer;
  readonly end: WireEnd;
  readonly received: readonly Received[];
  readonly errors: readonly string[];
  readonly closes: readonly CloseRecord[];
  readonly late: readonly string[];
  readonly stateAtClose: number | undefined;
}

const DATA = { text: 0x1, binary: 0x2, ping: undefined, pong: undefined } as const;

const show = (data: Uint8Array): string => {
  const bytes = Buffer.from(data);
  const start = bytes.subarray(0, 16).toString('hex');
  return bytes.length > 16 ? `${start}… (${bytes.length} bytes)` : start || '(empty)';
};

const showEvent = (event: Received): string => `${event.type} ${show(event.data)}`;
const showMessage = ({ opcode, data, travelled }: BackMessage, withDeflate: boolean): string =>
  `opcode ${opcode} ${show(data)}${withDeflate ? ` ${travelled}` : ''}`;

function firstDifference(what: string, got: readonly string[], want: readonly string[]): string[] {
  for (let i = 0; i < Math.max(got.length, want.length); i++) {
    if (got[i] === want[i]) continue;
    return [`${what} ${i + 1} of ${want.length}: expected ${want[i] ?? 'no more'}, got ${got[i] ?? 'none'}`];
  }
  return [];
}

const sameEvents = (a: readonly Received[], b: readonly Received[]): boolean =>
  a.length === b.length &&
  a.every((event, i) => event.type === b[i]?.type && Buffer.compare(event.data, b[i].data) === 0);

/** The rules for any frame that an end of ours sends. */
function checkFrames(frames: readonly BackFrame[], role: Role, { deflate, app }: FrameCase): string[] {
  const problems: string[] = [];
  const inFragments = app?.kind === 'echoes' && (app.fragments ?? 1) > 1;
  for (const frame of frames) {
    if (frame.masked !== (role === 'client')) problems.push(`§5.1: ${frame.masked ? 'a masked' : 'an unmasked'} frame`);
    if (!frame.minimal) problems.push(`§5.2: the length of a frame is not in its shortest form`);
    // RFC 7692 §6: RSV1 on the first frame of a message.
    const mayBeCompressed = deflate !== undefined && (frame.opcode === 0x1 || frame.opcode === 0x2);
    if (frame.rsv !== 0 && !(mayBeCompressed && frame.rsv === 4)) problems.push(`§5.2: RSV bits ${frame.rsv}`);
    if (inFragments && frame.opcode <= 0x2) continue;
    if (!frame.fin) problems.push(`opcode ${frame.opcode} without FIN: echoes are not fragmented`);
    if (![0x1, 0x2, 0x8, 0x9, 0xa].includes(frame.opcode)) problems.push(`opcode ${frame.opcode} came back`);
  }
  const keys = new Set(frames.map((frame) => frame.key));
  if (role === 'client' && frames.length > 2 && keys.size === 1) problems.push('§5.3: one masking key for all frames');
  return problems;
}

function checkData(
  testCase: FrameCase,
  role: Role,
  observed: Observed,
  expect: Expectation,
  echoes: boolean,
): string[] {
  const { deflate } = testCase;
  const inflater = deflate && inflaterFor(deflate.binding ?? deflate.answer, role);
  const { messages: got, problems } = readMessages(observed.frames, inflater);
  if (problems.length > 0) return problems;
  // An echo that is still being compressed when the connection fails is lost, as whatever waits to be sent.
  const mayBeLost = deflate !== undefined && expect.outcome.kind === 'fail';
  const wanted = (echoes ? expect.events : [])
    .filter((event) => DATA[event.type] !== undefined)
    .slice(0, mayBeLost ? got.length : undefined);
  const fits = (message: BackMessage, want: Received | undefined): boolean =>
    want !== undefined &&
    message.opcode === DATA[want.type] &&
    message.data.equals(want.data) &&
    (want.reply ?? message.travelled) === message.travelled;
  if (got.length === wanted.length && got.every((message, i) => fits(message, wanted[i]))) return [];
  const wants = wanted.map((want, i) => {
    const travels = want.reply ?? got[i]?.travelled ?? 'either way';
    return `opcode ${DATA[want.type]} ${show(want.data)}${deflate ? ` ${travels}` : ''}`;
  });
  const shown = got.map((message) => showMessage(message, deflate !== undefined));
  const differences = firstDifference('data frame', shown, wants);
  return differences.length > 0 ? differences : ['the bytes of a data frame differ'];
}

/** §5.5.3: the newest ping has to be answered; answers to earlier ones may be left out, not moved. */
function checkPongs(observed: Observed, expect: Expectation): string[] {
  const got = observed.frames.filter((frame) => frame.opcode === 0xa).map((frame) => frame.payload);
  if (expect.pongs === 'any') return [];
  const pings = expect.pongs === 'no' ? [] : expect.events.filter((event) => event.type === 'ping');
  let at = 0;
  for (const payload of got) {
    while (at < pings.length && !payload.equals(pings[at]?.data ?? payload)) at++;
    if (at === pings.length) return [`a pong that answers no ping in order: ${show(payload)}`];
    at++;
  }
  if (at < pings.length) return [`no pong for the last ping; ${got.length} pongs for ${pings.length} pings`];
  return [];
}

function checkClosePayload(payload: Buffer, want: Partial<ClosePayload>, exactReason: boolean): string[] {
  const problems: string[] = [];
  if (payload.length === 1) problems.push('a close frame with one byte of payload');
  // 1005 stands for an empty payload; on the wire it would be wrong.
  const code = payload.length >= 2 ? payload.readUInt16BE(0) : 'none';
  const wantedCode = want.code === 1005 ? 'none' : want.code;
  if (code !== wantedCode) problems.push(`close frame: expected code ${wantedCode}, got ${code}`);
  const reason = payload.subarray(2);
  if (reason.length > 123) problems.push(`close reason of ${reason.length} bytes`);
  if (Buffer.compare(Buffer.from(reason.toString()), reason) !== 0) problems.push('close reason is not UTF-8');
  const wanted = Buffer.from(want.reason ?? '');
  // §5.5.1: the code is echoed. A reason may be, but not another one.
  if (!reason.equals(wanted) && (exactReason || reason.length > 0)) problems.push(`close reason ${show(reason)}`);
  return problems;
}

function checkCloseFrame(observed: Observed, { outcome }: Expectation): string[] {
  const closes = observed.frames.filter((frame) => frame.opcode === 0x8);
  const problems: string[] = [];
  if (outcome.kind === 'reset') return [];
  const wanted = outcome.kind === 'cut' ? 0 : 1;
  if (closes.length !== wanted) problems.push(`${closes.length} close frames instead of ${wanted}`);
  const [close] = closes;
  const after = close === undefined ? [] : observed.frames.slice(observed.frames.indexOf(close) + 1);
  // §5.5.2: until the peer's close frame has come its pings are answered, also behind our own close frame.
  if (after.some((frame) => outcome.kind !== 'local' || frame.opcode !== 0xa))
    problems.push('a frame after the close frame');
  if (close === undefined) return problems;
  switch (outcome.kind) {
    case 'clean':
      return [...problems, ...checkClosePayload(close.payload, { code: 1000 }, false)];
    case 'closed':
      return [...problems, ...checkClosePayload(close.payload, outcome, false)];
    case 'local':
      return [...problems, ...checkClosePayload(close.payload, outcome.sent, true)];
    case 'fail': {
      // The reason is ours to choose; what matters is that it is short and UTF-8.
      const reason = close.payload.subarray(2).toString();
      return [...problems, ...checkClosePayload(close.payload, { code: outcome.closeCode, reason }, false)];
    }
    case 'cut':
      return problems;
    default:
      return outcome satisfies never;
  }
}

/** What the `close` event has to carry. */
function closeEvent({ outcome }: Expectation): { code: number; reason: string } {
  switch (outcome.kind) {
    case 'clean':
      return { code: 1000, reason: '' };
    case 'closed':
    case 'local':
      return { code: outcome.code, reason: outcome.reason };
    default:
      return { code: 1006, reason: '' };
  }
}

function checkEvents(observed: Observed, expect: Expectation): string[] {
  const problems: string[] = [];
  const { outcome } = expect;
  if (!sameEvents(observed.received, expect.events)) {
    const got = observed.received.map(showEvent);
    const difference = firstDifference('event', got, expect.events.map(showEvent));
    problems.push(...(difference.length > 0 ? difference : ['the bytes of an event differ']));
  }
  const wantsError = outcome.kind === 'fail' ? [outcome.error].flat() : outcome.kind === 'local' && outcome.error;
  if (wantsError) {
    const allowed = [wantsError].flat();
    const [code, ...more] = observed.errors;
    if (code === undefined) problems.push(`no 'error' event, expected ${allowed.join(' or ')}`);
    else if (!allowed.includes(code)) problems.push(`'error' with ${code}, expected ${allowed.join(' or ')}`);
    if (more.length > 0) problems.push(`${observed.errors.length} 'error' events: ${observed.errors.join(', ')}`);
  } else if (observed.errors.length > 0 && outcome.kind !== 'reset') {
    problems.push(`unexpected 'error': ${observed.errors.join(', ')}`);
  }
  if (observed.closes.length !== 1) problems.push(`${observed.closes.length} 'close' events`);
  const [close] = observed.closes;
  if (close === undefined) return problems;
  const want = closeEvent(expect);
  if (close.code !== want.code) problems.push(`'close' event with ${close.code}, expected ${want.code}`);
  if (close.reason !== want.reason) problems.push(`'close' event with reason "${close.reason}"`);
  if (outcome.kind === 'fail' && close.sentCode !== undefined && close.sentCode !== outcome.closeCode)
    problems.push(`CloseInfo says that ${close.sentCode} was sent`);
  if (observed.late.length > 0) problems.push(`events after 'close': ${observed.late.join(', ')}`);
  if (observed.stateAtClose !== 3) problems.push(`readyState ${observed.stateAtClose} at 'close'`);
  return problems;
}

export function verify(testCase: FrameCase, expect: Expectation, role: Role, mode: Mode, observed: Observed): string[] {
  const problems = [
    ...checkFrames(observed.frames, role, testCase),
    ...checkData(testCase, role, observed, expect, mode !== 'bare' && testCase.app?.kind !== 'closes'),
    ...checkPongs(observed, expect),
    ...checkCloseFrame(observed, expect),
  ];
  if (observed.rest.length > 0) problems.push(`bytes behind the last frame: ${show(observed.rest)}`);
  const hard = expect.outcome.kind === 'reset' || ['hangs', 'floods'].includes(testCase.peer ?? '');
  if (observed.end !== 'fin' && !hard) problems.push(`TCP: ${observed.end === 'open' ? 'not ended' : 'reset'}`);
  return mode === 'bare' ? problems : [...problems, ...checkEvents(observed, expect)];
}
