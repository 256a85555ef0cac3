// A server that does what it must not, to show that it is found out.

/** @typedef {import('./messages.mjs').Spec} Spec */
/** @typedef {(typeof SABOTAGES)[number]} Sabotage */

export const SABOTAGES = /** @type {const} */ (['drop', 'duplicate', 'reorder', 'damage', 'no-heartbeat', 'leak']);

/** A reply in so many goes wrong. */
const EVERY = 5;
/** @type {object[]} */
const leaked = [];

/** @param {Sabotage | undefined} sabotage @param {object} socket */
export function leak(sabotage, socket) {
  if (sabotage === 'leak') leaked.push(socket);
}

/** What is sent in the place of each reply of a connection. @param {Sabotage | undefined} sabotage @returns {(reply: Spec) => Spec[]} */
export function spoiler(sabotage) {
  let count = 0;
  /** @type {Spec | undefined} */
  let late;
  return (reply) => {
    if (late !== undefined) {
      const both = [reply, late];
      late = undefined;
      return both;
    }
    if (sabotage === undefined || reply.content.length < 64 || ++count % EVERY !== 0) return [reply];
    if (sabotage === 'drop') return [];
    if (sabotage === 'duplicate') return [reply, reply];
    if (sabotage === 'damage') return [damaged(reply)];
    if (sabotage !== 'reorder') return [reply];
    late = reply;
    return [];
  };
}

/** @param {Spec} reply @returns {Spec} */
function damaged(reply) {
  const { content } = reply;
  if (typeof content === 'string') return { ...reply, content: `${content.slice(0, -8)}damaged!` };
  const bytes = Buffer.from(content);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  return { ...reply, content: bytes };
}
