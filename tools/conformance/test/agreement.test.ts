import { expect, test } from '@jest/globals';
import { deflated, fixed, match, stored } from '../src/blocks.js';
import { inflaterFor, normalized } from '../src/agreement.js';

test.each([
  ['a;b;c', 'a; c ;\tb'],
  ['a;b=1', 'a ; b = "1"'],
  ['a;b,c;d', 'a;b , c; d'],
  ['', ''],
])('order, blanks and quotes make no difference: %s', (one, other) => {
  expect(normalized(other)).toBe(normalized(one));
});

test.each([
  ['a;b', 'a;b;b'],
  ['a;b', 'a;c'],
  ['a;b=1', 'a;b=01'],
  ['a;b', 'a;b='],
  ['a,b', 'b,a'],
  ['a', 'a,a'],
])('what differs stays different: %s and %s', (one, other) => {
  expect(normalized(other)).not.toBe(normalized(one));
});

const FIRST = deflated(stored(Buffer.alloc(300, 'ab')));
const NEAR = deflated(fixed([match(3, 250)]));
const FAR = deflated(fixed([match(3, 300)]));

test.each([
  ['permessage-deflate', [true, true]],
  ['permessage-deflate; server_no_context_takeover', [false, false]],
  ['permessage-deflate; client_no_context_takeover; client_max_window_bits=8', [true, true]],
  ['permessage-deflate; server_max_window_bits=8', [true, false]],
  ['permessage-deflate;server_max_window_bits="8"', [true, false]],
  ['permessage-deflate; server_max_window_bits=9; client_no_context_takeover', [true, true]],
])('reads the messages of a server under %s', (answer, readable) => {
  const reads = [NEAR, FAR].map((payload) => {
    const inflater = inflaterFor(answer, 'server');
    inflater.message(FIRST);
    try {
      inflater.message(payload);
      return true;
    } catch {
      return false;
    }
  });
  expect(reads).toEqual(readable);
});
