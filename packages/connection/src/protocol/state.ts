/** Where a connection stands. RFC 6455 §7.1. */
export type State = 'open' | 'closeSent' | 'closeReceived' | 'closeDone' | 'failed' | 'closed';
export type Trigger = 'sendClose' | 'receiveClose' | 'fail' | 'transportEnd';

/** The whole lifecycle. An absent pair does nothing: the connection is already past it. */
const TRANSITIONS: Readonly<Record<State, Readonly<Partial<Record<Trigger, State>>>>> = {
  open: { sendClose: 'closeSent', receiveClose: 'closeReceived', fail: 'failed', transportEnd: 'closed' },
  closeSent: { receiveClose: 'closeDone', fail: 'failed', transportEnd: 'closed' },
  closeReceived: { sendClose: 'closeDone', fail: 'failed', transportEnd: 'closed' },
  closeDone: { transportEnd: 'closed' },
  failed: { transportEnd: 'closed' },
  closed: {},
};

export const transition = (from: State, trigger: Trigger): State | undefined => TRANSITIONS[from][trigger];

/** Frames from the peer still count in these states; in all others its bytes are dropped. §7.1.1, §7.1.7 */
export const isReceiving = (state: State): boolean => state === 'open' || state === 'closeSent';
