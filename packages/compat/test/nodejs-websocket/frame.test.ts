import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import { decodeHeader, FrameParser, mask } from '@ws/frame';
import { frame } from '../../src/nodejs-websocket/index.js';
import { frameRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';

/** A masked frame as it would be without. */
function unmasked(bytes: Buffer): string {
  const { maskingKey, byteLength } = decodeHeader(bytes)!;
  expect(maskingKey).toEqual(expect.any(Number));
  const payload = Buffer.from(bytes.subarray(byteLength));
  mask(payload, maskingKey!);
  const head = Buffer.from(bytes.subarray(0, byteLength - 4));
  head[1]! &= 0x7f;
  return Buffer.concat([head, payload]).toString('hex');
}
const hexOf = (bytes: Buffer): string => {
  expect(Buffer.isBuffer(bytes)).toBe(true);
  return bytes.toString('hex');
};

prove(frameRows, {
  'NW-090': () => {
    expect(hexOf(frame.createTextFrame('hé'))).toBe('810368c3a9');
    expect(hexOf(frame.createTextFrame('', false))).toBe('8100');
    expect(unmasked(frame.createTextFrame('hé', true))).toBe('810368c3a9');
  },
  'NW-091': () => {
    const data = Buffer.from('abc');
    expect(hexOf(frame.createBinaryFrame(data))).toBe('8203616263');
    expect(hexOf(frame.createBinaryFrame(data, false, true, false))).toBe('0203616263');
    expect(hexOf(frame.createBinaryFrame(data, false, false, false))).toBe('0003616263');
    expect(hexOf(frame.createBinaryFrame(data, false, false))).toBe('8003616263');
    expect(unmasked(frame.createBinaryFrame(data, true))).toBe('8203616263');
    expect(data.toString()).toBe('abc');
    const plain = frame.createBinaryFrame(data);
    plain.fill(0);
    expect(data.toString()).toBe('abc');
  },
  'NW-092': () => {
    for (const none of [undefined, 1005]) expect(hexOf(frame.createCloseFrame(none, 'dropped'))).toBe('8800');
    expect(hexOf(frame.createCloseFrame(1000))).toBe('880203e8');
    expect(hexOf(frame.createCloseFrame(4000, 'é'))).toBe('88040fa0c3a9');
    expect(unmasked(frame.createCloseFrame(4000, 'é', true))).toBe('88040fa0c3a9');
    for (const code of [1, 999, 1004, 1006, 1015, 2999, 5000])
      expect(() => frame.createCloseFrame(code)).toThrow(RangeError);
    expect(frame.createCloseFrame(1000, 'x'.repeat(123))).toHaveLength(127);
    expect(() => frame.createCloseFrame(1000, 'x'.repeat(124))).toThrow(RangeError);
  },
  'NW-093': () => {
    for (const [create, opcode] of [
      [frame.createPingFrame, '89'],
      [frame.createPongFrame, '8a'],
    ] as const) {
      expect(hexOf(create('hé'))).toBe(`${opcode}0368c3a9`);
      expect(hexOf(create(''))).toBe(`${opcode}00`);
      expect(hexOf(create(Buffer.of(0xff)))).toBe(`${opcode}01ff`);
      expect(unmasked(create('hé', true))).toBe(`${opcode}0368c3a9`);
      expect(create('x'.repeat(125))).toHaveLength(127);
      expect(() => create('x'.repeat(126))).toThrow(RangeError);
      expect(() => create('é'.repeat(63))).toThrow(RangeError);
    }
  },
  'NW-094': () => {
    for (const [length, header] of [
      [0, '8200'],
      [125, '827d'],
      [126, '827e007e'],
      [65_535, '827effff'],
      [65_536, '827f0000000000010000'],
    ] as const) {
      const data = Buffer.alloc(length);
      expect(frame.createBinaryFrame(data).toString('hex', 0, header.length / 2)).toBe(header);
      expect(frame.createBinaryFrame(data)).toHaveLength(header.length / 2 + length);
      expect(frame.createBinaryFrame(data, true)).toHaveLength(header.length / 2 + 4 + length);
    }
    const keys = Array.from({ length: 64 }, () => decodeHeader(frame.createTextFrame('x', true))!.maskingKey);
    expect(new Set(keys).size).toBeGreaterThan(60);
    let frames = 0;
    const parser = new FrameParser({ role: 'server' }, { frameEnd: () => frames++ });
    parser.push(
      Buffer.concat([
        frame.createTextFrame('x', true),
        frame.createPingFrame('', true),
        frame.createCloseFrame(1000, '', true),
      ]),
    );
    expect(frames).toBe(3);
  },
  'NW-095': () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      dependencies: Record<string, string>;
      license: string;
      engines: { node: string };
      scripts: { test: string };
    };
    expect(Object.keys(manifest.dependencies).filter((name) => !name.startsWith('@ws/'))).toEqual([]);
    expect([manifest.license, manifest.engines.node]).toEqual(['MIT', '>=20.19']);
    expect(manifest.scripts.test).toContain('jest');
  },
});
