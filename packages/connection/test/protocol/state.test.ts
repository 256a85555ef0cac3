import { expect, test } from '@jest/globals';
import { isReceiving, transition, type State, type Trigger } from '../../src/protocol/state.js';

// RFC 6455 §7.1: rows are states, columns triggers; a dash stays where it is.
const TABLE: [State, Record<Trigger, State | '-'>, boolean][] = [
  ['open', { sendClose: 'closeSent', receiveClose: 'closeReceived', fail: 'failed', transportEnd: 'closed' }, true],
  ['closeSent', { sendClose: '-', receiveClose: 'closeDone', fail: 'failed', transportEnd: 'closed' }, true],
  ['closeReceived', { sendClose: 'closeDone', receiveClose: '-', fail: 'failed', transportEnd: 'closed' }, false],
  ['closeDone', { sendClose: '-', receiveClose: '-', fail: '-', transportEnd: 'closed' }, false],
  ['failed', { sendClose: '-', receiveClose: '-', fail: '-', transportEnd: 'closed' }, false],
  ['closed', { sendClose: '-', receiveClose: '-', fail: '-', transportEnd: '-' }, false],
];

test.each(TABLE)('%s', (state, row, receiving) => {
  for (const [trigger, next] of Object.entries(row)) {
    expect(transition(state, trigger as Trigger)).toBe(next === '-' ? undefined : next);
  }
  expect(isReceiving(state)).toBe(receiving);
});
