import { expect, test } from '@jest/globals';
import { checkUpgradeRequest, checkUpgradeResponse } from '../src/index.js';

test.each([{}, { upgrade: 'websocket' }, undefined])(
  'headers in another form, %j, are the caller’s mistake, not the peer’s',
  (headers) => {
    const request = { method: 'GET', target: '/', httpVersion: '1.1', headers: headers as never };
    expect(() => checkUpgradeRequest(request)).toThrow('headers must be a list of names and values');
    const sent = { key: 'dGhlIHNhbXBsZSBub25jZQ==' };
    expect(() => checkUpgradeResponse({ status: 101, headers: headers as never }, sent)).toThrow(TypeError);
  },
);
