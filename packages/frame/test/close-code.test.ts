import { expect, test } from '@jest/globals';
import { CloseCode, isValidCloseCode } from '../src/close-code.js';

test('the codes that may travel, of all that fit into two octets', () => {
  const ranges: [number, number][] = [];
  for (let code = 0; code <= 0xffff; code++) {
    if (!isValidCloseCode(code)) continue;
    const last = ranges.at(-1);
    if (last?.[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  expect(ranges).toEqual([
    [1000, 1003],
    [1007, 1014],
    [3000, 4999],
  ]);
});

test.each([NaN, Infinity, -1000, 1000.5, 65536 + 1000, '1000', undefined, null])('%p may not travel', (code) => {
  expect(isValidCloseCode(code as number)).toBe(false);
});

test('the named codes', () => {
  expect(Object.entries(CloseCode).map(([name, code]) => `${code} ${name}`)).toEqual([
    '1000 Normal',
    '1001 GoingAway',
    '1002 ProtocolError',
    '1003 UnsupportedData',
    '1005 NoStatus',
    '1006 Abnormal',
    '1007 InvalidPayload',
    '1008 PolicyViolation',
    '1009 TooBig',
    '1010 MandatoryExtension',
    '1011 InternalError',
    '1012 ServiceRestart',
    '1013 TryAgainLater',
    '1014 BadGateway',
    '1015 TlsFailure',
  ]);
  const silent = Object.values(CloseCode).filter((code) => !isValidCloseCode(code));
  expect(silent).toEqual([CloseCode.NoStatus, CloseCode.Abnormal, CloseCode.TlsFailure]);
});
