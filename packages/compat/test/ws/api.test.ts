import { expect, test } from '@jest/globals';
import * as ours from '../../src/ws/index.js';

const membersOf = (value: object, ...skipped: string[]): string[] =>
  Object.getOwnPropertyNames(value)
    .filter((name) => !['length', 'name', 'prototype', 'constructor', ...skipped].includes(name))
    .sort();

test('what is exported, and what hangs on the class', () => {
  expect(Object.keys(ours).sort()).toEqual([
    'PerMessageDeflate',
    'Receiver',
    'Sender',
    'Server',
    'WebSocket',
    'WebSocketServer',
    'createWebSocketStream',
    'default',
    'extension',
    'module.exports',
    'subprotocol',
  ]);
  const { default: WebSocket } = ours;
  expect(membersOf(WebSocket)).toEqual([
    'CLOSED',
    'CLOSING',
    'CONNECTING',
    'OPEN',
    'PerMessageDeflate',
    'Receiver',
    'Sender',
    'Server',
    'WebSocket',
    'WebSocketServer',
    'createWebSocketStream',
    'extension',
    'subprotocol',
  ]);
  expect(Reflect.get(ours, 'module.exports')).toBe(WebSocket);
});

test('what the classes have of their own', () => {
  const { WebSocket, WebSocketServer, Sender, Receiver, PerMessageDeflate, extension, subprotocol } = ours;
  expect({
    WebSocket: membersOf(WebSocket.prototype),
    WebSocketServer: membersOf(WebSocketServer.prototype),
    Sender: [membersOf(Sender), membersOf(Sender.prototype)],
    Receiver: membersOf(Receiver.prototype),
    PerMessageDeflate: [membersOf(PerMessageDeflate), membersOf(PerMessageDeflate.prototype)],
    extension: membersOf(extension),
    subprotocol: membersOf(subprotocol),
  }).toEqual({
    WebSocket: ['_readyState', '_sender', '_socket', 'close', 'send', 'setSocket'],
    WebSocketServer: ['_server', 'handshakeOf'],
    Sender: [['frame'], ['_socket', 'sendFrame']],
    Receiver: ['_destroy', '_write'],
    PerMessageDeflate: [['extensionName'], ['accept', 'cleanup', 'codec', 'compress', 'decompress', 'offer']],
    extension: ['format', 'parse'],
    subprotocol: ['parse'],
  });
});
