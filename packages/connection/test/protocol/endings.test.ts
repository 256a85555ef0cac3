import { expect, test } from '@jest/globals';
import { encodeClosePayload, Opcode } from '@ws/frame';
import { hex } from '@ws/testing';
import { GuardError, NO_GUARDS, type Extension, type Failure, type Guards } from '../../src/protocol/index.js';
import { Core, joined, masked, type CoreOptions } from './core.js';
import { pass } from './passing.js';

interface Ending {
  readonly way: string;
  readonly guards?: Partial<Guards>;
  readonly options?: CoreOptions;
  readonly act: (core: Core) => void;
  /** Who, for what, and the Close frames of both. */
  readonly is: readonly [initiator: string, error: string | null, sent: number | null, received: number | null];
}

const receive =
  (...bytes: Uint8Array[]) =>
  (core: Core): void =>
    core.protocol.receive(joined(...bytes));
const waits =
  (ms: number, ...bytes: Uint8Array[]) =>
  (core: Core): void => {
    for (const each of bytes) core.protocol.receive(each);
    pass(core, ms);
  };
const close = (code: number, reason = ''): Uint8Array => masked(Opcode.Close, encodeClosePayload(code, reason));
const unfinished = masked(Opcode.Text, 'x', { fin: false });

/** An extension that fails in each direction. */
function failing(closeCode: number): Extension {
  const error: Failure = Object.assign(new Error('broken'), { code: 'BROKEN', closeCode });
  return {
    name: 'failing',
    rsv: 0,
    encode: (_payload, _fragment, done) => done(error, new Uint8Array(), 0),
    decode: (_slice, _piece, _output, done) => done(error),
  };
}

/** Every way. What is not clean is told as the first cause, and not as what came of it. */
const ENDINGS: readonly Ending[] = [
  {
    way: 'we close, the peer answers',
    act: (core) => {
      core.protocol.close(1000);
      core.protocol.receive(close(1000));
    },
    is: ['local', null, 1000, 1000],
  },
  { way: 'the peer closes', act: receive(close(4000)), is: ['remote', null, 4000, 4000] },
  {
    way: 'both at once',
    act: (core) => {
      core.protocol.close(4001);
      core.protocol.receive(close(4002));
    },
    is: ['local', null, 4001, 4002],
  },
  {
    way: 'we close, nobody answers',
    act: (core) => {
      core.protocol.close(1000);
      pass(core, 1000);
    },
    is: ['timeout', null, 1000, null],
  },
  {
    way: 'we close, and only TCP ends',
    act: (core) => {
      core.protocol.close(1000);
      core.protocol.inputEnd();
    },
    is: ['local', null, 1000, null],
  },
  { way: 'we cut it', act: (core) => core.protocol.stop('local'), is: ['local', null, null, null] },
  {
    way: 'TCP ends, without a Close frame',
    act: (core) => core.protocol.inputEnd(),
    is: ['transport', null, null, null],
  },
  { way: 'TCP breaks', act: () => undefined, is: ['transport', null, null, null] },
  {
    way: 'we shut down, the peer answers',
    act: (core) => {
      core.protocol.close(1001, '', 'shutdown');
      core.protocol.receive(close(1001));
    },
    is: ['shutdown', null, 1001, 1001],
  },
  {
    way: 'we shut down, nobody answers',
    act: (core) => {
      core.protocol.close(1001, '', 'shutdown');
      pass(core, 1000);
    },
    is: ['shutdown', null, 1001, null],
  },
  { way: 'a message is given up', act: abandoned, is: ['local', null, 1011, null] },
  {
    way: 'a message is given up, behind which we close for a reason',
    act: (core) => abandoned(core, () => core.protocol.close(4000)),
    is: ['local', null, 4000, null],
  },
  {
    way: 'a message is given up, behind which we close: it must not pass for a whole one',
    act: (core) => abandoned(core, () => core.protocol.close(1000)),
    is: ['local', null, 1011, null],
  },

  {
    way: 'a reserved opcode',
    act: receive(hex`83 80 00000000`),
    is: ['protocol', 'WS_ERR_INVALID_OPCODE', 1002, null],
  },
  { way: 'no mask', act: receive(hex`81 00`), is: ['protocol', 'WS_ERR_EXPECTED_MASK', 1002, null] },
  { way: 'no UTF-8', act: receive(masked(Opcode.Text, hex`ff`)), is: ['protocol', 'WS_ERR_INVALID_UTF8', 1007, null] },
  {
    way: 'a close code that may not travel',
    act: receive(masked(Opcode.Close, hex`03ed`)),
    is: ['protocol', 'WS_ERR_INVALID_CLOSE_CODE', 1002, null],
  },
  {
    way: 'an offence behind our Close frame',
    act: (core) => {
      core.protocol.close(1000);
      core.protocol.receive(hex`83 80`);
    },
    is: ['local', 'WS_ERR_INVALID_OPCODE', 1000, null],
  },
  {
    way: 'an offence, and nobody ends TCP',
    act: (core) => {
      core.protocol.receive(hex`83 80`);
      pass(core, 1000);
    },
    is: ['protocol', 'WS_ERR_INVALID_OPCODE', 1002, null],
  },
  {
    way: 'bytes that an extension cannot decode',
    options: { extensions: [failing(1007)] },
    act: receive(masked(Opcode.Text, 'x')),
    is: ['protocol', 'BROKEN', 1007, null],
  },
  {
    way: 'an extension that cannot encode',
    options: { extensions: [failing(1011)] },
    act: (core) => core.protocol.send('x', true, true, undefined, undefined),
    is: ['local', 'BROKEN', 1011, null],
  },

  {
    way: 'maxPayload',
    options: { limits: { maxPayload: 1 } },
    act: receive(masked(Opcode.Text, 'xx')),
    is: ['limit', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009, null],
  },
  {
    way: 'more than can be counted',
    act: receive(hex`82 ff 8000000000000000 00000000`),
    is: ['limit', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', 1009, null],
  },
  {
    way: 'too much inflated',
    options: { extensions: [failing(1009)] },
    act: receive(masked(Opcode.Text, 'x')),
    is: ['limit', 'BROKEN', 1009, null],
  },
  {
    way: 'maxFragments',
    options: { limits: { maxFragments: 1 } },
    act: receive(unfinished, masked(Opcode.Continuation, 'x')),
    is: ['limit', 'WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008, null],
  },
  {
    way: 'maxBufferedChunks',
    options: { limits: { maxBufferedChunks: 1 } },
    act: (core) => {
      for (const byte of masked(Opcode.Text, 'xxxx')) core.protocol.receive(Uint8Array.of(byte));
    },
    is: ['limit', 'WS_ERR_TOO_MANY_BUFFERED_PARTS', 1008, null],
  },
  {
    way: 'a slow consumer',
    act: (core) =>
      core.protocol.cut(Object.assign(new Error('slow'), { code: 'WS_ERR_SLOW_CONSUMER', closeCode: 1013 })),
    is: ['limit', 'WS_ERR_SLOW_CONSUMER', null, null],
  },
  {
    way: 'memoryLimit, told',
    act: (core) => core.protocol.fail(new GuardError('WS_ERR_MEMORY_LIMIT')),
    is: ['limit', 'WS_ERR_MEMORY_LIMIT', 1013, null],
  },
  {
    way: 'memoryLimit, cut',
    act: (core) => core.protocol.cut(new GuardError('WS_ERR_MEMORY_LIMIT')),
    is: ['limit', 'WS_ERR_MEMORY_LIMIT', null, null],
  },
  {
    way: 'rateLimit',
    guards: { messageRate: { rate: 1, burst: 1, closes: true } },
    act: receive(masked(Opcode.Ping, ''), masked(Opcode.Ping, '')),
    is: ['limit', 'WS_ERR_RATE_LIMIT', 1008, null],
  },
  {
    way: 'maxLifetime',
    guards: { maxLifetimeMs: 10 },
    act: waits(10),
    is: ['limit', 'WS_ERR_MAX_LIFETIME', 1001, null],
  },
  {
    way: 'maxLifetime, and the peer answers',
    guards: { maxLifetimeMs: 10 },
    act: (core) => {
      pass(core, 10);
      core.protocol.receive(close(1001));
    },
    is: ['limit', 'WS_ERR_MAX_LIFETIME', 1001, 1001],
  },

  {
    way: 'heartbeat',
    guards: { heartbeat: { intervalMs: 10, timeoutMs: 10 } },
    act: waits(20),
    is: ['timeout', 'WS_ERR_HEARTBEAT_TIMEOUT', null, null],
  },
  {
    way: 'idleTimeout',
    guards: { idleTimeoutMs: 10 },
    act: waits(10),
    is: ['timeout', 'WS_ERR_IDLE_TIMEOUT', 1001, null],
  },
  {
    way: 'idleTimeout, and then an offence',
    guards: { idleTimeoutMs: 10 },
    act: (core) => {
      pass(core, 10);
      core.protocol.receive(hex`83 80 00000000`);
    },
    is: ['timeout', 'WS_ERR_IDLE_TIMEOUT', 1001, null],
  },
  {
    way: 'idleTimeout, and nobody answers',
    guards: { idleTimeoutMs: 10 },
    act: waits(1100),
    is: ['timeout', 'WS_ERR_IDLE_TIMEOUT', 1001, null],
  },
  {
    way: 'messageTimeout',
    guards: { messageTimeoutMs: 10 },
    act: waits(10, unfinished),
    is: ['timeout', 'WS_ERR_MESSAGE_TIMEOUT', 1008, null],
  },
  {
    way: 'minProgressRate',
    guards: { minProgressRate: 1 },
    act: waits(5000, unfinished),
    is: ['timeout', 'WS_ERR_PROGRESS_RATE', 1008, null],
  },
];

function abandoned(core: Core, before?: () => void): void {
  const message = core.protocol.sender.openMessage({ ready: () => undefined, cut: () => undefined });
  message.open();
  message.fragment(
    new Uint8Array(1),
    { opcode: Opcode.Binary, fin: false, compress: undefined, length: undefined, callback: undefined },
    () => undefined,
  );
  before?.();
  message.giveUp();
}

test.each(ENDINGS)('$way: $is.0', ({ guards, options, act, is }) => {
  const core = new Core({ closeTimeoutMs: 1000, ...options, guards: { ...NO_GUARDS, ...guards } });
  act(core);
  core.protocol.transportEnd();
  const { initiator, error, sent, received } = core.protocol.closing;
  expect([initiator, error?.code ?? null, sent?.code ?? null, received?.code ?? null]).toEqual(is);
  pass(core, 1_000_000);
  expect(core.protocol.nextDeadline()).toBeUndefined();
});

test('an extension fails inside a message while our Close frame waits for its end: nothing takes the place of that end', () => {
  const error: Failure = Object.assign(new Error('broken'), { code: 'BROKEN', closeCode: 1011 });
  let calls = 0;
  const failsOnce: Extension = {
    name: 'fails once',
    rsv: 0,
    encode: (payload, _fragment, done) => done(++calls === 2 ? error : null, payload, 0),
    decode: (_slice, _piece, _output, done) => done(null),
  };
  const core = new Core({ extensions: [failsOnce] });
  const message = core.protocol.sender.openMessage({ ready: () => undefined, cut: () => undefined });
  const step = { opcode: Opcode.Text, compress: undefined, length: undefined, callback: undefined } as const;
  message.open();
  message.fragment(Buffer.from('a'), { ...step, fin: false }, () => undefined);
  core.protocol.send('another one', true, true, undefined, undefined);
  core.protocol.close(1000);
  core.protocol.receive(close(1000));
  message.fragment(Buffer.from('b'), { ...step, fin: true }, () => undefined);
  expect(core.take().map(([first]) => first)).toEqual([Opcode.Text, 0x80 | Opcode.Close]);
  expect(core.protocol.closing.sent?.code).toBe(1011);
  expect(core.protocol.closing.error).toBe(error);
});
