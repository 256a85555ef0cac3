import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from '@jest/globals';
import { WebSocket as Connection } from '@ws/connection';
import * as api from '../src/index.js';
import { ConnectError, DeflateError, HandshakeError, ProtocolError, WebSocket } from '../src/index.js';
import type { BinaryType, ClientOptions, CloseInfo, CreateConnection, RawData, WebSocketEvents } from '../src/index.js';
import { opened, wsServer } from './peers.js';

test('public names', () => {
  expect(Object.keys(api).sort()).toEqual([
    'ClosedError',
    'ConnectError',
    'DeflateError',
    'GuardError',
    'HandshakeError',
    'Incoming',
    'MemoryBudget',
    'MessageError',
    'Meter',
    'Outgoing',
    'PreparedMessage',
    'ProtocolError',
    'WebSocket',
    'WebSocketError',
    'WebSocketStream',
    'createWebSocketStream',
    'isPeerFault',
  ]);
  expect(Object.getOwnPropertyNames(WebSocket.prototype).sort()).toEqual(['abortConnecting', 'constructor', 'url']);
  expect(Object.getPrototypeOf(WebSocket)).toBe(Connection);
  for (const type of [ConnectError, DeflateError, HandshakeError, ProtocolError])
    expect(type.prototype).toBeInstanceOf(Error);
});

test('WS-056 the constants, on the class and on instances', () => {
  const { CONNECTING, OPEN, CLOSING, CLOSED } = WebSocket;
  expect([CONNECTING, OPEN, CLOSING, CLOSED]).toEqual([0, 1, 2, 3]);
  const socket = new WebSocket(null);
  expect([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED]).toEqual([0, 1, 2, 3]);
});

test('the types: what people wrote for @types/ws is accepted, what cannot work is not', async () => {
  const { url } = await wsServer();
  const options: ClientOptions = { headers: { a: 'b' }, rejectUnauthorized: false, family: 4, maxPayload: 1 };
  const createConnection: CreateConnection = () => undefined;
  const made = (): unknown[] => [
    new WebSocket(url, 'p', options),
    new WebSocket(new URL(url), { createConnection }),
    new WebSocket(url, { createConnection: connectTcp }),
    new WebSocket(url, { createConnection: connectTls }),
    new WebSocket(url, { perMessageDeflate: { threshold: 1, zlibDeflateOptions: { level: 6 }, concurrencyLimit: 1 } }),
    new WebSocket<{ name: string }>(url, []).data.name,
    // @ts-expect-error: no such option
    new WebSocket(url, { reconnect: true }),
    // @ts-expect-error: the request is always a GET
    new WebSocket(url, { method: 'POST' }),
    // @ts-expect-error: versions are numbers
    new WebSocket(url, { protocolVersion: '13' }),
    // @ts-expect-error: no address
    new WebSocket(),
  ];
  expect(made).toBeInstanceOf(Function);
  const socket = await opened(new WebSocket(url));
  const binaryType: BinaryType = socket.binaryType;
  expect(binaryType).toBe('nodebuffer');
  socket.on('message', (data: RawData, isBinary: boolean) => void [data, isBinary]);
  socket.on('close', (code: number, reason: Buffer, info: CloseInfo) => void [code, reason, info]);
  const names: (keyof WebSocketEvents)[] = ['upgrade', 'redirect', 'unexpected-response'];
  for (const name of names) expect(socket.listenerCount(name)).toBe(0);
});
