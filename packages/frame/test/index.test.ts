import { expect, test } from '@jest/globals';
import * as frame from '../src/index.js';

test('the public names', () => {
  expect(Object.keys(frame).sort()).toEqual([
    'CloseCode',
    'FrameParser',
    'MaskingMemory',
    'Opcode',
    'ProtocolError',
    'Utf8Validator',
    'decodeClosePayload',
    'decodeHeader',
    'encodeClosePayload',
    'encodeFrame',
    'encodeHeader',
    'headerLength',
    'isControl',
    'isValidCloseCode',
    'mask',
    'writeHeader',
  ]);
});
