import { isUtf8 } from 'node:buffer';
import { describe, expect, test } from '@jest/globals';
import { encodeFrame, Opcode } from '@ws/frame';
import { everySplit, hex } from '@ws/testing';
import fc from 'fast-check';
import type { MessageSink } from '../../src/protocol/index.js';
import { Core, joined, masked, type CoreOptions } from './core.js';
import { latin1, part, streaming, told } from './sink.js';

const { Continuation, Text, Binary, Ping, Close } = Opcode;

const MESSAGES: { name: string; wire: Uint8Array; happened: unknown[][] }[] = [
  {
    name: 'empty',
    wire: masked(Binary, ''),
    happened: [
      ['incoming', false, 0],
      ['end', ''],
    ],
  },
  {
    name: 'text in one frame',
    wire: masked(Text, 'h€llo'),
    happened: [
      ['incoming', true, 7],
      ['end', latin1('h€llo')],
    ],
  },
  {
    name: 'fragments with a ping in between, §5.4',
    wire: joined(part(Text, 'Hel'), masked(Ping, 'p'), part(Continuation, ''), part(Continuation, 'lo', true)),
    happened: [
      ['incoming', true, undefined],
      ['ping', 'p'],
      ['end', 'Hello'],
    ],
  },
  {
    name: 'a code point across fragments, then another message',
    wire: joined(part(Text, hex`f0 9f`), part(Continuation, hex`98 80`, true), masked(Binary, hex`00 ff`)),
    happened: [
      ['incoming', true, undefined],
      ['end', latin1('😀')],
      ['incoming', false, 2],
      ['end', '\x00\xff'],
    ],
  },
  {
    name: "the peer's Close in mid-message",
    wire: joined(part(Binary, 'ab'), masked(Close, hex`03 e8`), part(Continuation, 'cd', true)),
    happened: [
      ['incoming', false, undefined],
      ['abort', null],
      ['closing', 1000, '', 'remote'],
    ],
  },
];

test.each(MESSAGES)('$name: the same however it is cut', ({ wire, happened }) => {
  for (const validator of [undefined, isUtf8]) {
    for (const chunks of everySplit(wire)) {
      const { core } = streaming({ isUtf8: validator });
      for (const chunk of chunks) core.protocol.receive(chunk);
      expect(core.happened).toEqual(happened);
    }
  }
});

// `own`: the message itself is the offence, and aborted with it.
const FAULTS: { name: string; wire: Uint8Array; code: string; own: boolean; options?: CoreOptions }[] = [
  { name: 'invalid UTF-8', wire: masked(Text, hex`61 c0 80`), code: 'WS_ERR_INVALID_UTF8', own: true },
  { name: 'unfinished UTF-8', wire: masked(Text, hex`61 e2 82`), code: 'WS_ERR_INVALID_UTF8', own: true },
  {
    name: 'invalid UTF-8 in a later fragment',
    wire: joined(part(Text, 'a'), part(Continuation, hex`ff`)),
    code: 'WS_ERR_INVALID_UTF8',
    own: true,
  },
  {
    name: 'fragments over maxPayload',
    wire: joined(part(Binary, 'abcdef'), part(Continuation, 'ghijk')),
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    own: true,
    options: { limits: { maxPayload: 10 } },
  },
  {
    name: 'too many fragments',
    wire: joined(part(Binary, ''), part(Continuation, ''), part(Continuation, '')),
    code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    own: true,
    options: { limits: { maxFragments: 2 } },
  },
  {
    name: 'a message inside the message',
    wire: joined(part(Text, 'a'), masked(Text, 'b')),
    code: 'WS_ERR_INVALID_OPCODE',
    own: false,
  },
  {
    name: 'a reserved opcode behind a fragment',
    wire: joined(part(Text, 'a'), hex`83 80 00000000`),
    code: 'WS_ERR_INVALID_OPCODE',
    own: false,
  },
  {
    name: 'a bad Close frame behind a fragment',
    wire: joined(part(Text, 'a'), masked(Close, hex`03`)),
    code: 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH',
    own: false,
  },
];

test.each(FAULTS)('$name: $code ends the message once, however it is cut', ({ wire, code, own, options }) => {
  for (const chunks of everySplit(wire)) {
    const { core } = streaming(options);
    for (const chunk of chunks) core.protocol.receive(chunk);
    const names = core.happened.map(([name]) => name);
    expect(names.filter((name) => name !== 'closing')).toEqual(['incoming', 'abort', 'failure']);
    expect(core.happened).toContainEqual(['abort', own ? code : null]);
    expect(core.happened).toContainEqual(['failure', code]);
  }
});

describe('limits', () => {
  test('a first frame that is announced too long is no message', () => {
    const { core } = streaming({ limits: { maxPayload: 10 } });
    core.protocol.receive(hex`82 8b 00000000`);
    expect(core.happened.map(([name]) => name)).toEqual(['closing', 'failure']);
  });

  test('maxBufferedChunks does not count what is passed on: nothing of it is buffered', () => {
    const { core } = streaming({ limits: { maxBufferedChunks: 2 } });
    core.protocol.receive(hex`82 85 00000000`);
    for (let i = 0; i < 5; i++) core.protocol.receive(hex`01`);
    expect(core.happened.at(-1)).toEqual(['end', '\u0001'.repeat(5)]);
  });

  test('without limits nothing is kept: not a byte is allocated', () => {
    const sizes: number[] = [];
    const { core, sinks } = streaming({ allocate: (n) => (sizes.push(n), new Uint8Array(n)) });
    core.protocol.receive(hex`82 ff 0000000001000000 00000000`);
    const chunk = new Uint8Array(65_536);
    sinks[0]!.onData = () => (sinks[0]!.given = Buffer.alloc(0));
    for (let i = 0; i < 256; i++) core.protocol.receive(chunk);
    expect([sinks[0]!.pieces, core.happened.at(-1), sizes]).toEqual([256, ['end', ''], []]);
  });

  test('UTF-8 fails at the first bad byte, after the good ones were given', () => {
    const { core, sinks } = streaming();
    core.protocol.receive(encodeFrame({ opcode: Text, maskingKey: 0 }, new Uint8Array(100).fill(0x61)).slice(0, 20));
    core.protocol.receive(hex`f4`);
    expect(sinks[0]!.given.length).toBe(15);
    core.protocol.receive(hex`90`);
    expect(core.happened).toContainEqual(['abort', 'WS_ERR_INVALID_UTF8']);
  });
});

describe('who is asked', () => {
  test('answered with undefined, a message is collected as ever', () => {
    for (const chunks of everySplit(joined(part(Text, 'a'), part(Continuation, 'b', true), masked(Text, 'c')))) {
      const core = new Core({ incoming: () => undefined });
      for (const chunk of chunks) core.protocol.receive(chunk);
      expect(core.happened).toEqual([
        ['message', 'ab'],
        ['message', 'c'],
      ]);
    }
  });

  test('nobody, unless streams is set; a change counts from the next message on', () => {
    const { core } = streaming();
    core.protocol.receive(part(Binary, hex`01`));
    core.protocol.streams = false;
    core.protocol.receive(joined(part(Continuation, hex`02`, true), masked(Binary, hex`03`)));
    expect(core.happened.map(([name]) => name)).toEqual(['incoming', 'end', 'message']);
    expect(core.protocol.messagesReceived).toBe(2);
  });

  test('the head says what is known', () => {
    const { core, heads } = streaming();
    core.protocol.receive(masked(Binary, hex`01 02`));
    expect(heads).toEqual([
      {
        isText: false,
        isEncoded: false,
        length: 2,
        header: { fin: true, rsv: 0, opcode: Binary, maskingKey: 0x37fa213d, payloadLength: 2 },
      },
    ]);
  });

  test('bytes are counted, also those that come too late', () => {
    const { core } = streaming();
    const wire = joined(masked(Text, 'a'), masked(Close, ''));
    core.protocol.receive(wire);
    core.protocol.receive(hex`00`);
    expect([core.protocol.bytesReceived, core.protocol.messagesReceived]).toEqual([wire.length + 1, 1]);
  });
});

describe('from inside', () => {
  const ENDINGS: { name: string; end: (core: Core) => void }[] = [
    { name: 'stop', end: (core) => core.protocol.stop('local') },
    { name: 'transportEnd', end: (core) => core.protocol.transportEnd() },
    {
      name: 'the close timeout',
      end: (core) => {
        core.protocol.close();
        core.protocol.handleTimeout(30_000);
      },
    },
  ];

  test.each(ENDINGS)('$name when a message begins: it is aborted, and nothing follows', ({ end }) => {
    for (const wire of [masked(Text, 'abc'), part(Text, 'abc'), masked(Text, 'abc').subarray(0, 7)]) {
      const { core } = streaming({}, (_sink, at) => end(at));
      core.protocol.receive(wire);
      core.protocol.receive(part(Continuation, 'x', true));
      expect(core.happened.filter(([name]) => name !== 'closing')).toEqual([
        ['incoming', true, wire[0] === 0x81 ? 3 : undefined],
        ['abort', null],
      ]);
    }
  });

  test.each(ENDINGS)('$name with the first bytes', ({ end }) => {
    for (const wire of [masked(Text, 'abc'), joined(part(Text, 'a'), part(Continuation, 'b', true))]) {
      const { core } = streaming({}, (sink, at) => (sink.onData = () => end(at)));
      core.protocol.receive(wire);
      expect(core.happened.map(([name]) => name).filter((name) => name !== 'closing')).toEqual(['incoming', 'abort']);
    }
  });

  test('held in mid-message, control frames behind wait too; then all comes in order', () => {
    const { core, sinks } = streaming();
    core.protocol.receive(part(Binary, 'a'));
    sinks[0]!.onData = () => core.protocol.pause('reader');
    core.protocol.receive(joined(part(Continuation, 'b'), masked(Ping, 'p'), part(Continuation, 'c', true)));
    expect([sinks[0]!.given.toString(), core.protocol.isHeld, core.protocol.isBusy]).toEqual(['ab', true, false]);
    sinks[0]!.onData = undefined;
    core.protocol.pause();
    core.protocol.resume('reader');
    expect(sinks[0]!.given.toString()).toBe('ab');
    core.protocol.resume();
    expect(told(core).slice(1)).toEqual([
      ['ping', 'p'],
      ['end', 'abc'],
    ]);
  });
});

const fragment = fc.record({ payload: fc.uint8Array({ maxLength: 40 }), ping: fc.boolean() });
const message = fc.record({ isText: fc.boolean(), fragments: fc.array(fragment, { minLength: 1, maxLength: 5 }) });

test('any messages, cut anywhere, held at any point: whole, in order, or aborted once at the cut', () => {
  const property = fc.property(
    fc.array(message, { maxLength: 6 }),
    fc.infiniteStream(fc.integer({ min: 1, max: 30 })),
    fc.infiniteStream(fc.boolean()),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (messages, sizes, holds, cutAt) => {
      const frames: Uint8Array[] = [];
      const contents: { content: string; endsAt: number; startsAt: number }[] = [];
      let wireLength = 0;
      for (const { isText, fragments } of messages) {
        const startsAt = wireLength;
        fragments.forEach(({ payload, ping }, i) => {
          const bytes = isText ? payload.map((byte) => byte & 0x7f) : payload;
          const frame = part(i === 0 ? (isText ? Text : Binary) : Continuation, bytes, i === fragments.length - 1);
          const both = ping ? [masked(Ping, 'p'), frame] : [frame];
          frames.push(...both);
          wireLength += joined(...both).length;
        });
        const content = Buffer.concat(
          fragments.map(({ payload }) => Buffer.from(isText ? payload.map((byte) => byte & 0x7f) : payload)),
        ).toString('latin1');
        contents.push({ content, startsAt, endsAt: wireLength });
      }
      const wire = joined(...frames);
      const cut = Math.floor(cutAt * (wire.length + 1));
      const { core, sinks } = streaming({}, (sink, at) => {
        sink.onData = () => {
          if (holds.next().value) at.protocol.pause('reader');
        };
      });
      for (let at = 0; at < cut;) {
        const size = Math.min(sizes.next().value, cut - at);
        core.protocol.receive(wire.slice(at, at + size));
        at += size;
        while (core.protocol.isHeld) core.protocol.resume('reader');
      }
      core.protocol.transportEnd();
      const ends = core.happened.filter(([name]) => name === 'end' || name === 'abort');
      expect(ends.filter(([name]) => name === 'end').map(([, content]) => content)).toEqual(
        contents.filter(({ endsAt }) => endsAt <= cut).map(({ content }) => content),
      );
      expect(ends).toHaveLength(sinks.length); // each exactly once
      expect(ends.slice(0, -1).every(([name]) => name === 'end')).toBe(true);
      const last = sinks.at(-1);
      if (last) expect(contents[sinks.length - 1]!.content.startsWith(last.given.toString('latin1'))).toBe(true);
    },
  );
  fc.assert(property, { numRuns: 200 });
});

test('nothing that a sink throws stops anything', () => {
  const thrown: unknown[] = [];
  const queue = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (task) => {
    try {
      task();
    } catch (error) {
      thrown.push((error as Error).message);
    }
  };
  const thrower = (text: string) => (): never => {
    throw new Error(text);
  };
  const sink: MessageSink = {
    isFull: false,
    whenRoom: () => undefined,
    data: thrower('data'),
    end: thrower('end'),
    abort: thrower('abort'),
  };
  try {
    let count = 0;
    const core = new Core({ incoming: () => (count++ === 0 ? thrower('incoming')() : sink) });
    core.protocol.receive(joined(masked(Text, 'a'), masked(Text, 'b'), part(Text, 'c'), masked(Ping, 'p')));
    core.protocol.stop();
    expect(core.happened).toEqual([
      ['message', 'a'],
      ['ping', 'p'],
    ]);
  } finally {
    globalThis.queueMicrotask = queue;
  }
  expect(thrown).toEqual(['incoming', 'data', 'end', 'data', 'abort']);
});
