import { expect, test } from '@jest/globals';
import { isControl, isOpcode, Opcode } from '../src/opcode.js';

test('the opcodes of RFC 6455 §5.2', () => {
  expect(Opcode).toEqual({ Continuation: 0, Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 });
});

test('every other value of four bits is reserved', () => {
  const known = Array.from({ length: 16 }, (_, nibble) => nibble).filter(isOpcode);
  expect(known).toEqual(Object.values(Opcode));
});

test('Close, Ping and Pong are control frames', () => {
  expect(Object.values(Opcode).filter(isControl)).toEqual([Opcode.Close, Opcode.Ping, Opcode.Pong]);
});
