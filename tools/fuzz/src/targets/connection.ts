// Invariant: whatever bytes a peer sends, however they are cut, and whatever is done to the connection meanwhile, it throws nothing, fails
// once at most, sends one Close frame at most and nothing behind it, keeps no more than its limits and holds to its deadlines; its events do
// not depend on the cuts, a streamed message has the content of a collected one and ends once, and all agree with a naive reading of the
// RFC; what it sends is in order and decodes to what was sent; each callback comes once.
import { Inflater } from '@ws/testing';
import type { Counters } from '../counting/counters.js';
import { guardsOf } from '../core/guarding.js';
import type { Sending } from '../core/outgoing.js';
import type { SentFrame } from '../core/transport.js';
import { CoreRun } from '../core/run.js';
import { coreSettings, type CoreSettings, type Variant } from '../core/settings.js';
import { xored } from '../core/xor-extension.js';
import { must, same } from '../engine/failure.js';
import { mustBeLinear } from '../engine/linear.js';
import { TEXTS } from '../oracle/builder.js';
import { naiveFrames } from '../oracle/frames.js';
import { COMPRESSED, naiveReports, type Meaning, type Report } from '../oracle/messages.js';
import {
  compressor,
  describeScript,
  isWire,
  mutateScript,
  readScript,
  someStep,
  wireOf,
  type Step,
} from '../oracle/script.js';
import { hashOf, Random } from '../random.js';
import type { MakeTarget } from '../target.js';
import { naiveCloseBody } from './frame.js';

/** Longest stream of one script: floods are repeated frames, and they are as telling with fewer. */
const MOST_WIRE = 60_000;

/** What each wire step puts on the wire. */
export function wiresOf(steps: readonly Step[], { role, deflate, xor }: CoreSettings): Map<Step, Buffer> {
  const compress = compressor(deflate?.takeover === true);
  const disguise = xor === 'none' ? (payload: Uint8Array): Uint8Array => payload : xored;
  const wires = new Map<Step, Buffer>();
  let last: Buffer = Buffer.alloc(0);
  let total = 0;
  for (const step of steps) {
    if (!isWire(step)) continue;
    const one = step.name === 'again' ? last : wireOf(step, role === 'server', compress, disguise);
    const times = step.name === 'again' ? (step.numbers[0] ?? 0) & 63 : 1;
    const wire = Buffer.alloc(Math.min(one.length * times, MOST_WIRE - total), one.length > 0 ? one : 0);
    total += wire.length;
    wires.set(step, wire);
    if (step.name !== 'again') last = wire;
  }
  return wires;
}

/** What the wire means to a receiver that nobody disturbs. */
export function expectedReports(
  steps: readonly Step[],
  wires: ReadonlyMap<Step, Buffer>,
  settings: CoreSettings,
): Meaning {
  const until = steps.findIndex(({ name }) => name === 'peerEnd');
  const heard = until === -1 ? steps : steps.slice(0, until);
  const wire = Buffer.concat(heard.map((step) => wires.get(step) ?? Buffer.alloc(0)));
  const rules = { role: settings.role, strictLength: settings.strictLength, allowedRsv: settings.deflate ? 4 : 0 };
  const { frames, error } = naiveFrames(wire, { ...rules, maxFramePayload: Infinity });
  const undo = settings.xor === 'none' ? {} : { undo: xored };
  const meaning = naiveReports(frames, error, { ...settings, ...undo }, naiveCloseBody);
  const hasHeartbeat = settings.guards.heartbeat !== undefined || steps.some(({ name }) => name === 'guards');
  return hasHeartbeat ? { ...meaning, reports: meaning.reports.filter(isNews) } : meaning;
}

/** Not what answers a ping of ours, or looks as if. */
const isNews = (report: Report): boolean => report[0] !== 'pong' || !/^7773.{8}$/.test(report[1]);

/** What was reported is what was expected, or, where the script ended it earlier, the beginning of it. */
export function checkReports(
  reports: readonly Report[],
  { reports: expected, doubtful }: Meaning,
  wasStopped: boolean,
): void {
  const allowed = (report: Report | undefined, i: number): unknown => {
    const other = expected[i];
    if (i >= doubtful && report?.[0] === 'failed' && COMPRESSED.includes(report[1][0] ?? '')) return report;
    if (report?.[0] !== 'failed' || other?.[0] !== 'failed') return other;
    return other[1].includes(report[1][0] ?? '') ? report : other;
  };
  const last = reports.at(-1);
  const isScripts = last?.[0] === 'failed' && last[1].includes('WS_ERR_TEST');
  const theirs = isScripts ? reports.slice(0, -1) : reports;
  same(theirs, theirs.map(allowed), 'what came is something else');
  const isEarly = theirs.at(-1)?.[0] === 'failed' && theirs.length > doubtful;
  must(wasStopped || isEarly || theirs.length === expected.length, () => `${theirs.length} events, expected ${expected.length}: ${JSON.stringify(expected.slice(theirs.length))}`); // prettier-ignore
}

/** Our own frames, read as a peer reads them. */
function decode(
  frames: readonly SentFrame[],
  { deflate, xor }: CoreSettings,
): { isText: boolean; content: string; isWhole: boolean }[] {
  const inflater = deflate && new Inflater(15, deflate.takeover);
  const messages: { isText: boolean; content: string; isWhole: boolean }[] = [];
  let open: { isText: boolean; isCompressed: boolean; parts: Buffer[] } | undefined;
  const give = (isWhole: boolean): void => {
    if (open === undefined) return;
    const bytes = Buffer.concat(open.parts);
    const content = open.isCompressed && isWhole ? inflater!.message(bytes) : bytes;
    messages.push({
      isText: open.isText,
      content: open.isCompressed && !isWhole ? '' : content.toString('hex'),
      isWhole,
    });
    open = undefined;
  };
  for (const { opcode, fin, rsv, payload } of frames) {
    if (opcode >= 8) continue;
    must((opcode === 0) === (open !== undefined), 'our fragments are out of order');
    must(rsv === 0 || (rsv === 4 && opcode !== 0 && deflate !== undefined), 'our frame has a reserved bit');
    open ??= { isText: opcode === 1, isCompressed: rsv === 4, parts: [] };
    open.parts.push(xor === 'none' ? payload : xored(payload));
    if (fin) give(true);
  }
  give(false);
  return messages;
}

function checkSent({ transport, outbox, protocol, wasStopped, reports }: CoreRun, settings: CoreSettings): void {
  const arrived = decode(transport.frames, settings);
  const possible = outbox.messages.filter(({ isLost }) => isLost !== true);
  let at = 0;
  for (const { isText, content, isWhole } of arrived) {
    // What was given up before a part of it was sent is left out.
    const fits = ({ isText: isOurs, isWhole: isEnded, parts }: Sending): boolean => {
      const whole = Buffer.concat(parts).toString('hex');
      return isOurs === isText && (isWhole ? isEnded && content === whole : whole.startsWith(content));
    };
    while (possible[at]?.isGivenUp === true && !fits(possible[at]!)) at++;
    const given = possible[at++];
    must(given !== undefined, 'a message arrives that was not sent');
    must(fits(given), 'a message arrives as something else');
  }
  const sent = possible.filter(({ isGivenUp }) => !isGivenUp);
  const isOpen = !wasStopped && transport.frames.every(({ opcode }) => opcode !== 8) && !outbox.hasFailed;
  if (isOpen && sent.every(({ isWhole }) => isWhole))
    must(arrived.length === sent.length && arrived.every(({ isWhole }) => isWhole), 'a message did not leave');
  const pings = reports.filter(([kind]) => kind === 'ping').map(([, hex]) => hex);
  const { sent: close } = protocol.closing;
  const closeFrames = transport.frames.filter(({ opcode }) => opcode === 8);
  if (!transport.isEnded || closeFrames.length > 0)
    same(
      closeFrames.map(({ payload }) => naiveCloseBody(payload)),
      close ? [close] : [],
      'our Close frame is told wrongly',
    );
  return void pings;
}

export const makeTarget: MakeTarget = ({ counters }) => ({
  name: 'connection',
  covers: ['connection/protocol/'],
  maxLength: 3000,
  seeds: () => {
    const random = new Random(11);
    return [0x00, 0x01, 0x02, 0x08, 0x0a, 0x0b, 0x1a, 0x20].flatMap((one) =>
      [0x00, 0x08, 0x40, 0x83].map((two) =>
        Buffer.concat([
          Buffer.from([one, two, one ^ (two >> 1), one * two]),
          ...Array.from({ length: 8 }, () => someStep(random)),
        ]),
      ),
    );
  },
  dictionary: TEXTS,
  mutate: mutateScript,
  describe: describeScript,
  async run(input) {
    const { settings: octets, steps } = readScript(input);
    const settings = coreSettings(octets);
    const random = new Random(hashOf(input));
    const wires = wiresOf(steps, settings);
    const play = async (variant: Partial<Variant>): Promise<CoreRun> => {
      const run = new CoreRun(settings, { cut: Infinity, streams: undefined, hostUtf8: false, random, ...variant });
      await run.play(steps, wires);
      return run;
    };
    const whole = await play({});
    counters.saw(whole.log.slice(-2).map(shortly).join());
    if (random.oneIn(256)) await checkWork(steps, wires, settings, counters);
    const expected = expectedReports(steps, wires, settings);
    checkReports(whole.reports.filter(isNews), expected, whole.wasStopped);
    checkSent(whole, settings);
    const cut = await play({ cut: random.pick([1, 3, 40]), hostUtf8: random.oneIn(2) });
    checkReports(cut.reports.filter(isNews), expected, cut.wasStopped);
    // When a rate lets more through, how much of a chunk counts, and when it is looked at the clock after a stall is a matter of chunks.
    const everOn = [
      settings.guards,
      ...steps.flatMap(({ name, numbers }) => (name === 'guards' ? [guardsOf(numbers[0] ?? 0)] : [])),
    ];
    const isPaced =
      settings.xor === 'faulty' ||
      steps.some(({ name }) => name === 'stall') ||
      everOn.some(({ messageRate, byteRate }) => byteRate !== undefined || messageRate?.closes === false);
    // An extension that takes its time lets more be sent meanwhile, the more pieces it is given.
    const logOf = (run: CoreRun): readonly unknown[] => (settings.xor === 'late' ? run.reports : run.log);
    if (!isPaced) same(comparable(logOf(cut), settings), comparable(logOf(whole), settings), 'it depends on the cuts');
    checkSent(cut, settings);
    if (isPaced || settings.pausing || settings.throwing || !random.oneIn(2)) return;
    const collected = await play({ streams: false });
    const streamed = await play({ streams: true, cut: random.pick([Infinity, 1, 40]), hostUtf8: random.oneIn(2) });
    checkSent(streamed, settings);
    if (settings.deflate === undefined) same(logOf(streamed), logOf(collected), 'a stream is something else');
    else same(streamed.reports.filter(isReceived), collected.reports.filter(isReceived).slice(0, streamed.reports.filter(isReceived).length), 'a stream is something else'); // prettier-ignore
  },
});

/** What comes first, and then the same again and again, an octet or three at a time: 16 KiB of it cost four times as much as 4 KiB. */
async function checkWork(
  steps: readonly Step[],
  wires: ReadonlyMap<Step, Buffer>,
  given: CoreSettings,
  counters: Counters,
): Promise<void> {
  const [first, second] = steps.map((step) => wires.get(step)).filter((wire) => wire !== undefined && wire.length > 0);
  if (first === undefined || second === undefined) return;
  const settings = {
    ...given,
    maxPayload: Infinity,
    maxFragments: Infinity,
    guards: guardsOf(0),
    pausing: false,
    throwing: false,
  };
  const stepsFor = async (length: number): Promise<number> => {
    const flood: Step = { name: 'raw', numbers: [], bytes: second, source: second };
    const wire = Buffer.concat([first, Buffer.alloc(length, second)]);
    const run = new CoreRun(settings, { cut: 3, streams: undefined, hostUtf8: true, random: new Random(1) });
    const before = counters.steps();
    await run.play([flood], new Map([[flood, wire]]));
    return counters.steps() - before;
  };
  await mustBeLinear(stepsFor, 4096);
}

/** Of a compressed message that is both too long and no text, what is seen first may depend on the cuts: 1007 or 1009. */
function comparable(log: readonly unknown[], { deflate }: CoreSettings): readonly unknown[] {
  if (deflate === undefined) return log;
  return log.map((entry) => {
    const text = JSON.stringify(entry);
    if (!/^\["(sent",8|closing|failure|failed)/.test(text)) return entry;
    return text
      .replace(/WS_ERR_(INVALID_DEFLATE_DATA|UNSUPPORTED_MESSAGE_LENGTH|INVALID_UTF8)/, '…')
      .replace(/03ef|03f1|1007|1009/, '…');
  });
}

const isReceived = ([kind]: Report): boolean => kind !== 'failed';

const shortly = (entry: unknown): string =>
  Array.isArray(entry) ? entry.map((part) => (typeof part === 'string' && part.length > 3 && part.toLowerCase() === part ? '…' : String(part))).join(' ') : String(entry); // prettier-ignore
