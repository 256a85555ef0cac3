// Which ends are right: the table that says who may be the initiator behind which fault, and what else must hold.
import { faultOf } from './scenario.mjs';

/** @typedef {import('./scenario.mjs').Settings} Settings */
/** @typedef {import('./scenario.mjs').FaultKind} FaultKind */
/** @typedef {import('./messages.mjs').Direction} Direction */
/** @typedef {import('./leaks.mjs').Stall} Stall */

/**
 * @typedef {object} ProxyRecord what was done to a connection
 * @property {number} id
 * @property {FaultKind} kind
 * @property {Direction} direction
 * @property {number | undefined} firedAt ms since the epoch; undefined: the connection ended before
 * @property {number} up bytes that went on
 * @property {number} down
 * @property {number} changed bytes
 */

/**
 * @typedef {object} EndRecord what one end saw
 * @property {number} id
 * @property {boolean} isOpened
 * @property {number} openedAt
 * @property {{ how: 'close' | 'terminate', code: number, at: number } | undefined} called by the test
 * @property {Closed | undefined} closed
 * @property {number} closes
 * @property {number} sent messages given to `send`
 * @property {number} received messages that came as they must
 * @property {number} seen messages that came
 * @property {boolean} isDamaged
 * @property {string[]} faults that the end found itself
 * @property {import('@ws/server').SocketStats} stats
 */

/**
 * @typedef {object} Closed of the CloseInfo
 * @property {number} at
 * @property {number} code
 * @property {string} initiator
 * @property {boolean} wasClean
 * @property {number | null} sent code of our Close frame
 * @property {number | null} received
 * @property {string | null} error
 * @property {number} lastActivity
 * @property {number} frames
 * @property {number} bytesUnsent
 */

/** @typedef {'client' | 'server'} Side */
/** @typedef {{ client: readonly Stall[], server: readonly Stall[], proxy: readonly Stall[] }} Stalls */

/** @typedef {{ id: number, client?: EndRecord | undefined, server?: EndRecord | undefined, proxy?: ProxyRecord | undefined }} Connection */

/** Who hears nothing, or half of something, where a direction is hurt; the other one is `sender`. @param {Direction} direction @param {Side} side */
const partOf = (direction, side) => ((direction === 'up') === (side === 'server') ? 'receiver' : 'sender');

/**
 * The initiators behind a fault, at the end that would have received and at the one that sends. Where an end had closed before, or was closed, that
 * is right as well: see `allowedInitiators`.
 * @type {Record<Exclude<FaultKind, 'none' | 'corrupt'>, { receiver: string[], sender: string[] }>}
 */
const INITIATORS = {
  truncate: { receiver: ['transport'], sender: ['transport'] },
  fin: { receiver: ['transport'], sender: ['transport'] },
  reset: { receiver: ['transport'], sender: ['transport'] },
  'half-open': { receiver: ['timeout'], sender: ['timeout'] },
  // The receiver notices, and cuts: that reaches the sender.
  'black-hole': { receiver: ['timeout'], sender: ['transport'] },
};

/** With changed bytes on the way everything is right but what is not noticed. */
const AFTER_CORRUPTION = ['transport', 'timeout', 'protocol', 'limit', 'local', 'remote'];

const TOO_LATE = 'too late';
const HEARTBEAT = 'WS_ERR_HEARTBEAT_TIMEOUT';
/** For what is neither the heartbeat nor the wheel: the callback that closes, and this test's own clock. */
const SLACK_MS = 150;
/** A wheel may fire so much later, of the delay. */
const COARSENESS = 1 / 16;

/**
 * All that is wrong with one connection.
 * @param {Connection} connection @param {Settings} settings @param {Stalls} stalls @returns {{ violations: string[], excused: boolean }} `excused`: it timed out because a process that it depends on stood still
 */
export function judge({ id, client, server, proxy }, settings, stalls) {
  /** @type {string[]} */
  const violations = [];
  const fault = proxy ?? { ...faultOf(settings, id), id, firedAt: undefined, up: 0, down: 0, changed: 0 };
  if (client === undefined) violations.push('the client never told of its end');
  /** @type {string[]} */
  const late = [];
  for (const [side, end, peer] of /** @type {const} */ ([
    ['client', client, server],
    ['server', server, client],
  ])) {
    if (end === undefined) continue;
    for (const text of end.faults) if (!isExpectedDamage(fault, end, text)) violations.push(`${side}: ${text}`);
    if (end.closes !== 1 || end.closed === undefined) {
      violations.push(`${side}: 'close' came ${end.closes} times`);
      continue;
    }
    for (const text of endFaults(side, end, end.closed, peer, fault, settings, stalls))
      (isAboutTime(text, end, peer) ? late : violations).push(`${side}: ${text}`);
  }
  const excused = late.length > 0 && stoodStill(client, server, fault, settings, stalls);
  if (!excused) violations.push(...late);
  if (client !== undefined) violations.push(...countFaults(client, server, fault));
  return { violations, excused };
}

/** What a process without a processor may be the reason of: somebody was late, or given up for it. @param {string} text @param {EndRecord} end @param {EndRecord | undefined} peer */
function isAboutTime(text, end, peer) {
  if (text.includes(TOO_LATE) || end.closed?.initiator === 'timeout') return true;
  return end.closed?.initiator === 'transport' && peer?.closed?.initiator === 'timeout';
}

/** @param {ProxyRecord} fault @param {EndRecord} end @param {string} text */
const isExpectedDamage = (fault, end, text) => fault.changed > 0 && end.isDamaged && !text.includes('close');

/** @param {Side} side @param {EndRecord} end @param {Closed} closed @param {EndRecord | undefined} peer @param {ProxyRecord} fault @param {Settings} settings @param {Stalls} stalls */
function endFaults(side, end, closed, peer, fault, settings, stalls) {
  /** @type {string[]} */
  const wrong = [];
  const { initiator, wasClean, sent, received, code, error } = closed;
  const seen = `${initiator} ${code}${error === null ? '' : ` ${error}`}, sent ${sent}, received ${received}`;
  const allowed = allowedInitiators(side, end, closed, peer, fault);
  if (!allowed.includes(initiator)) wrong.push(`${seen}: expected ${allowed.join(' or ')}`);
  if (code !== (received ?? 1006)) wrong.push(`${seen}: the code is not that of the Close frame received`);
  if (wasClean !== (sent !== null && received !== null && closed.bytesUnsent === 0))
    wrong.push(`${seen}: wasClean is ${wasClean}`);
  if (closed.frames > 0 && wasClean) wrong.push(`${seen}: frames of a clean end`);
  if (!wasClean && end.isOpened && end.received > 0 && closed.frames === 0)
    wrong.push(`${seen}: no frames of an abnormal end`);
  if (closed.lastActivity > closed.at + 5 || (end.isOpened && closed.lastActivity < end.openedAt - 1000))
    wrong.push(`${seen}: lastActivity is ${closed.lastActivity - closed.at} ms from 'close'`);
  if (fault.kind === 'corrupt') return wrong;
  if (received !== null && received !== sent && !closedWith(received, peer))
    wrong.push(`${seen}: the peer closed with ${peer?.called?.code}`);
  if (sent !== null && sent !== received && !closedWith(sent, end))
    wrong.push(`${seen}: we closed with ${end.called?.code}`);
  if (fault.firedAt === undefined) return wrong;
  const late =
    closed.at -
    fault.firedAt -
    mostMs(fault, fault.firedAt, side, end, settings) -
    lateness(stalls, fault.firedAt, closed.at);
  if (late > 0) wrong.push(`${seen}: noticed ${late} ms ${TOO_LATE}, ${closed.at - fault.firedAt} ms behind the fault`);
  return wrong;
}

/** A FIN that comes in the middle of what is being sent leaves a message unfinished, and that is 1011. */
const UNFINISHED = 1011;

/** Whether this end may have sent a Close frame with this code, as the first. @param {number} code @param {EndRecord | undefined} end */
function closedWith(code, end) {
  if (end?.called?.how === 'close' && end.called.code === code) return true;
  return code === UNFINISHED && end?.closed?.initiator === 'transport' && end.closed.sent === UNFINISHED;
}

/** @param {Side} side @param {EndRecord} end @param {Closed} closed @param {EndRecord | undefined} peer @param {ProxyRecord} fault @returns {string[]} */
function allowedInitiators(side, end, closed, peer, fault) {
  if (end.called?.how === 'terminate' && end.called.at <= closed.at) return ['local'];
  if (fault.changed > 0) return AFTER_CORRUPTION;
  /** @type {string[]} */
  const allowed = [];
  if (closed.received !== null && closedWith(closed.received, peer)) allowed.push('remote');
  if (end.called?.how === 'close') allowed.push('local');
  if (fault.firedAt !== undefined && fault.kind !== 'none' && fault.kind !== 'corrupt') {
    const part = partOf(fault.direction, side);
    if (closed.received === null) allowed.push(...INITIATORS[fault.kind][part]);
    // The other end was cut off, and may not have closed: its Close frame is not answered in time.
    if (fault.kind === 'black-hole' && (end.called !== undefined || !end.isOpened)) allowed.push('timeout');
  }
  // It was cut before it could answer.
  if (peer?.called?.how === 'terminate' && closed.received === null) allowed.push('transport');
  if (side === 'server' && peer?.isOpened === false) allowed.push('transport');
  return allowed;
}

/** How long an end may take behind a fault. @param {ProxyRecord} fault @param {number} firedAt @param {Side} side @param {EndRecord} end @param {Settings} settings */
function mostMs({ kind, direction }, firedAt, side, end, { times }) {
  const { interval, timeout, closeTimeout, handshakeTimeout } = times;
  const late = 1 + COARSENESS;
  const heartbeat = (interval + timeout) * late;
  const closing = end.called === undefined ? 0 : Math.max(0, end.called.at - firedAt) + closeTimeout * late;
  const alone = Math.max(end.isOpened ? heartbeat : handshakeTimeout * late, closing) + SLACK_MS;
  if (kind === 'half-open' || (kind === 'black-hole' && partOf(direction, side) === 'receiver')) return alone;
  return alone + heartbeat + closeTimeout * late; // the other end's cut is what this one notices, or has to answer
}

/** Those of a time, of one process. @param {readonly Stall[]} stalls in order @param {number} from @param {number} to */
function within(stalls, from, to) {
  let [low, high] = [0, stalls.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((stalls[middle]?.at ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  for (let stall = stalls[end]; stall !== undefined && stall.at - stall.ms <= to; stall = stalls[++end]);
  return stalls.slice(low, end);
}

/** How late anything may have been for want of a processor: each of the three looks of the heartbeat, and as long again, for it forgives itself what it was late. @param {Stalls} stalls @param {number} from @param {number} to */
function lateness({ client, server, proxy }, from, to) {
  const late = [client, server, proxy].flatMap((stalls) => within(stalls, from, to).map(({ ms }) => ms));
  return 6 * Math.max(0, ...late);
}

/**
 * Whether something was not done in time because a process had no processor. A peer that was given up by the heartbeat must have been silent: there a stall of the
 * process that judges excuses nothing.
 * @param {EndRecord | undefined} client @param {EndRecord | undefined} server @param {ProxyRecord} fault @param {Settings} settings @param {Stalls} stalls
 */
function stoodStill(client, server, fault, { times }, stalls) {
  return /** @type {const} */ ([
    ['client', client],
    ['server', server],
  ]).some(([side, end]) => {
    if (end?.closed === undefined) return false;
    const isHeartbeat = end.closed.error === HEARTBEAT && fault.firedAt === undefined;
    if (end.closed.initiator !== 'timeout' && fault.firedAt === undefined) return false;
    const to = end.closed.at;
    const from = Math.min(fault.firedAt ?? to, to - 2 * (times.interval + times.timeout));
    const others = isHeartbeat ? { ...stalls, [side]: [] } : stalls;
    const long = Object.values(others).flatMap((list) =>
      within(list, from, to).filter(({ ms }) => ms > times.timeout / 15),
    );
    return long.reduce((sum, { ms }) => sum + ms, 0) > times.timeout * 0.3;
  });
}

/** Acknowledged, received and sent. @param {EndRecord} client @param {EndRecord | undefined} server @param {ProxyRecord} fault */
function countFaults(client, server, fault) {
  /** @type {string[]} */
  const wrong = [];
  const received = server?.received ?? 0;
  if (client.received > received) wrong.push(`the client has ${client.received} answers to ${received} messages`);
  if (received > client.sent) wrong.push(`the server has ${received} messages of ${client.sent}`);
  if (server === undefined || fault.firedAt !== undefined) return wrong;
  if (isLossless(client, server) && server.received !== client.sent)
    wrong.push(`of ${client.sent} messages before the client's Close frame ${received} arrived`);
  if (isLossless(server, client) && client.received !== server.sent)
    wrong.push(`of ${server.sent} messages before the server's Close frame ${client.received} arrived`);
  return wrong;
}

/** Of a closing handshake that came to its end nothing is lost that was sent before a Close frame; but who is told a reason of its own may stop. @param {EndRecord} sender @param {EndRecord} receiver */
function isLossless(sender, receiver) {
  if (sender.closed?.wasClean !== true || receiver.closed?.wasClean !== true) return false;
  return sender.called?.how === 'close' || (receiver.called !== undefined && receiver.called.code <= 1001);
}
