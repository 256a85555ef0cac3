import { expect, test } from '@jest/globals';
import { negotiateExtensions, parseExtensions } from '@ws/handshake';
import { createExtensions, supportedExtensions, type ServerExtension } from '../src/extensions.js';

/** An extension that changes nothing, with `size` as its one parameter. */
const PLAIN: ServerExtension = {
  name: 'plain',
  accept: (parameters) => (parameters.every(([name]) => name === 'size') ? parameters : undefined),
  create: (parameters) => ({
    name: `plain ${parameters.map(([, value]) => value).join()}`,
    rsv: 0,
    encode: (payload, _fragment, done) => done(null, payload, 0),
    decode: (slice, _piece, output, done) => {
      output(slice);
      done(null);
    },
  }),
};

test('what was negotiated is made, with its parameters', () => {
  const agreed = negotiateExtensions(parseExtensions('other, plain; x=1, plain; size=2, plain; size=3'), [PLAIN]);
  expect(createExtensions(agreed, [PLAIN]).map(({ name }) => name)).toEqual(['plain 2']);
});

test('permessage-deflate by option alone', () => {
  expect(supportedExtensions(false)).toEqual([]);
  for (const option of [true, {}])
    expect(supportedExtensions(option).map(({ name }) => name)).toEqual(['permessage-deflate']);
  expect(createExtensions([], supportedExtensions(true))).toEqual([]);
});

test('each connection has an extension of its own', () => {
  const supported = supportedExtensions(true);
  const agreed = negotiateExtensions(parseExtensions('permessage-deflate; client_max_window_bits'), supported);
  const [one, other] = [createExtensions(agreed, supported), createExtensions(agreed, supported)];
  expect([one.length, one[0]?.name, one[0]?.rsv]).toEqual([1, 'permessage-deflate', 4]);
  expect(one[0]).not.toBe(other[0]);
  expect(createExtensions(parseExtensions('other'), supported)).toEqual([]);
});
