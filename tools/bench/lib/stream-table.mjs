// What was measured of streams, as Markdown.
import { median } from './statistics.mjs';

/**
 * @typedef {import('./streams.mjs').StreamSample} StreamSample
 *
 * @typedef {object} StreamRow
 * @property {string} part
 * @property {string} name
 * @property {'ours' | 'ws'} library
 * @property {'stream' | 'messages' | 'duplex'} mode
 * @property {number} bytes
 * @property {StreamSample[]} samples
 */

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
/** What the same bytes as messages may be faster by, and what streaming them may cost in memory. */
const LEAST_THROUGHPUT = 0.75;
const MOST_GROWTH = 64 * MIB;

/** @param {readonly string[]} titles @param {readonly (readonly string[])[]} rows */
export function markdown(titles, rows) {
  const lines = [titles, titles.map((_, column) => (column === 0 ? '---' : '---:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** @param {StreamRow} row @param {(sample: StreamSample) => number} figure */
const middle = ({ samples }, figure) => median(samples.map(figure));

/** Lowest of the rounds: other programs only add to it. @param {StreamRow} row @param {(sample: StreamSample) => number} figure */
const least = ({ samples }, figure) => Math.min(...samples.map(figure));

/** Highest of the rounds: a bound holds in each of them. @param {StreamRow} row @param {(sample: StreamSample) => number} figure */
const most = ({ samples }, figure) => Math.max(...samples.map(figure));

/** @param {StreamSample} sample */
const cpuOf = ({ serverCpu, clientCpu }) => serverCpu + clientCpu;
/** @param {StreamSample} sample */
const secondsOf = ({ seconds }) => seconds;

/** Round by round: what a row took, in shares of what the other one took. @param {StreamRow} row @param {StreamRow | undefined} than @param {(sample: StreamSample) => number} figure */
function beside(row, than, figure) {
  const shares = row.samples.flatMap((sample, round) => {
    const other = than?.samples[round];
    return other === undefined ? [] : [figure(other) / figure(sample)];
  });
  return shares.length === 0 ? undefined : median(shares);
}

/** @param {readonly StreamRow[]} rows of one part */
const messagesOf = (rows) => rows.find(({ mode }) => mode === 'messages');

/** @param {number | undefined} share */
const show = (share) => share?.toFixed(2) ?? '';

/** @param {readonly StreamRow[]} rows of one part */
export function formatMarkdown(rows) {
  const messages = messagesOf(rows);
  const titles = [
    '',
    'MiB/s',
    'CPU s/GiB server',
    'client',
    'RSS growth MiB server',
    'client',
    'rate / messages',
    'CPU of messages / this',
  ];
  return markdown(
    titles,
    rows.map((row) => {
      const { bytes } = row;
      const perGib = GIB / bytes;
      return [
        row.name,
        (bytes / MIB / middle(row, secondsOf)).toFixed(0),
        (middle(row, ({ serverCpu }) => serverCpu) * perGib).toFixed(2),
        (middle(row, ({ clientCpu }) => clientCpu) * perGib).toFixed(2),
        (most(row, ({ serverGrowth }) => serverGrowth) / MIB).toFixed(0),
        (most(row, ({ clientGrowth }) => clientGrowth) / MIB).toFixed(0),
        row === messages ? '' : show(beside(row, messages, secondsOf)),
        row === messages ? '' : show(beside(row, messages, cpuOf)),
      ];
    }),
  );
}

/** @param {readonly StreamRow[]} rows of one part */
export function formatPauses(rows) {
  const titles = [
    '',
    'pause s',
    'written after it MiB',
    'writer stopped after ms',
    'then RSS growth MiB server',
    'client',
    'whole run: server',
    'client',
  ];
  return markdown(
    titles,
    rows.flatMap(({ name, samples }) =>
      samples.flatMap(({ pause, serverGrowth, clientGrowth }) =>
        pause === undefined
          ? []
          : [
              [
                name,
                (pause.ms / 1000).toFixed(1),
                (pause.filled / MIB).toFixed(1),
                pause.stoppedAfterMs.toFixed(0),
                (pause.serverGrowth / MIB).toFixed(1),
                (pause.clientGrowth / MIB).toFixed(1),
                (serverGrowth / MIB).toFixed(0),
                (clientGrowth / MIB).toFixed(0),
              ],
            ],
      ),
    ),
  );
}

/** @param {readonly StreamRow[]} rows of all parts */
export function formatVerdicts(rows) {
  return rows
    .filter(({ mode }) => mode === 'stream')
    .flatMap((row) => {
      const { part } = row;
      const messages = messagesOf(rows.filter((each) => each.part === part));
      const rate =
        part === 'pause' || messages === undefined ? undefined : least(messages, secondsOf) / least(row, secondsOf);
      const growth = Math.max(
        most(row, ({ serverGrowth }) => serverGrowth),
        most(row, ({ clientGrowth }) => clientGrowth),
      );
      const stopped = row.samples.every(({ pause }) => pause === undefined || pause.stoppedAfterMs < pause.ms / 2);
      return [
        ...(rate === undefined
          ? []
          : [
              verdict(
                `${part}: best rate of one message / of 64 KiB messages >= ${LEAST_THROUGHPUT}`,
                rate.toFixed(2),
                rate >= LEAST_THROUGHPUT,
              ),
            ]),
        verdict(
          `${part}: RSS growth of either side < ${MOST_GROWTH / MIB} MiB`,
          (growth / MIB).toFixed(0),
          growth < MOST_GROWTH,
        ),
        ...(part === 'pause'
          ? [verdict('pause: the writer stops in its first half', stopped ? 'yes' : 'no', stopped)]
          : []),
      ];
    })
    .join('\n');
}

/** @param {string} what @param {string} figure @param {boolean} isReached */
const verdict = (what, figure, isReached) => `target ${what}: ${figure}, ${isReached ? 'reached' : 'missed'}`;
