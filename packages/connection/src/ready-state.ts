export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSING = 2;
export const CLOSED = 3;
export type ReadyState = typeof CONNECTING | typeof OPEN | typeof CLOSING | typeof CLOSED;

const NAMES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;

/** For people. */
export const describeState = (state: ReadyState): string => `readyState ${state} (${NAMES[state]})`;

/** In the words of ws 8. To send too early is a fault of the program, and has no code. */
export function notOpen(state: ReadyState): Error {
  const error = new Error(`WebSocket is not open: ${describeState(state)}`);
  return state === CONNECTING ? error : Object.assign(error, { code: 'WS_ERR_CLOSED' });
}
