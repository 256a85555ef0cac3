// Invariant: whatever comes over its stream, however it is cut and whoever takes the messages (listeners, an iterator, a Readable, streams),
// a WebSocket throws nothing, closes once and says so alike everywhere, fails once at most, leaves nothing behind it on the stream, and gives
// every message once, in order and as a naive reading has it; what it writes are frames of its role, one Close frame at most, nothing behind.
import type { Meaning, Report } from '../oracle/messages.js';
import { SocketRun, socketSettings, type SocketSettings } from '../core/socket-run.js';
import { must, same } from '../engine/failure.js';
import { TEXTS } from '../oracle/builder.js';
import { naiveFrames } from '../oracle/frames.js';
import { describeScript, mutateScript, readScript, someStep } from '../oracle/script.js';
import { hashOf, Random } from '../random.js';
import type { MakeTarget } from '../target.js';
import { checkReports, expectedReports, wiresOf } from './connection.js';

const isMessage = ([kind]: Report): boolean => kind === 'message';

const asString = (report: Report): Report =>
  report[0] === 'message' && report[1]
    ? ['message', true, Buffer.from(Buffer.from(report[2], 'hex').toString('utf8')).toString('hex')]
    : report;

function checkWritten(written: Uint8Array, { role, deflate }: SocketSettings): void {
  const peer = role === 'server' ? 'client' : 'server';
  const { frames, error } = naiveFrames(written, {
    role: peer,
    allowedRsv: deflate ? 4 : 0,
    strictLength: true,
    maxFramePayload: Infinity,
  });
  same(error, undefined, 'what is written are no frames');
  const close = frames.findIndex(({ head }) => head.opcode === 8);
  must(close === -1 || close === frames.length - 1, 'something follows our Close frame');
}

/** In their own order each: when a stream of a message ends is its reader's doing. */
function checkRun(run: SocketRun, expected: Meaning, { taker }: SocketSettings): void {
  const last = run.controls.at(-1);
  const isCut = last?.[0] === 'failed' && last[1].includes('ECONNRESET');
  const controls = isCut ? run.controls.slice(0, -1) : run.controls;
  const isString = taker === 'iterator' || taker === 'readable'; // and nothing but Unicode
  const [theirMessages, theirControls] = [
    expected.reports.filter(isMessage).map((report) => (isString ? asString(report) : report)),
    expected.reports.filter((report) => !isMessage(report)),
  ];
  const messagesBefore = expected.reports.slice(0, expected.doubtful).filter((report) => !isMessage(report)).length;
  checkReports(
    controls,
    { reports: theirControls, doubtful: expected.doubtful === Infinity ? Infinity : messagesBefore },
    run.wasStopped,
  );
  const isEarly = controls.at(-1)?.[0] === 'failed' && expected.doubtful < Infinity;
  checkReports(run.messages, { reports: theirMessages, doubtful: Infinity }, run.wasStopped || isEarly);
}

export const makeTarget: MakeTarget = ({ counters }) => ({
  name: 'duplex',
  covers: [
    'connection/connection',
    'connection/live-connection',
    'connection/stream-listeners',
    'connection/delivery',
    'connection/incoming',
    'connection/message-in',
    'connection/message-iterator',
    'connection/message-stream',
    'connection/outgoing',
    'connection/close',
  ],
  maxLength: 2000,
  seeds: () => {
    const random = new Random(13);
    return [0, 1, 2, 3, 8, 0x13, 0x17, 0x1b, 0x39].flatMap((third) =>
      [0x00, 0x01, 0x08].map((one) =>
        Buffer.concat([Buffer.from([one, 0, third, 0]), ...Array.from({ length: 8 }, () => someStep(random))]),
      ),
    );
  },
  dictionary: TEXTS,
  mutate: mutateScript,
  describe: describeScript,
  async run(input) {
    const { settings: octets, steps } = readScript(input);
    const settings = socketSettings(octets);
    const random = new Random(hashOf(input));
    const wires = wiresOf(steps, settings);
    const expected = expectedReports(steps, wires, settings);
    const play = async (cut: number): Promise<SocketRun> => {
      const run = new SocketRun(settings);
      await run.play(steps, wires, cut, random);
      return run;
    };
    const whole = await play(Infinity);
    counters.saw(`${whole.messages.length} ${whole.controls.slice(-2).map(([kind]) => kind).join()} ${settings.taker}`); // prettier-ignore
    checkRun(whole, expected, settings);
    checkWritten(whole.stream.written, settings);
    const cut = await play(random.pick([1, 3, 40]));
    checkRun(cut, expected, settings);
    checkWritten(cut.stream.written, settings);
    if (expected.doubtful === Infinity) same([cut.messages, cut.controls.filter(([kind]) => kind !== 'failed')], [whole.messages, whole.controls.filter(([kind]) => kind !== 'failed')], 'it depends on the cuts'); // prettier-ignore
  },
});
