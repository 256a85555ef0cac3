import { expect, test } from '@jest/globals';
import * as api from '../../src/ws2/index.js';
import WebSocket from '../../src/ws2/index.js';

const own = (type: { prototype: unknown }): string[] => Object.getOwnPropertyNames(type.prototype).sort();

test('public names', () => {
  expect(Object.keys(api).sort()).toEqual(['Server', 'WebSocket', 'default', 'module.exports']);
  expect(Object.entries(api).filter(([, value]) => value === WebSocket)).toHaveLength(3);
  expect(WebSocket.WebSocket).toBe(WebSocket);
  expect(api.Server).toBe(WebSocket.Server);
});

test('members', () => {
  expect(own(WebSocket)).toEqual([
    'CLOSED',
    'CLOSING',
    'CONNECTING',
    'OPEN',
    '_socket',
    'binaryType',
    'bufferedAmount',
    'bytesReceived',
    'close',
    'constructor',
    'extensions',
    'pause',
    'ping',
    'pong',
    'protocol',
    'readyState',
    'resume',
    'send',
    'stream',
    'terminate',
  ]);
  expect(own(Object.getPrototypeOf(WebSocket))).toEqual([
    'addEventListener',
    'constructor',
    'onclose',
    'onerror',
    'onmessage',
    'onopen',
    'removeEventListener',
  ]);
  expect(own(WebSocket.Server)).toEqual(['address', 'close', 'constructor', 'handleUpgrade', 'shouldHandle']);
  const { clients, path, options } = new WebSocket.Server({ noServer: true, path: '/' });
  expect([clients, path, options]).toEqual([new Set(), '/', { noServer: true, path: '/' }]);
});
