import { expect, test } from '@jest/globals';
import { Duplex, duplexPair } from 'node:stream';
import * as stream from '../../src/stream/index.js';

test('the public names', () => {
  expect(Object.keys(stream).sort()).toEqual(['FrameDuplex', 'StreamError']);
});

test('the members beside those of every Duplex', () => {
  const own = Object.getOwnPropertyNames(stream.FrameDuplex.prototype).filter(
    (name) => !name.startsWith('_') && !(name in Duplex.prototype),
  );
  expect(own.sort()).toEqual(['frames', 'messages', 'writeEnd', 'writeHead']);
  const [source] = duplexPair();
  const duplex = new stream.FrameDuplex(source);
  expect(duplex.source).toBe(source);
  duplex.destroy();
});
