import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import * as connection from '../src/index.js';
import * as protocol from '../src/protocol/index.js';

const folder = new URL('..', import.meta.url);
const run = (...args: string[]): string =>
  execFileSync(process.execPath, ['--no-warnings', ...args], { cwd: folder, encoding: 'utf8' });

test('the public names', () => {
  expect(Object.keys(connection).sort()).toEqual([
    'ClosedError',
    'GuardError',
    'Incoming',
    'MemoryBudget',
    'MessageError',
    'MessageWriter',
    'Meter',
    'Outgoing',
    'PreparedMessage',
    'WebSocket',
    'WheelEntry',
    'WheelTimer',
    'channels',
    'checkConnectionOptions',
    'createPair',
    'createWebSocketStream',
    'isPeerFault',
    'kClosed',
    'kEnd',
    'kJoin',
    'kObserver',
    'kPace',
    'kPlace',
    'kStats',
    'lendFirstRead',
    'listenerRejected',
    'makeReplaceable',
    'sharedTimers',
  ]);
  expect(Object.keys(protocol).sort()).toEqual(['GuardError', 'MessageError', 'NO_GUARDS', 'Protocol']);
});

test('the public members of WebSocket', () => {
  const names: string[] = [];
  let part: object = connection.WebSocket.prototype;
  for (; part !== EventEmitter.prototype; part = Object.getPrototypeOf(part) as object)
    names.push(...Object.getOwnPropertyNames(part));
  const members =
    'CLOSED CLOSING CONNECTING OPEN abortConnecting addEventListener binaryType bufferedAmount bytesReceived bytesSent close closed constructor createOutgoing duplex extensions failConnecting ' +
    'incoming isPaused latency limits messages messagesReceived messagesSent offer onclose onerror onmessage onopen pause ping pong protocol readyState remoteAddress removeEventListener requestedProtocols resume send sendStream ' +
    'setSocket stats terminate url';
  expect([...new Set(names)].sort()).toEqual(members.split(' '));
  const { length, name, prototype, ...statics } = Object.getOwnPropertyDescriptors<object>(
    connection.WebSocket,
  ) as Record<string, PropertyDescriptor>;
  expect([length?.value, name?.value, prototype?.writable]).toEqual([3, 'WebSocket', false]);
  expect(Object.keys(statics).sort()).toEqual(['CLOSED', 'CLOSING', 'CONNECTING', 'OPEN', 'from']);
});

test('import and require give the same class, from both entries', () => {
  const code = `
    import { WebSocket } from '@ws/connection';
    import { Protocol } from '@ws/connection/protocol';
    import { createRequire } from 'node:module';
    const require = createRequire(process.cwd() + '/x.js');
    console.log(WebSocket === require('@ws/connection').WebSocket, Protocol === require('@ws/connection/protocol').Protocol);`;
  expect(run('--input-type=module', '-e', code)).toBe('true true\n');
  expect(createRequire(import.meta.url).resolve('@ws/connection/protocol')).toContain('dist');
});

test("the README's example prints what the README says", () => {
  const readme = readFileSync(new URL('README.md', folder), 'utf8');
  const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  expect(example.split('\n').length).toBeLessThanOrEqual(15);
  expect(run('--input-type=module', '-e', example)).toBe('hello\n1000 done\n');
});

const size = statSync(new URL('package.json', folder)).size;

test.each([
  { section: 'Reading in a loop', prints: 'one\n<Buffer 74 77 6f>\nthe end\n' },
  { section: 'A socket as a Duplex', prints: 'through the pipe\nclosed\n' },
  { section: 'Messages as streams: receiving', prints: 'hello\n3250179e\n' },
  { section: 'Messages as streams: sending', prints: `false 11\nfalse 9\nfalse 16\ntrue ${size}\n` },
])("the README's example of $section prints what it says", ({ section, prints }) => {
  const text = readFileSync(new URL('README.md', folder), 'utf8').split(`\n## ${section}\n`)[1] ?? '';
  expect(run('--input-type=module', '-e', /```js\n([\s\S]*?)```/.exec(text)?.[1] ?? '')).toBe(prints);
});
