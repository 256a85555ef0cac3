import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import { MemoryBudget, WebSocket, WebSocketServer, type ServerOptions } from '../src/index.js';
import { manage, start } from './support.js';

class MySocket extends WebSocket {}

/** As a caller without types would: whatever it is. */
const make = (options: unknown): WebSocketServer => new WebSocketServer(options as ServerOptions);

const FLAGS = [
  'noServer',
  'clientTracking',
  'requireProtocol',
  'draft08',
  'allowSynchronousEvents',
  'autoPong',
  'skipUTF8Validation',
  'strictLength',
] as const;
const LIMITS = [
  'maxPayload',
  'maxFragments',
  'maxBufferedChunks',
  'memoryLimit',
  'minProgressRate',
  'maxConnections',
  'maxConnectionsPerAddress',
  'maxPending',
  'maxHeaderSize',
  'maxHeaderCount',
] as const;
const DURATIONS = ['handshakeTimeout', 'closeTimeout', 'idleTimeout', 'maxLifetime', 'messageTimeout'] as const;

/** Not of the type at all: TypeError. */
const WRONG_TYPE: Record<keyof ServerOptions, readonly unknown[]> = {
  port: [true, {}, 'http', '', [80]],
  host: [80, {}, true],
  backlog: ['5', {}, true],
  server: [{}, 'http', () => {}, { on() {} }],
  noServer: [1, 'yes'],
  path: [1, {}, /chat/],
  unservedPath: ['404', true],
  clientTracking: [1, 'no'],
  verifyClient: [true, {}, 'x'],
  origins: [true, 5, {}, [1], ['https://a.example', null]],
  handleProtocols: [true, [], 'x'],
  protocols: ['chat', {}, [1], new Set(['a'])],
  protocolPreference: [1, true],
  requireProtocol: [1],
  handshakeTimeout: ['10', true, {}],
  maxConnections: ['1', true],
  maxConnectionsPerAddress: ['1', true],
  maxPending: ['1', true],
  trustProxy: ['1', true, ['10.0.0.1']],
  allowedHosts: ['localhost', true, [1], {}],
  maxHeaderSize: ['1', true],
  maxHeaderCount: ['1', true],
  draft08: [8],
  perMessageDeflate: [1, 'yes', [{}]],
  WebSocket: [{}, 'WebSocket', Object, EventTarget, () => {}],
  maxPayload: ['1', true, 1n],
  maxFragments: ['1', true, []],
  maxBufferedChunks: ['1', true, {}],
  allowSynchronousEvents: [0],
  autoPong: [0],
  closeTimeout: ['1', true],
  skipUTF8Validation: ['x'],
  strictLength: [1],
  highWaterMark: ['1', true, {}],
  incoming: [true, 1, {}],
  Incoming: [{}, 'Incoming', Object, EventTarget, () => {}],
  streamThreshold: ['1', true, {}],
  fragmentSize: ['1', true, {}],
  maxDeclaredFrame: ['1', true, {}],
  slowConsumer: [true, 'close', 1],
  heartbeat: [true, 1],
  idleTimeout: ['1', true],
  maxLifetime: ['1', true],
  messageTimeout: ['1', true],
  minProgressRate: ['1', true],
  memoryLimit: ['1', true, {}, { limit: 1 }],
  rateLimit: [true, 1],
};

/** Of the type, and yet not possible: RangeError. */
const OUT_OF_RANGE: { readonly [Name in keyof ServerOptions]: readonly unknown[] } = {
  port: [-1, 65_536, 1.5, NaN, '70000'],
  backlog: [-1, 1.5],
  path: ['chat', '/a?b', '/a#b', '*'],
  unservedPath: [200, 401, NaN],
  origins: [
    'none',
    'https://app.example.com',
    ['app.example.com'],
    ['https://a.example/'],
    ['https://a.example', '*'],
    ['null'],
  ],
  protocols: [['a b'], [''], ['a', 'a'], ['a,b']],
  protocolPreference: ['both'],
  trustProxy: [-1, 1.5, NaN],
  allowedHosts: [['https://example.com'], ['*'], ['localhost', '']],
  ...Object.fromEntries(LIMITS.map((name) => [name, [-1, 1.5, NaN, 2 ** 53]])),
  ...Object.fromEntries(DURATIONS.map((name) => [name, [-1, 1.5, NaN, 2 ** 31]])),
  highWaterMark: [-1, 1.5, NaN],
  incoming: ['streams', ''],
  streamThreshold: [-1, 1.5, NaN],
  fragmentSize: [-1, 1.5, NaN],
  maxDeclaredFrame: [-1, 1.5, NaN],
};

const cases = (table: object): [name: string, value: unknown][] =>
  Object.entries(table).flatMap(([name, values]) =>
    (values as unknown[]).map((value): [string, unknown] => [name, value]),
  );

test.each(cases(WRONG_TYPE))('a TypeError names %s: %p', (name, value) => {
  const act = (): unknown => make({ noServer: true, [name]: value });
  expect(act).toThrow(TypeError);
  expect(act).toThrow(`${name} is `);
});

test.each(cases(OUT_OF_RANGE))('a RangeError names %s: %p', (name, value) => {
  const act = (): unknown => make({ noServer: true, [name]: value });
  expect(act).toThrow(RangeError);
  expect(act).toThrow(`${name} is `);
});

test.each<[object, string]>([
  [{ heartbeat: { interval: '1' } }, 'TypeError: heartbeat.interval is "1"'],
  [{ heartbeat: { timeout: -1 } }, 'RangeError: heartbeat.timeout is -1'],
  [{ rateLimit: { messages: 1 } }, 'TypeError: rateLimit.messages is 1'],
  [{ rateLimit: { bytes: { rate: '1' } } }, 'TypeError: rateLimit.bytes.rate is "1"'],
  [{ rateLimit: { handshakes: { rate: 1, burst: 0 } } }, 'RangeError: rateLimit.handshakes.burst is 0'],
  [{ rateLimit: { exceeded: 'drop' } }, 'RangeError: rateLimit.exceeded is "drop"'],
  [{ heartbeat: { interval: 1.5 } }, 'RangeError: heartbeat.interval is 1.5'],
  [{ rateLimit: { messages: {} } }, 'TypeError: rateLimit.messages.rate is undefined, expected a positive number'],
  [{ rateLimit: { bytes: { burst: 2 } } }, 'TypeError: rateLimit.bytes.rate is undefined'],
  [{ rateLimit: { handshakes: {} } }, 'TypeError: rateLimit.handshakes.rate is undefined'],
  [{ rateLimit: { handshakes: { burst: 2 } } }, 'TypeError: rateLimit.handshakes.rate is undefined'],
  [
    { rateLimit: { handshakes: { rate: 1, exceeded: 'close' } } },
    'TypeError: rateLimit.handshakes.exceeded is not an option; there are rate, burst',
  ],
  [{ rateLimit: { messages: { rate: 1, brust: 5 } } }, 'TypeError: rateLimit.messages.brust is not an option'],
  [{ rateLimit: { handshake: { rate: 1 } } }, 'TypeError: rateLimit.handshake is not an option'],
  [{ heartbeat: { intervall: 1 } }, 'TypeError: heartbeat.intervall is not an option; there are interval, timeout'],
  [{ slowConsumer: { maxQueue: 1 } }, 'TypeError: slowConsumer.maxQueue is not an option'],
])('%j is an error', (options, message) => {
  let thrown: unknown;
  try {
    make({ noServer: true, ...options });
  } catch (error) {
    thrown = error;
  }
  expect(String(thrown)).toContain(message);
});

test.each<[object, string]>([
  [{ limit: -1 }, 'RangeError: slowConsumer.limit is -1, expected a non-negative integer'],
  [{ limit: '1' }, 'TypeError: slowConsumer.limit is "1", expected a non-negative integer'],
  [{ highWaterMark: NaN }, 'RangeError: slowConsumer.highWaterMark is NaN, expected a non-negative integer'],
  [{ policy: 'x' }, 'RangeError: slowConsumer.policy is "x", expected "close" or "drop-newest" or "drop-oldest" or'],
  [{ policy: 1 }, 'TypeError: slowConsumer.policy is 1, expected "close" or'],
])('what is wrong in slowConsumer is named: %p', (slowConsumer, message) => {
  let thrown: unknown;
  try {
    make({ noServer: true, slowConsumer });
  } catch (error) {
    thrown = error;
  }
  expect(String(thrown)).toContain(message);
});

test('what is in an object may be switched off alone', () => {
  const slowConsumer = { limit: false, highWaterMark: false } as const;
  const rateLimit = { messages: false, bytes: { rate: 1 } } as const;
  expect(make({ noServer: true, slowConsumer, rateLimit }).options).toMatchObject({ slowConsumer, rateLimit });
});

test('a message shows the value and what was expected, and nothing of an object', () => {
  expect(() => make({ noServer: true, maxPayload: -1 })).toThrow(
    'maxPayload is -1, expected a non-negative integer or false',
  );
  expect(() => make({ noServer: true, host: { password: 'secret' } })).toThrow('host is an object, expected a string');
  expect(() => make({ noServer: true, path: 'x'.repeat(1e6) })).toThrow(`path is "${'x'.repeat(64)}…", expected`);
});

test('WS-001 exactly one of port, server and noServer', () => {
  const server = createServer();
  const both = 'exactly one of the options "port", "server" and "noServer" must be given';
  for (const options of [
    undefined,
    null,
    {},
    { noServer: false },
    { port: 0, server },
    { port: 0, noServer: true },
    { server, noServer: true },
  ]) {
    expect(() => make(options)).toThrow(new TypeError(both));
  }
  expect(server.listenerCount('upgrade')).toBe(0);
});

/** Those of the negotiation, of the codec and of zlib: none waits for the first client. */
const BAD_DEFLATE: [perMessageDeflate: object, message: string][] = [
  [{ serverMaxWindowBits: 7 }, 'serverMaxWindowBits is 7, expected 8 to 15 or false'],
  [{ clientMaxWindowBits: 16 }, 'clientMaxWindowBits is 16, expected 8 to 15 or a boolean'],
  [{ serverNoContextTakeover: 1 }, 'serverNoContextTakeover is 1'],
  [{ clientNoContextTakeover: 'no' }, 'clientNoContextTakeover is "no"'],
  [{ threshold: -1 }, 'threshold is -1'],
  [{ thresholdMode: 'never' }, 'thresholdMode is "never"'],
  [{ maxRatio: '10' }, 'maxRatio is "10"'],
  [{ zlibDeflateOptions: { level: 10 } }, 'zlibDeflateOptions.level is 10'],
  [{ zlibInflateOptions: 1 }, 'zlibInflateOptions is 1'],
  [{ concurrencyLimit: 0 }, 'concurrencyLimit is 0'],
];

test.each(BAD_DEFLATE)('perMessageDeflate: %j throws at construction', (perMessageDeflate, message) => {
  const act = (): unknown => make({ noServer: true, perMessageDeflate });
  expect(act).toThrow(message);
  expect(act).toThrow(/^\w+(\.\w+)? is .+, expected /);
});

test('the defaults', () => {
  const { options } = make({ noServer: true });
  expect(options).toEqual({
    noServer: true,
    unservedPath: 400,
    clientTracking: true,
    origins: 'same',
    protocolPreference: 'client',
    requireProtocol: false,
    slowConsumer: { limit: 16_777_216, policy: 'close' },
    handshakeTimeout: 10_000,
    heartbeat: { interval: 30_000, timeout: 30_000 },
    messageTimeout: 120_000,
    maxPending: 1024,
    trustProxy: false,
    maxHeaderSize: 16_384,
    maxHeaderCount: 256,
    draft08: false,
    perMessageDeflate: false,
    WebSocket,
    maxPayload: 1_048_576,
    memoryLimit: expect.any(MemoryBudget),
  });
  expect(Object.isFrozen(options)).toBe(true);
});

test('null is the same as left out, a guard is off by false or 0, a port may be digits', async () => {
  const nothing = {
    path: null,
    host: null,
    verifyClient: null,
    handleProtocols: null,
    server: null,
    backlog: null,
    maxPayload: null,
  };
  expect(make({ noServer: true, ...nothing }).options).toEqual(make({ noServer: true }).options);
  for (const off of [0, false, Infinity])
    expect(make({ noServer: true, handshakeTimeout: off }).options.handshakeTimeout).toBe(0);
  expect(make({ noServer: true, origins: false }).options.origins).toBe('any');
  const server = await start({ port: '0' as unknown as number });
  expect(server.address()).toMatchObject({ address: '127.0.0.1' });
});

test('good values are taken', () => {
  const good: ServerOptions = {
    noServer: true,
    path: '/chat',
    unservedPath: 404,
    origins: ['https://app.example.com', 'http://localhost:3000', 'chrome-extension://abcdef'],
    protocols: ['chat', 'v2.chat'],
    trustProxy: (address, hop) => hop === 0 && address === '127.0.0.1',
    allowedHosts: ['localhost', 'localhost:8080', '[::1]', '.example.com'],
    WebSocket: MySocket,
    perMessageDeflate: { serverMaxWindowBits: 9, threshold: 0 },
    ...Object.fromEntries(FLAGS.map((name) => [name, name === 'noServer'])),
    ...Object.fromEntries(LIMITS.map((name) => [name, 7])),
    ...Object.fromEntries(DURATIONS.map((name) => [name, 2 ** 31 - 1])),
  };
  const options = { ...good, memoryLimit: { limit: 7 } };
  expect(manage(new WebSocketServer(good)).options).toMatchObject(options);
  for (const name of [...LIMITS, ...DURATIONS, 'highWaterMark', 'streamThreshold', 'maxDeclaredFrame'] as const)
    for (const off of [false, 0, Infinity]) make({ noServer: true, [name]: off });
  for (const off of [false, 0, Infinity]) make({ noServer: true, slowConsumer: { limit: off, highWaterMark: off } });
  make({ noServer: true, rateLimit: { handshakes: false, exceeded: 'close' } });
  for (const name of LIMITS) expect(make({ noServer: true, [name]: false }).options[name]).toBeFalsy();
  for (const trustProxy of [0, 2, false] as const) make({ noServer: true, trustProxy });
  make({ noServer: true, allowedHosts: false });
  for (const maxPayload of [0, 1, Infinity, Number.MAX_SAFE_INTEGER]) make({ noServer: true, maxPayload });
});

test('a name that is no option of broadcasts and of shutdown() is named', async () => {
  const server = manage(new WebSocketServer({ noServer: true }));
  const misspelt = (options: object) => options;
  expect(() => server.broadcast('x', misspelt({ excpet: null }))).toThrow(
    new TypeError('excpet is not an option; there are binary, compress, except, filter, key, slowConsumer'),
  );
  expect(() => server.broadcast('x', misspelt({ slowConsumer: { limt: 1 } }))).toThrow(
    'slowConsumer.limt is not an option',
  );
  expect(() => server.createBroadcast(misspelt({ stallTimeOut: 1 }))).toThrow('stallTimeOut is not an option');
  for (const [name, value] of [
    ['timeuot', 5],
    ['spread', false],
    ['spread', 0.5],
    ['timeout', 0.5],
  ] as const)
    await expect(server.shutdown(misspelt({ [name]: value }))).rejects.toThrow(`${name} is `);
  await expect(server.shutdown({ timeout: Infinity })).resolves.toMatchObject({ closed: 0, cut: 0 });
});
