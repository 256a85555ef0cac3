import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import ws, * as module from '../../src/nodejs-websocket/index.js';

const own = (object: object): string[] =>
  Object.entries(Object.getOwnPropertyDescriptors(object))
    .filter(([, { enumerable, value }]) => enumerable === false || typeof value !== 'function')
    .map(([name]) => name)
    .sort();

test('the module', () => {
  expect(Object.keys(module).sort()).toEqual([
    'Connection',
    'InStream',
    'OutStream',
    'Server',
    'connect',
    'createServer',
    'default',
    'frame',
    'setBinaryFragmentation',
    'setMaxBufferLength',
  ]);
  expect(Object.keys(ws).sort()).toEqual(
    Object.keys(module)
      .filter((name) => name !== 'default')
      .sort(),
  );
  expect(Object.keys(ws.frame)).toEqual([
    'createTextFrame',
    'createBinaryFrame',
    'createCloseFrame',
    'createPingFrame',
    'createPongFrame',
  ]);
});

test('its classes', () => {
  expect(own(ws.Connection.prototype)).toEqual([
    'CLOSED',
    'CLOSING',
    'CONNECTING',
    'OPEN',
    'beginBinary',
    'close',
    'constructor',
    'readyState',
    'send',
    'sendBinary',
    'sendPing',
    'sendText',
    'webSocket',
  ]);
  expect(own(ws.Connection).filter((name) => !['length', 'name', 'prototype'].includes(name))).toEqual([
    'CLOSED',
    'CLOSING',
    'CONNECTING',
    'OPEN',
    'binaryFragmentation',
    'maxBufferLength',
  ]);
  expect(own(ws.Server.prototype)).toEqual(['close', 'connections', 'constructor', 'listen']);
  expect(own(ws.InStream.prototype)).toEqual(['addData', 'constructor', 'end', 'read']);
  expect(own(ws.OutStream.prototype)).toEqual(['_destroy', '_final', '_write', 'constructor']);
});

test('import and require give the same classes', () => {
  const program = `
    import { createRequire } from 'node:module';
    import ws, { Connection, createServer } from '@ws/compat/nodejs-websocket';
    const required = createRequire(import.meta.url)('@ws/compat/nodejs-websocket');
    const { Server } = required;
    const same = Object.keys(ws).filter((name) => required[name] === ws[name]);
    console.log(same.length === Object.keys(ws).length, required.default === ws, Connection === required.Connection, createServer() instanceof Server);
  `;
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const output = execFileSync(process.execPath, ['--input-type=module', '--eval', program], { cwd, encoding: 'utf8' });
  expect(output).toBe('true true true true\n');
});

test('and run in a program that requires it', () => {
  const program = `
    const ws = require('@ws/compat/nodejs-websocket');
    const server = ws.createServer((conn) => {
      conn.on('text', (text) => conn.sendText(text.toUpperCase() + '!!!'));
    });
    server.listen(0, '127.0.0.1', () => {
      const conn = ws.connect('ws://127.0.0.1:' + server.socket.address().port, () => conn.sendText('hi'));
      conn.on('text', (text) => {
        console.log(text);
        conn.close();
        server.close(() => console.log('closed'));
      });
    });
  `;
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const output = execFileSync(process.execPath, ['--input-type=commonjs', '--eval', program], {
    cwd,
    encoding: 'utf8',
  });
  expect(output).toBe('HI!!!\nclosed\n');
});
