import { expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import type { Extension } from '../../src/protocol/index.js';
import { Core, joined, masked } from './core.js';

const { Binary, Close, Continuation, Ping, Text } = Opcode;
const FRAMES = 4096;
const BYTES = 524_288;

/** Each byte of a message becomes so many, at once or later. */
function inflating(byteLength: number, later?: (act: () => void) => void): Extension {
  return {
    name: 'inflating',
    rsv: 4,
    encode: (payload, _fragment, done) => done(null, payload, 0),
    decode(slice, _piece, output, done) {
      const act = (): void => {
        for (let i = 0; i < slice.length; i++) output(new Uint8Array(byteLength));
        done(null);
      };
      if (later) later(act);
      else act();
    },
  };
}

const countOf = (core: Core): number => core.happened.filter(([name]) => name !== 'ready').length;
const times = (count: number, frame: Uint8Array): Uint8Array => joined(...Array.from({ length: count }, () => frame));

function counted(options: ConstructorParameters<typeof Core>[0] = {}): { core: Core; asked: () => number } {
  let asked = 0;
  const core = new Core({ ...options, turnUsed: () => asked++ });
  return { core, asked: () => asked };
}

test.each<[string, Uint8Array, number]>([
  ['messages', masked(Binary, 'x'), 1],
  ['pings', masked(Ping, ''), 1],
  ['messages of two fragments', joined(masked(Text, '', { fin: false }), masked(Continuation, 'a')), 2],
])('of %s in one chunk, 4096 frames a turn', (_name, wire, frames) => {
  const { core, asked } = counted();
  const perTurn = FRAMES / frames;
  core.protocol.receive(times(2.5 * perTurn, wire));
  expect([asked(), countOf(core), core.protocol.isHeld, core.protocol.isBusy]).toEqual([1, perTurn, true, true]);
  core.protocol.nextTurn();
  expect([asked(), countOf(core), core.protocol.isHeld]).toEqual([2, 2 * perTurn, true]);
  core.protocol.nextTurn();
  expect([asked(), countOf(core), core.protocol.isHeld]).toEqual([3, 2.5 * perTurn, false]);
  core.protocol.nextTurn();
  expect([asked(), core.protocol.isHeld]).toEqual([3, false]);
});

test('chunks of the same turn add up, and what comes beyond the share waits in its order', () => {
  const { core, asked } = counted();
  const chunk = times(1000, masked(Binary, ''));
  for (let i = 0; i < 6; i++) core.protocol.receive(chunk);
  core.protocol.receive(masked(Text, 'last'));
  expect([asked(), countOf(core)]).toEqual([1, FRAMES]);
  core.protocol.nextTurn();
  expect(countOf(core)).toBe(6001);
  expect(core.happened.findLast(([name]) => name === 'message')).toEqual(['message', 'last']);
});

test('who sends little is not asked for, and never waits', () => {
  const { core, asked } = counted();
  const chunk = times(255, masked(Binary, ''));
  for (let i = 0; i < 100; i++) core.protocol.receive(new Uint8Array(chunk));
  expect([asked(), countOf(core), core.protocol.isHeld]).toEqual([0, 25_500, false]);
});

test('so many bytes as an extension makes at once, of messages and of streams', () => {
  for (const streamed of [false, true]) {
    let given = 0;
    const sink = { data: (piece: Uint8Array) => void (given += piece.length), end: () => {}, abort: () => {} };
    const { core, asked } = counted({
      extensions: [inflating(BYTES / 4)],
      ...(streamed && { incoming: () => ({ ...sink, isFull: false, whenRoom: () => {} }) }),
    });
    core.protocol.receive(times(10, masked(Binary, 'x', { rsv: 4 })));
    const messages = (): number => core.protocol.messagesReceived;
    expect([asked(), messages(), core.protocol.isHeld]).toEqual([1, 4, true]);
    core.protocol.nextTurn();
    core.protocol.nextTurn();
    expect([asked(), messages(), core.protocol.isHeld]).toEqual([3, 10, false]);
    expect(given).toBe(streamed ? (10 * BYTES) / 4 : 0);
  }
});

test('what an extension makes later is no part of this turn', () => {
  const later: (() => void)[] = [];
  const { core, asked } = counted({ extensions: [inflating(BYTES, (act) => later.push(act))] });
  core.protocol.receive(times(3, masked(Binary, 'x', { rsv: 4 })));
  for (let act = later.shift(); act; act = later.shift()) act();
  expect([asked(), core.protocol.messagesReceived, core.protocol.isHeld]).toEqual([0, 3, false]);
});

test('the next turn does not end what others hold, nor the share of a connection what follows its end', () => {
  const { core } = counted({ onEvent: (name) => void (name === 'ping' && core.protocol.pause()) });
  const wire = joined(times(FRAMES - 1, masked(Binary, '')), masked(Ping, ''), times(5, masked(Binary, '')));
  core.protocol.receive(joined(wire, masked(Close, '')));
  core.protocol.nextTurn();
  expect([countOf(core), core.protocol.isHeld]).toEqual([FRAMES, true]);
  core.protocol.resume();
  expect(core.protocol.state).toBe('closeDone');
  expect(countOf(core)).toBe(FRAMES + 6);

  const cut = counted().core;
  cut.protocol.receive(times(2 * FRAMES, masked(Binary, '')));
  cut.protocol.stop();
  cut.protocol.nextTurn();
  expect(countOf(cut)).toBe(FRAMES);
});

test('a handler that throws as the share ends stops only itself', () => {
  const { core } = counted({
    onEvent: () => {
      if (countOf(core) === FRAMES - 1) throw new Error('the user');
    },
  });
  expect(() => core.protocol.receive(times(FRAMES + 10, masked(Binary, '')))).toThrow('the user');
  core.happened.length = FRAMES;
  core.protocol.proceed();
  expect(core.protocol.isHeld).toBe(true);
  core.protocol.nextTurn();
  expect(core.protocol.messagesReceived).toBe(FRAMES + 10);
});

test('without turns there is no share', () => {
  const core = new Core();
  core.protocol.receive(times(3 * FRAMES, masked(Binary, '')));
  expect([countOf(core), core.protocol.isHeld]).toEqual([3 * FRAMES, false]);
});
