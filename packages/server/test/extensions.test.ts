import { expect, test } from '@jest/globals';
import { negotiateExtensions, parseExtensions } from '@ws/handshake';
import { createExtensions, SUPPORTED_EXTENSIONS, type ServerExtension } from '../src/extensions.js';

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

test('this version has none', () => {
  expect(SUPPORTED_EXTENSIONS).toEqual([]);
  expect(createExtensions([])).toEqual([]);
});
