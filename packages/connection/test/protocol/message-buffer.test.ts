import { expect, test } from '@jest/globals';
import { MessageBuffer } from '../../src/protocol/message-buffer.js';

const MIB = 1_048_576;
const PIECE = 60_000;

/** A buffer, and the sizes of what it asked for. */
function watched() {
  const sizes: number[] = [];
  const buffer = new MessageBuffer((byteLength) => {
    sizes.push(byteLength);
    return new Uint8Array(byteLength);
  });
  return { buffer, sizes };
}
const piece = (index: number, length = PIECE): Uint8Array => Uint8Array.from({ length }, (_, i) => index + i);

/** Appends pieces until so many bytes are there. */
function fill(buffer: MessageBuffer, byteLength: number, length = PIECE): void {
  for (let i = 0; buffer.byteLength < byteLength; i++)
    buffer.append(piece(i, Math.min(length, byteLength - buffer.byteLength)));
}
const whole = (byteLength: number, length = PIECE): Uint8Array =>
  Uint8Array.from({ length: byteLength }, (_, i) => Math.floor(i / length) + (i % length));

test('a long message asks once for large memory: what its beginning is in is given back', () => {
  const { buffer, sizes } = watched();
  buffer.expect(40 * MIB, true);
  fill(buffer, 4 * MIB);
  expect(buffer.retainedBytes).toBeLessThan(8.2 * MIB);
  fill(buffer, 40 * MIB);
  expect(sizes.filter((size) => size >= MIB)).toEqual([40 * MIB]);
  const message = buffer.takeWhole();
  expect([message.length, message.byteOffset, message.buffer.byteLength]).toEqual([40 * MIB, 0, 40 * MIB]);
  expect(buffer.retainedBytes).toBe(0);
});

test('what it was in before is in it', () => {
  const { buffer } = watched();
  buffer.expect(10 * MIB, true);
  fill(buffer, 10 * MIB);
  expect(Buffer.compare(buffer.takeWhole(), whole(10 * MIB))).toBe(0);
});

test('a message that is dropped at its beginning leaves nothing to the next', () => {
  const { buffer } = watched();
  buffer.expect(40 * MIB, true);
  fill(buffer, 3 * MIB);
  buffer.clear();
  expect([buffer.byteLength, buffer.retainedBytes]).toEqual([0, 0]);
  buffer.expect(100, true);
  buffer.append(piece(1, 100));
  expect(buffer.takeWhole()).toEqual(piece(1, 100));
});

test('the beginning of a list of fragments is memory like any other', () => {
  const { buffer } = watched();
  buffer.keepFragments = true;
  buffer.expect(40 * MIB, true);
  for (let i = 0; buffer.byteLength < 2 * MIB; i++) buffer.append(piece(i, 4000)); // too small to be kept as they are
  const { byteLength } = buffer;
  buffer.append(piece(3, 5000));
  const [first, second] = buffer.takeParts();
  expect([first!.length, second]).toEqual([byteLength, piece(3, 5000)]);
  expect(Buffer.compare(first!, whole(byteLength, 4000))).toBe(0);
  expect((first!.buffer as { resizable?: boolean }).resizable ?? false).toBe(false);
});
