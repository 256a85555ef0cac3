import { describe, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { everySplit } from '@ws/testing';
import type { Extension } from '../../src/protocol/index.js';
import { joined, masked, type CoreOptions } from './core.js';
import { latin1, streaming, told } from './sink.js';

const { Continuation, Text, Binary, Ping } = Opcode;

/** Gives each byte twice, in pieces of `size`, no faster than they are taken; owns RSV1. */
function doubling(size: number, isSync = true): Extension {
  return {
    name: 'x-double',
    rsv: 4,
    encode: (payload, _fragment, done) => done(null, payload, 4),
    decode(slice, { flow }, output, done) {
      const decoded = Uint8Array.from({ length: 2 * slice.length }, (_, i) => slice[i >> 1]!);
      const give = (at: number): void => {
        if (at >= decoded.length) return done(null);
        output(decoded.slice(at, at + size));
        if (flow?.isFull) flow.whenRoom(() => give(at + size));
        else give(at + size);
      };
      if (isSync) give(0);
      else queueMicrotask(() => give(0));
    },
  };
}

const encoded = (opcode: Opcode, payload: string, fin = false): Uint8Array =>
  masked(opcode, payload, { fin, rsv: opcode ? 4 : 0 });
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe.each([true, false])('through an extension, synchronous: %p', (isSync) => {
  const through = (options: CoreOptions = {}, size = 3): ReturnType<typeof streaming> =>
    streaming({ extensions: [doubling(size, isSync)], ...options });

  test('decoded as it comes, whole frames and fragments, with a ping behind', async () => {
    for (const chunks of everySplit(
      joined(encoded(Text, 'h€', true), encoded(Binary, 'ab'), masked(Ping, 'p'), encoded(Continuation, 'cd', true)),
    )) {
      const { core, heads } = through({ validateUtf8: false });
      for (const chunk of chunks) core.protocol.receive(chunk);
      await settled();
      expect(told(core)).toEqual([
        ['incoming', true, undefined],
        ['end', latin1('h€').replace(/./g, '$&$&')],
        ['incoming', false, undefined],
        ['ping', 'p'],
        ['end', 'aabbccdd'],
      ]);
      expect(heads.map(({ isEncoded }) => isEncoded)).toEqual([true, true]);
    }
  });

  test('no faster than it is taken', async () => {
    const { core, sinks } = through({}, 1);
    core.protocol.receive(encoded(Binary, ''));
    await settled();
    sinks[0]!.isFull = true;
    core.protocol.receive(joined(encoded(Continuation, 'ab', true), masked(Ping, 'p')));
    for (const expected of ['a', 'aa', 'aab', 'aabb']) {
      await settled();
      expect([sinks[0]!.given.toString(), told(core).length]).toEqual([expected, 1]);
      sinks[0]!.makeRoom();
    }
    expect(told(core).slice(1)).toEqual([
      ['end', 'aabb'],
      ['ping', 'p'],
    ]);
  });

  const OFFENCES: { name: string; wire: Uint8Array; code: string; options?: CoreOptions }[] = [
    {
      name: 'decoded bytes over maxPayload',
      wire: joined(encoded(Binary, 'abc'), encoded(Continuation, 'def', true)),
      code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      options: { limits: { maxPayload: 10 } },
    },
    { name: 'decoded bytes that are no UTF-8', wire: encoded(Text, 'é', true), code: 'WS_ERR_INVALID_UTF8' },
  ];
  test.each(OFFENCES)('$name end the message with $code', async ({ wire, code, options }) => {
    const { core } = through(options);
    core.protocol.receive(wire);
    await settled();
    expect(core.happened.filter(([name]) => name === 'abort' || name === 'failure')).toEqual([
      ['abort', code],
      ['failure', code],
    ]);
  });

  test('what cannot be decoded ends the message with the error of the extension', async () => {
    const broken: Extension = {
      ...doubling(1),
      decode(_slice, _piece, _output, done) {
        const error = Object.assign(new Error('no'), { code: 'X_BROKEN', closeCode: 1007 });
        if (isSync) done(error);
        else queueMicrotask(() => done(error));
      },
    };
    const { core } = through({ extensions: [broken] });
    core.protocol.receive(encoded(Text, 'a'));
    await settled();
    expect(core.happened.filter(([name]) => name === 'abort')).toEqual([['abort', 'X_BROKEN']]);
  });

  test('stopped while a piece is decoded: nothing more is given', async () => {
    const { core, sinks } = through({}, 1);
    core.protocol.receive(encoded(Binary, 'x'));
    await settled();
    sinks[0]!.onData = () => core.protocol.stop();
    core.protocol.receive(encoded(Continuation, 'ab', true));
    await settled();
    expect([sinks[0]!.given.toString(), told(core).slice(1)]).toEqual(['xxa', [['abort', null]]]);
  });
});
