import { describe, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { hex } from '@ws/testing';
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync, constants } from 'node:zlib';
import type { Extension, Failure } from '../../src/protocol/index.js';
import { Core, corePair, joined, masked } from './core.js';

const failure = (code: string, closeCode: number): Failure => Object.assign(new Error(code), { code, closeCode });

/** Whole messages through raw deflate, marked with RSV1: written against the public interface alone. */
function deflate(isSync: boolean): Extension & { isClosed: boolean } {
  let input: Uint8Array[] = [];
  const flush = { finishFlush: constants.Z_SYNC_FLUSH };
  return {
    name: 'x-deflate',
    rsv: 4,
    isClosed: false,
    encode(payload, { compress, fin, first }, done) {
      if (compress === false || !fin || !first) return done(null, payload, 0);
      if (isSync) return done(null, deflateRawSync(payload, flush), 4);
      deflateRaw(payload, flush, (_error, bytes) => done(null, bytes, 4));
    },
    decode(slice, { last, remaining }, output, done) {
      input.push(slice.slice());
      if (!last) return done(null);
      const all = Buffer.concat(input);
      input = [];
      const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: Math.min(remaining + 1, 1 << 26) };
      const give = (error: unknown, bytes?: Buffer): void => {
        if (error) {
          const isBig = (error as { code: string }).code === 'ERR_BUFFER_TOO_LARGE';
          return done(isBig ? failure('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009) : failure('Z_DATA_ERROR', 1007));
        }
        output(bytes!.subarray(0, 3));
        output(bytes!.subarray(3));
        done(null);
      };
      if (!isSync) return inflateRaw(all, options, give);
      let bytes: Buffer;
      try {
        bytes = inflateRawSync(all, options);
      } catch (error) {
        return give(error);
      }
      give(null, bytes);
    },
    close() {
      this.isClosed = true;
    },
  };
}

/** Sees every message, owns no bit: turns bytes over. */
const invert = (): Extension => {
  const turned = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0xff);
  return {
    name: 'x-invert',
    rsv: 0,
    encode: (payload, _fragment, done) => done(null, turned(payload), 0),
    decode(slice, _piece, output, done) {
      output(turned(slice));
      done(null);
    },
  };
};

/** Lets the event loop turn until `isDone`; a test that waits in vain fails. */
async function until(isDone: () => boolean): Promise<void> {
  for (let turns = 0; !isDone(); turns++) {
    if (turns > 200_000) throw new Error('waited in vain');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const messages = (core: Core): unknown[] =>
  core.happened.filter(([name]) => name === 'message').map(([, value]) => value);

describe.each([true, false])('a compressing extension, synchronous: %p', (isSync) => {
  test('order is kept between what it compresses and what not', async () => {
    const { client, server, settle } = corePair({
      client: { extensions: [deflate(isSync)] },
      server: { extensions: [deflate(isSync)] },
    });
    const texts = ['a'.repeat(1000), '', 'b', 'ü'.repeat(500), 'last'];
    texts.forEach((text, i) => client.protocol.send(text, true, true, i === 2 ? false : undefined, undefined));
    client.protocol.send(hex`0102`, false, false, undefined, undefined);
    client.protocol.send(hex`03`, false, true, undefined, undefined);
    client.protocol.close(1000);
    await until(() => {
      settle();
      return server.protocol.state === 'closeDone';
    });
    expect(messages(server)).toEqual([...texts, [1, 2, 3]]);
    expect(client.protocol.queuedBytes).toBe(0);
  });

  test.each(['whole', 'byte by byte'])('frames that follow wait for the piece before: %s', async (cut) => {
    const core = new Core({ extensions: [deflate(isSync)] });
    const compressed = deflateRawSync(Buffer.from('compressed'), { finishFlush: constants.Z_SYNC_FLUSH });
    const wire = joined(
      masked(Opcode.Text, compressed, { rsv: 4 }),
      masked(Opcode.Ping, 'p'),
      masked(Opcode.Text, compressed.subarray(0, 4), { rsv: 4, fin: false }),
      masked(Opcode.Continuation, compressed.subarray(4)),
      masked(Opcode.Text, 'plain'),
    );
    for (const chunk of cut === 'whole' ? [wire] : Array.from(wire, (byte) => Uint8Array.of(byte)))
      core.protocol.receive(chunk);
    await until(() => messages(core).length === 3);
    const names = core.happened.filter(([name]) => name !== 'ready');
    expect(names).toEqual([
      ['message', 'compressed'],
      ['ping', 'p'],
      ['message', 'compressed'],
      ['message', 'plain'],
    ]);
    expect(core.protocol.isHeld).toBe(false);
  });

  test.each([
    ['output over maxPayload', deflateRawSync(Buffer.alloc(100_000)), 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 0x03f1],
    ['garbage', hex`ffffff`, 'Z_DATA_ERROR', 0x03ef],
    ['text that is not UTF-8 once decoded', deflateRawSync(hex`61 62 63 c3 28`), 'WS_ERR_INVALID_UTF8', 0x03ef],
  ])('%s', async (_what, payload, code, closeCode) => {
    const core = new Core({ extensions: [deflate(isSync)], limits: { maxPayload: 1000 } });
    core.protocol.receive(joined(masked(Opcode.Text, payload, { rsv: 4 }), masked(Opcode.Text, 'never')));
    await until(() => core.protocol.state === 'failed');
    expect(core.happened.filter(([name]) => name !== 'ready').at(-1)).toEqual(['failure', code]);
    expect(Buffer.from(core.outgoing[0]!).readUInt16BE(2)).toBe(closeCode);
    expect(messages(core)).toEqual([]);
  });

  test('the connection ends while a piece is being worked on', async () => {
    const extension = deflate(isSync);
    const core = new Core({ extensions: [extension] });
    core.protocol.receive(masked(Opcode.Text, deflateRawSync(Buffer.from('x')), { rsv: 4 }));
    core.protocol.transportEnd();
    expect(extension.isClosed).toBe(true);
    expect(core.protocol.isBusy).toBe(false);
    await until(() => isSync || core.happened.at(-1)?.[0] === 'ready');
    expect(messages(core)).toEqual(isSync ? ['x'] : []);
  });
});

test('an encoder that fails, fails the connection and tells the sender', () => {
  const broken: Extension = {
    ...invert(),
    encode: (_payload, _fragment, done) => done(failure('WS_ERR_BROKEN', 1011), new Uint8Array(0), 0),
  };
  const core = new Core({ extensions: [broken] });
  const errors: unknown[] = [];
  core.protocol.send('x', true, true, undefined, (error) => errors.push(error));
  expect(errors).toEqual([expect.objectContaining({ code: 'WS_ERR_BROKEN' })]);
  expect(core.outgoing[0]?.subarray(2, 4)).toEqual(hex`03f3`);
});

test('an encoder that fails settles the send even where a listener throws', () => {
  const broken: Extension = {
    ...invert(),
    encode: (_payload, _fragment, done) => done(failure('WS_ERR_BROKEN', 1011), new Uint8Array(0), 0),
  };
  const core = new Core({
    extensions: [broken],
    onEvent: (name) => {
      if (name === 'failure') throw new RangeError('mine');
    },
  });
  const errors: unknown[] = [];
  expect(() => core.protocol.send('x', true, true, undefined, (error) => errors.push(error))).toThrow('mine');
  expect(errors).toEqual([expect.objectContaining({ code: 'WS_ERR_BROKEN' })]);
});

test.each([5, 1005, 70_000, undefined])('a close code that may not travel, %p, is 1011', (closeCode) => {
  const error = Object.assign(new Error('odd'), { code: 'WS_ERR_ODD', closeCode }) as Failure;
  const odd: Extension = { ...invert(), decode: (_slice, _piece, _output, done) => done(error) };
  const core = new Core({ extensions: [odd] });
  core.protocol.receive(masked(Opcode.Text, 'x'));
  expect(core.outgoing[0]?.subarray(2, 4)).toEqual(hex`03f3`);
});

test('a payload that is read too late is not encoded: extensions are closed by then', () => {
  const encoded: string[] = [];
  const extension: Extension = {
    ...invert(),
    encode(payload, _fragment, done) {
      encoded.push(Buffer.from(payload).toString());
      done(null, payload, 0);
    },
  };
  const core = new Core({ extensions: [extension] });
  let give: (error: Error | null, payload: Uint8Array) => void = () => undefined;
  const errors: unknown[] = [];
  core.protocol.send('first', true, false, undefined, undefined);
  core.protocol.send({ byteLength: 4, read: (done) => (give = done) }, true, true, undefined, (error) =>
    errors.push(error?.message),
  );
  core.protocol.transportEnd();
  give(null, Buffer.from('late'));
  expect(encoded).toEqual(['first']);
  expect(errors).toEqual(['the connection was closed before this was sent']);
  expect(core.protocol.queuedBytes).toBe(0);
});

test('how long the message will be is told from the beginning of its last frame on', () => {
  const lengths: unknown[] = [];
  const extension: Extension = {
    ...invert(),
    decode(slice, { length, last }, output, done) {
      lengths.push([length, last]);
      output(slice.slice());
      done(null);
    },
  };
  const core = new Core({ extensions: [extension] });
  core.protocol.receive(masked(Opcode.Binary, 'whole'));
  const wire = joined(masked(Opcode.Binary, 'ab', { fin: false }), masked(Opcode.Continuation, 'cd'));
  for (const byte of wire) core.protocol.receive(Uint8Array.of(byte));
  expect(lengths).toEqual([
    [5, true],
    [undefined, false],
    [undefined, false],
    [4, false],
    [4, true],
  ]);
});

describe('several extensions', () => {
  test.each(['sync', 'async'])('undo each other in reverse order: %s', async (mode) => {
    const stack = (): Extension[] => [deflate(mode === 'sync'), invert()];
    const { client, server, settle } = corePair({ client: { extensions: stack() }, server: { extensions: stack() } });
    for (const text of ['hello'.repeat(100), '']) server.protocol.send(text, true, true, undefined, undefined);
    await until(() => {
      settle();
      return messages(client).length === 2;
    });
    expect(messages(client)).toEqual(['hello'.repeat(100), '']);
  });

  test('a fault in the last one reaches nobody else', () => {
    const broken: Extension = {
      ...invert(),
      decode: (_slice, _piece, _output, done) => done(failure('WS_ERR_BROKEN', 1011)),
    };
    const core = new Core({ extensions: [deflate(true), broken] });
    core.protocol.receive(masked(Opcode.Text, 'x'));
    expect(core.happened.at(-1)).toEqual(['failure', 'WS_ERR_BROKEN']);
  });

  test('an error of the encoder behind another one', () => {
    const broken: Extension = {
      ...invert(),
      encode: (_payload, _fragment, done) => done(failure('WS_ERR_BROKEN', 1011), new Uint8Array(0), 0),
    };
    const core = new Core({ extensions: [invert(), broken] });
    core.protocol.send('x', true, true, undefined, undefined);
    expect(core.protocol.state).toBe('failed');
  });

  test.each([
    ['two that own one bit', [4, 4]],
    ['bits that there are not', [8]],
    ['half a bit', [0.5]],
    ['negative bits', [-1]],
  ])('%s: RangeError', (_what, bits) => {
    const extensions = bits.map((rsv) => ({ ...invert(), rsv }));
    expect(() => new Core({ extensions })).toThrow(RangeError);
  });
});

test('a decoder that gives more than it may is stopped, whatever it gives later', () => {
  const greedy: Extension = {
    ...invert(),
    decode(_slice, { remaining }, output, done) {
      output(new Uint8Array(remaining + 1));
      output(new Uint8Array(1));
      done(null);
    },
  };
  const core = new Core({ extensions: [greedy], limits: { maxPayload: 100 } });
  core.protocol.receive(masked(Opcode.Binary, 'x'));
  expect(core.happened.at(-1)).toEqual(['failure', 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH']);
});

test('what a listener throws behind a piece that came late is the listener’s', () => {
  let give: () => void = () => undefined;
  const slow: Extension = {
    ...invert(),
    decode(slice, _piece, output, done) {
      give = () => {
        output(slice);
        done(null);
      };
    },
  };
  const core = new Core({
    extensions: [slow],
    onEvent: (name) => {
      if (name === 'message') throw new RangeError('mine');
    },
  });
  core.protocol.receive(joined(masked(Opcode.Binary, 'x'), masked(Opcode.Ping, 'p')));
  expect(give).toThrow('mine');
  expect([core.protocol.state, core.protocol.isHeld]).toEqual(['open', false]);
  expect(core.happened.map(([name]) => name)).toEqual(['message', 'ping', 'ready']);
});

describe('reserved bits of an extension, RFC 7692 §6', () => {
  test.each([
    [
      'on a continuation',
      joined(masked(Opcode.Text, 'a', { fin: false }), masked(Opcode.Continuation, 'b', { rsv: 4 })),
      'WS_ERR_UNEXPECTED_RSV_1',
    ],
    ['RSV2, which nobody owns', masked(Opcode.Text, 'a', { rsv: 2 }), 'WS_ERR_UNEXPECTED_RSV_2_3'],
    ['on a ping', masked(Opcode.Ping, 'a', { rsv: 4 }), 'WS_ERR_UNEXPECTED_RSV_1'],
  ])('%s', (_what, wire, code) => {
    const core = new Core({ extensions: [deflate(true)] });
    core.protocol.receive(wire);
    expect(core.happened.at(-1)).toEqual(['failure', code]);
  });

  test('RSV2 on a continuation, owned', () => {
    const core = new Core({ extensions: [{ ...invert(), rsv: 2 }] });
    core.protocol.receive(
      joined(masked(Opcode.Text, 'a', { fin: false }), masked(Opcode.Continuation, 'b', { rsv: 2 })),
    );
    expect(core.happened.at(-1)).toEqual(['failure', 'WS_ERR_UNEXPECTED_RSV_2_3']);
  });
});
