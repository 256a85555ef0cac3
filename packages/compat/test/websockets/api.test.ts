import { expect, test } from '@jest/globals';
import * as websockets from '../../src/websockets/index.js';

const ownNames = (object: object): string[] => Object.getOwnPropertyNames(object).toSorted();

test('the public names', () => {
  expect(Object.keys(websockets)).toEqual(['Server', 'Socket', 'default']);
  const { Server, Socket } = websockets;
  expect(websockets.default).toEqual({ Server, Socket });
});

test('what a Socket has beside a Duplex', () => {
  const { prototype } = websockets.Socket;
  const names = [...ownNames(prototype), ...ownNames(Object.getPrototypeOf(prototype) as object)];
  expect([...new Set(names)].toSorted()).toEqual([
    '_destroy',
    '_final',
    '_read',
    'close',
    'constructor',
    'emit',
    'end',
    'ping',
    'pipe',
    'read',
    'send',
    'unpipe',
    'write',
    'writeEnd',
    'writeHead',
  ]);
});

test('what a Server has beside a Writable', () => {
  expect(ownNames(websockets.Server.prototype)).toEqual([
    '_write',
    'broadcast',
    'constructor',
    'destroy',
    'end',
    'listen',
    'write',
  ]);
  const own = Object.keys(new websockets.Server()).filter((name) => !name.startsWith('_'));
  expect(own).toEqual(expect.arrayContaining(['core', 'mask', 'maxConnections', 'sockets', 'timeout', 'url']));
});
