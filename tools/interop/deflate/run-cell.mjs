// One cell: both ends, a tap between them, and everything that must be so.
import { readAnswer, clientOptions, serverOptions, wanted } from './cells.mjs';
import { digestOf } from './ends.mjs';
import { makeMessages } from './messages.mjs';
import { startTap } from './tap.mjs';

/** @typedef {import('./cells.mjs').Cell} Cell */
/** @typedef {import('./ends.mjs').End} End */
/** @typedef {import('./messages.mjs').Message} Message */

/** Then the connection is cut; who does not notice that, either, is given up. */
const TIME_LIMIT_MS = 60_000;
const GRACE_MS = 10_000;

/** Text from this size on must travel compressed, and by at least a quarter shorter, also in a window of 512 bytes. */
const MUST_COMPRESS_BYTES = 4096;
const MUST_SHRINK_TO = 0.75;

/** undici reads compressed messages, and sends none. */
const NEVER_COMPRESSES = new Set(['undici']);

/**
 * @param {Cell} cell
 * @param {{ subject: End, peer: End, seed: string, count: number }} run `subject` stands where ours does
 * @returns {Promise<string[]>} what went wrong
 */
export async function runCell(cell, { subject, peer, seed, count }) {
  const [client, server] = cell.role === 'client' ? [peer, subject] : [subject, peer];
  if (server.serve === undefined) throw new Error(`${cell.peer} is no server`);
  const cellSeed = `${seed} ${cell.id}`;
  const messages = makeMessages(cellSeed, count);
  const { threshold, codec } = cell;
  const serving = await server.serve({ options: serverOptions(cell), threshold, codec });
  const tap = await startTap(serving.port);
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    tap.close();
  }, TIME_LIMIT_MS);
  /** @type {(error: Error) => void} */
  let giveUp = () => undefined;
  const givenUp = /** @type {Promise<never>} */ (new Promise((_, reject) => (giveUp = reject)));
  const tooLate = setTimeout(
    () => giveUp(new Error('an end does not notice that its connection is gone')),
    TIME_LIMIT_MS + GRACE_MS,
  );
  try {
    const task = { url: `ws://127.0.0.1:${tap.port}/`, options: clientOptions(cell), threshold, codec, messages };
    const outcome = await Promise.race([client.converse({ ...task, seed: cellSeed, count }), givenUp]);
    // Without a handshake there is no connection that the server could tell of.
    const wasConnected = tap.toClient.head.startsWith('HTTP/1.1 101 ');
    const received = wasConnected ? await Promise.race([serving.received, givenUp]) : undefined;
    return [
      ...(isLate ? [`not done after ${TIME_LIMIT_MS / 1000} s`] : []),
      ...checkConversation(messages, outcome, received),
      ...checkAgreement(cell, tap.toClient.extensions, [outcome.extensions, received?.extensions]),
      ...checkCompression('client', messages, tap.toServer.messages, NEVER_COMPRESSES.has(cell.peer)),
      ...checkCompression('server', messages, tap.toClient.messages, false),
    ];
  } finally {
    clearTimeout(late);
    clearTimeout(tooLate);
    tap.close();
    await serving.close();
  }
}

/**
 * @param {readonly Message[]} messages
 * @param {import('./conversation.mjs').Outcome} outcome
 * @param {import('./ends.mjs').Received | undefined} received
 * @returns {Generator<string, void>}
 */
function* checkConversation(messages, outcome, received) {
  if (outcome.error !== undefined) yield `client: ${outcome.error}`;
  if (outcome.difference !== undefined) yield outcome.difference;
  const { length } = messages;
  if (outcome.answered !== length) yield `${outcome.answered} of ${length} messages came back as they were`;
  if (received === undefined) {
    yield 'no connection';
    return;
  }
  if (received.error !== undefined) yield `server: ${received.error}`;
  if (received.count !== length) yield `the server got ${received.count} messages of ${length}`;
  else if (received.digest !== digestOf(messages)) yield 'the server got other messages than were sent';
}

/** @param {Cell} cell @param {string} header of the answer @param {readonly (string | undefined)[]} told by the sockets that tell */
function* checkAgreement(cell, header, told) {
  const answer = readAnswer(header);
  if (answer !== wanted(cell)) yield `agreed on ${answer} instead of ${wanted(cell)}`;
  for (const extensions of told) {
    // `ws` tells the name alone.
    if (extensions !== undefined && !/^permessage-deflate(;|$)/.test(extensions)) {
      yield `socket.extensions is '${extensions}'`;
    }
  }
}

/**
 * @param {string} sender
 * @param {readonly Message[]} messages
 * @param {readonly import('./tap.mjs').WireMessage[]} wire
 * @param {boolean} isNever
 */
function* checkCompression(sender, messages, wire, isNever) {
  const sent = messages.map(({ binary, bytes }, i) => ({ binary, size: bytes.length, i, wire: wire[i] }));
  if (isNever) {
    if (wire.some(({ compressed }) => compressed)) yield `the ${sender} sent compressed messages`;
    return;
  }
  const large = sent.filter(({ binary, size }) => !binary && size >= MUST_COMPRESS_BYTES);
  const plain = large.filter((message) => message.wire !== undefined && !message.wire.compressed);
  if (plain.length > 0) {
    const [first] = plain;
    yield `the ${sender} sent ${plain.length} of ${large.length} large texts as they are, first message ${first?.i} of ${first?.size} bytes`;
  }
  const long = large.filter((message) => (message.wire?.wireBytes ?? 0) > message.size * MUST_SHRINK_TO);
  if (long.length > plain.length) {
    yield `the ${sender} compressed ${long.length - plain.length} large texts by less than a quarter`;
  }
}
