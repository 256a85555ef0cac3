import { describe, expect, test } from '@jest/globals';
import { encodeFrame, Opcode } from '@ws/frame';
import { everySplit, hex } from '@ws/testing';
import fc from 'fast-check';
import { Core, corePair, joined, masked, type CoreOptions } from './core.js';

const { Continuation, Text, Binary, Ping, Pong } = Opcode;
const part = (opcode: Opcode, payload: Uint8Array | string, fin = false): Uint8Array =>
  masked(opcode, payload, { fin });

const MESSAGES: { name: string; wire: Uint8Array; happened: unknown[][]; options?: CoreOptions }[] = [
  { name: 'empty text', wire: masked(Text, ''), happened: [['message', '']] },
  { name: 'empty binary', wire: masked(Binary, ''), happened: [['message', []]] },
  { name: 'text', wire: masked(Text, 'h€llo'), happened: [['message', 'h€llo']] },
  { name: 'binary', wire: masked(Binary, hex`00ff`), happened: [['message', [0, 255]]] },
  {
    name: 'fragments with controls in between, §5.4',
    wire: joined(
      part(Text, 'Hel'),
      masked(Ping, 'p'),
      part(Continuation, 'l'),
      masked(Pong, 'q'),
      part(Continuation, 'o', true),
    ),
    happened: [
      ['ping', 'p'],
      ['pong', 'q'],
      ['message', 'Hello'],
    ],
  },
  {
    name: 'a code point across fragments',
    wire: joined(part(Text, hex`f0 9f`), part(Continuation, hex`98`), part(Continuation, hex`80`, true)),
    happened: [['message', '😀']],
  },
  {
    name: 'empty fragments',
    wire: joined(part(Binary, ''), part(Continuation, ''), part(Continuation, hex`01`), part(Continuation, '', true)),
    happened: [['message', [1]]],
  },
  {
    name: 'all fragments empty',
    wire: joined(part(Text, ''), part(Continuation, '', true)),
    happened: [['message', '']],
  },
  {
    name: 'two messages',
    wire: joined(part(Text, 'a'), part(Continuation, 'b', true), masked(Text, 'c')),
    happened: [
      ['message', 'ab'],
      ['message', 'c'],
    ],
  },
  {
    name: 'invalid UTF-8 unchecked',
    wire: masked(Text, hex`ff`),
    happened: [['message', '�']],
    options: { validateUtf8: false },
  },
  {
    name: 'invalid UTF-8 unchecked, in fragments',
    wire: joined(part(Text, hex`ff`), part(Continuation, hex`c3`, true)),
    happened: [['message', '��']],
    options: { validateUtf8: false },
  },
];

test.each(MESSAGES)('$name: the same however it is cut', ({ wire, happened, options }) => {
  for (const chunks of everySplit(wire)) {
    const core = new Core(options);
    for (const chunk of chunks) core.protocol.receive(chunk);
    expect(core.happened).toEqual(happened);
  }
});

const LIMIT_10: CoreOptions = { limits: { maxPayload: 10 } };
const FAULTS: { name: string; wire: Uint8Array; code: string; options?: CoreOptions }[] = [
  { name: 'continuation of nothing', wire: part(Continuation, 'a', true), code: 'WS_ERR_INVALID_OPCODE' },
  {
    name: 'continuation after a whole message',
    wire: joined(masked(Text, 'a'), part(Continuation, 'b', true)),
    code: 'WS_ERR_INVALID_OPCODE',
  },
  { name: 'text in text', wire: joined(part(Text, 'a'), masked(Text, 'b')), code: 'WS_ERR_INVALID_OPCODE' },
  { name: 'binary in text', wire: joined(part(Text, 'a'), part(Binary, 'b')), code: 'WS_ERR_INVALID_OPCODE' },
  { name: 'invalid UTF-8', wire: masked(Text, hex`c0 80`), code: 'WS_ERR_INVALID_UTF8' },
  { name: 'unfinished UTF-8', wire: masked(Text, hex`61 e2 82`), code: 'WS_ERR_INVALID_UTF8' },
  {
    name: 'unfinished UTF-8 in fragments',
    wire: joined(part(Text, hex`e2`), part(Continuation, hex`82`, true)),
    code: 'WS_ERR_INVALID_UTF8',
  },
  {
    name: 'invalid UTF-8 in the second fragment',
    wire: joined(part(Text, 'a'), part(Continuation, hex`ff`)),
    code: 'WS_ERR_INVALID_UTF8',
  },
  {
    name: 'one frame over the limit',
    wire: masked(Binary, new Uint8Array(11)),
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    options: LIMIT_10,
  },
  {
    name: 'fragments over the limit',
    wire: joined(part(Binary, new Uint8Array(6)), part(Continuation, new Uint8Array(5))),
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    options: LIMIT_10,
  },
  {
    name: 'too many fragments',
    wire: joined(part(Binary, ''), part(Continuation, ''), part(Continuation, '')),
    code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    options: { limits: { maxFragments: 2 } },
  },
  { name: 'RSV1 that nobody owns', wire: masked(Text, 'a', { rsv: 4 }), code: 'WS_ERR_UNEXPECTED_RSV_1' },
];

test.each(FAULTS)('$name: $code, the same however it is cut', ({ wire, code, options }) => {
  for (const validator of [undefined, isUtf8]) {
    for (const chunks of everySplit(wire)) {
      const core = new Core({ ...options, isUtf8: validator });
      for (const chunk of chunks) core.protocol.receive(chunk);
      expect(core.happened.at(-1)).toEqual(['failure', code]);
      expect(core.happened.filter(([name]) => name === 'failure')).toHaveLength(1);
    }
  }
});

const isUtf8 = (bytes: Uint8Array): boolean => {
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
};

describe('limits', () => {
  test('exactly the limit passes, control frames do not count', () => {
    const core = new Core(LIMIT_10);
    core.protocol.receive(
      joined(
        part(Binary, new Uint8Array(5)),
        masked(Ping, 'x'.repeat(125)),
        part(Continuation, new Uint8Array(5), true),
      ),
    );
    core.protocol.receive(masked(Binary, new Uint8Array(10)));
    expect(core.happened.map(([name]) => name)).toEqual(['ping', 'message', 'message']);
  });

  test('the declared length decides, before a byte of payload', () => {
    const core = new Core({ limits: { maxPayload: 1_048_576 } });
    core.protocol.receive(hex`82 ff 0000000000100001 00000000`);
    expect(core.happened.at(-1)).toEqual(['failure', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']);
    expect(core.outgoing[0]?.subarray(2, 4)).toEqual(hex`03f1`);
  });

  test('nothing is allocated for what is only announced', () => {
    const sizes: number[] = [];
    const core = new Core({ allocate: (n) => (sizes.push(n), new Uint8Array(n)) });
    core.protocol.receive(hex`82 ff 0000000040000000 00000000 01 02 03`);
    expect(sizes.reduce((sum, n) => sum + n, 0)).toBeLessThan(1024);
  });

  test('memory stays below eight times what came, for every size of piece; not much is copied again', () => {
    for (const size of [1, 7, 100, 5000]) {
      let live = 0;
      let all = 0;
      const core = new Core({ allocate: (n) => ((live = n), (all += n), new Uint8Array(n)) });
      core.protocol.receive(hex`82 ff 0000000000100000 00000000`);
      for (let received = size; received < 270_000; received += size) {
        core.protocol.receive(new Uint8Array(size));
        if (live > Math.max(256, 8 * received)) throw new Error(`${live} bytes held after ${received}`);
        if (received < 2 ** 17 && live > Math.max(256, 2 * received)) throw new Error(`${live} after ${received}`);
      }
      expect(live).toBe(2 ** 20);
      expect(all).toBeLessThan(1.6 * 2 ** 20);
    }
  });

  test('maxBufferedChunks counts the pieces of one frame', () => {
    const core = new Core({ limits: { maxBufferedChunks: 3 } });
    const [frame] = [masked(Binary, new Uint8Array(5))];
    core.protocol.receive(frame.slice(0, 6));
    for (const byte of frame.slice(6, 9)) core.protocol.receive(Uint8Array.of(byte));
    expect(core.happened).toEqual([]);
    core.protocol.receive(frame.slice(9, 10));
    expect(core.happened.at(-1)).toEqual(['failure', 'WS_ERR_TOO_MANY_BUFFERED_PARTS']);
    expect(core.outgoing[0]?.subarray(2, 4)).toEqual(hex`03f0`);
  });

  test('B-02 UTF-8 fails in mid-frame, before the rest has come', () => {
    const core = new Core();
    core.protocol.receive(encodeFrame({ opcode: Text, maskingKey: 0 }, new Uint8Array(100).fill(0x61)).slice(0, 20));
    expect(core.happened).toEqual([]);
    core.protocol.receive(hex`f4`);
    core.protocol.receive(hex`90`);
    expect(core.happened.at(-1)).toEqual(['failure', 'WS_ERR_INVALID_UTF8']);
  });
});

describe('binary messages as fragments', () => {
  const large = new Uint8Array(5000).fill(1);
  const wire = joined(
    part(Binary, 'ab'),
    part(Continuation, large),
    part(Continuation, 'cd'),
    part(Continuation, 'e', true),
  );

  test('large ones uncopied, small ones together', () => {
    const lists: Uint8Array[][] = [];
    const core = new Core();
    core.protocol.keepFragments = true;
    core.happened.push = (...items) => lists.push(...items.map(([, value]) => value as Uint8Array[]));
    core.protocol.receive(wire);
    expect(lists).toEqual([[[0x61, 0x62], [...large], [0x63, 0x64, 0x65]]]);
  });

  test('text is one buffer even so', () => {
    const core = new Core();
    core.protocol.keepFragments = true;
    core.protocol.receive(joined(part(Text, 'x'.repeat(5000)), part(Continuation, 'y', true), masked(Text, 'z')));
    expect(core.happened).toEqual([
      ['message', 'x'.repeat(5000) + 'y'],
      ['message', 'z'],
    ]);
  });

  test('one frame is a list of one', () => {
    const core = new Core();
    core.protocol.keepFragments = true;
    core.protocol.receive(masked(Binary, 'a'));
    expect(core.happened).toEqual([['message', [[0x61]]]]);
  });
});

describe('pause and resume', () => {
  test('stops between two messages of one chunk, and goes on where it stopped', () => {
    const core: Core = new Core({ onEvent: (name) => name === 'message' && core.protocol.pause() });
    core.protocol.receive(joined(masked(Text, 'a'), masked(Text, 'b'), masked(Text, 'c')));
    expect(core.happened).toEqual([['message', 'a']]);
    expect(core.protocol.isHeld).toBe(true);
    core.protocol.receive(masked(Text, 'd'));
    for (let i = 0; i < 4; i++) core.protocol.resume();
    expect(core.happened.filter(([name]) => name === 'message').map(([, text]) => text)).toEqual(['a', 'b', 'c', 'd']);
    expect(core.happened.at(-1)).toEqual(['ready']);
  });

  test('two holders: both must let go', () => {
    const core = new Core();
    core.protocol.pause('user');
    core.protocol.pause('turn');
    core.protocol.receive(masked(Text, 'a'));
    core.protocol.resume('turn');
    expect(core.happened).toEqual([['ready']]);
    expect(core.protocol.isHeld).toBe(true);
    core.protocol.resume('user');
    expect(core.happened).toEqual([['ready'], ['message', 'a'], ['ready']]);
  });

  test('a fault found on resume fails the connection as any other', () => {
    const core = new Core();
    core.protocol.pause();
    core.protocol.receive(hex`ff`);
    expect(core.happened).toEqual([]);
    core.protocol.resume();
    expect(core.happened).toContainEqual(['failure', expect.stringMatching(/^WS_ERR_/)]);
  });
});

describe('what a listener throws', () => {
  test.each(['message', 'ping', 'pong'])('in %s leaves receive(), and the rest of the chunk is still there', (name) => {
    const fault = new Error('mine');
    const core = new Core({
      onEvent: (happened) => {
        if (happened === name) throw fault;
      },
    });
    const wire = { message: masked(Text, 'a'), ping: masked(Ping, 'a'), pong: masked(Pong, 'a') }[name]!;
    expect(() => core.protocol.receive(joined(wire, masked(Binary, 'b')))).toThrow(fault);
    expect(core.protocol.state).toBe('open');
    if (name === 'message') expect(() => core.protocol.receive(new Uint8Array(0))).toThrow(fault);
    else core.protocol.receive(new Uint8Array(0));
    expect(core.happened.at(-1)).toEqual(['message', [0x62]]);
  });

  test('in resume() too', () => {
    const core = new Core({
      onEvent: (name) => {
        if (name === 'message') throw new RangeError('mine');
      },
    });
    core.protocol.pause();
    core.protocol.receive(masked(Text, 'a'));
    expect(() => core.protocol.resume()).toThrow('mine');
    expect(core.protocol.state).toBe('open');
  });

  test('while closing by hand is no fault of the peer later', () => {
    const core = new Core({
      onEvent: (name) => {
        if (name === 'closing') throw new Error('mine');
      },
    });
    expect(() => core.protocol.close(1000)).toThrow('mine');
    expect(core.protocol.state).toBe('closeSent');
    core.protocol.receive(hex`ff`);
    expect(core.protocol.state).toBe('failed');
  });
});

describe('sending', () => {
  test('fragments continue, whatever type later calls name', () => {
    const core = new Core();
    core.protocol.send('a', true, false, undefined, undefined);
    core.protocol.send(hex`62`, false, false, undefined, undefined);
    core.protocol.ping('p');
    core.protocol.send('c', true, true, undefined, undefined);
    core.protocol.send(hex`64`, false, true, undefined, undefined);
    expect(core.outgoing).toEqual([hex`01 01 61`, hex`00 01 62`, hex`89 01 70`, hex`80 01 63`, hex`82 01 64`]);
  });

  test('a deferred payload keeps its place', () => {
    const core = new Core();
    let give: (error: Error | null, bytes: Uint8Array) => void = () => undefined;
    const settled: unknown[] = [];
    core.protocol.send({ byteLength: 3, read: (done) => (give = done) }, false, true, undefined, (error) =>
      settled.push(['first', error ?? null]),
    );
    core.protocol.send('second', true, true, undefined, (error) => settled.push(['second', error ?? null]));
    core.protocol.ping('now');
    core.protocol.close(1000);
    expect(core.outgoing).toEqual([hex`89 03 ${Buffer.from('now')}`]);
    expect([core.protocol.queuedBytes, core.protocol.state]).toEqual([9, 'closeSent']);
    give(null, hex`010203`);
    give(null, hex`010203`);
    expect(core.take().map((frame) => frame[0])).toEqual([0x89, 0x82, 0x81, 0x88]);
    expect(settled).toEqual([
      ['first', null],
      ['second', null],
    ]);
    expect(core.protocol.queuedBytes).toBe(0);
  });

  test('a deferred payload that fails is one lost message', () => {
    const core = new Core();
    const errors: unknown[] = [];
    core.protocol.send(
      { byteLength: 1, read: (done) => done(new Error('gone'), new Uint8Array(0)) },
      true,
      true,
      undefined,
      (error) => errors.push(error),
    );
    core.protocol.send('next', true, true, undefined, undefined);
    expect(errors).toEqual([expect.objectContaining({ message: 'gone' })]);
    expect(core.outgoing).toEqual([hex`81 04 ${Buffer.from('next')}`]);
  });

  test('the peer closes while a payload is awaited: the answer waits for it, and only then the server ends', () => {
    const core = new Core();
    let give: (error: Error | null, bytes: Uint8Array) => void = () => undefined;
    core.protocol.send({ byteLength: 1, read: (done) => (give = done) }, false, true, undefined, undefined);
    core.protocol.receive(masked(Opcode.Close, hex`03e8`));
    expect([core.protocol.state, core.isEnded]).toEqual(['closeReceived', false]);
    give(null, hex`01`);
    expect(core.outgoing).toEqual([hex`82 01 01`, hex`88 02 03e8`]);
    expect([core.protocol.state, core.isEnded]).toEqual(['closeDone', true]);
  });

  test('a fault drops what waits, callbacks included in the error', () => {
    const core = new Core();
    let give: (error: Error | null, bytes: Uint8Array) => void = () => undefined;
    const errors: unknown[] = [];
    core.protocol.send({ byteLength: 1, read: (done) => (give = done) }, false, true, undefined, (error) =>
      errors.push(error),
    );
    core.protocol.send('x', true, true, undefined, (error) => errors.push(error));
    core.protocol.receive(hex`ff`);
    give(null, hex`01`);
    expect(core.outgoing.map((frame) => frame[0])).toEqual([0x88]);
    core.protocol.transportEnd();
    expect(errors).toEqual([expect.any(Error), expect.any(Error)]);
  });
});

test('the last frames are kept, oldest first', () => {
  const core = new Core();
  expect(core.protocol.recentFrames()).toEqual([]);
  core.clock.advance(5);
  for (let i = 0; i < 9; i++) core.protocol.receive(masked(Binary, new Uint8Array(i)));
  core.protocol.send('€', true, false, undefined, undefined);
  const frames = core.protocol.recentFrames();
  expect(frames).toHaveLength(8);
  expect(frames[0]).toEqual({ direction: 'in', opcode: 2, fin: true, length: 2, at: 5 });
  expect(frames.at(-1)).toEqual({ direction: 'out', opcode: 1, fin: false, length: 3, at: 5 });
  expect(core.protocol.lastActivity).toBe(5);
});

test('whatever is sent comes out the same at the other end', () => {
  const message = fc.record({
    isText: fc.boolean(),
    parts: fc.array(fc.string({ unit: 'binary', maxLength: 300 }), { minLength: 1, maxLength: 4 }),
    ping: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.boolean(), (messages, fromServer) => {
      const { client, server, settle } = corePair();
      const [from, to] = fromServer ? [server, client] : [client, server];
      const expected: unknown[] = [];
      for (const { isText, parts, ping } of messages) {
        const bytes = parts.map((text) => new TextEncoder().encode(text));
        bytes.forEach((payload, i) => {
          from.protocol.send(payload, isText, i === bytes.length - 1, undefined, undefined);
          if (ping) from.protocol.ping('p');
          if (ping) expected.push(['ping', 'p']);
          if (i < bytes.length - 1) return;
          const whole = joined(...bytes);
          const at = ping ? expected.length - 1 : expected.length;
          expected.splice(at, 0, [
            'message',
            isText ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(whole) : [...whole],
          ]);
        });
      }
      settle();
      expect(to.happened.map(([name, value]) => [name, value])).toEqual(expected);
    }),
  );
});

test('any bytes end in events or one failure, never in an exception, and do not depend on the cuts', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat(300), { maxLength: 6 }), (bytes, cuts) => {
      const run = (chunks: Uint8Array[]): unknown[] => {
        const core = new Core({ limits: { maxPayload: 1000, maxFragments: 10 } });
        for (const chunk of chunks) core.protocol.receive(chunk);
        return [core.happened, core.outgoing, core.isEnded, core.protocol.state];
      };
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const cut = at.slice(1).map((end, i) => bytes.slice(at[i], end));
      expect(run(cut)).toEqual(run([bytes.slice()]));
    }),
    { numRuns: 2000 },
  );
});
