import { describe, expect, test } from '@jest/globals';
import { Opcode, type FrameHead } from '@ws/frame';
import { everySplit } from '@ws/testing';
import { WebSocket } from '../src/index.js';
import { clientFrame, event, nextTurn, record, recorded, tcpPair } from './streams.js';

const { Continuation, Text, Binary, Ping, Close } = Opcode;

const head = (opcode: Opcode, payloadLength: number, fin = true): FrameHead => ({
  fin,
  rsv: 0,
  opcode,
  maskingKey: 0x0a0b0c0d,
  payloadLength,
});
const MESSAGE = Buffer.concat([
  clientFrame(Text, 'ab', { fin: false }),
  clientFrame(Ping, 'p'),
  clientFrame(Continuation, 'c'),
  clientFrame(Binary, ''),
  clientFrame(Close, Buffer.of(3, 232)),
]);

describe("'frame'", () => {
  test('tells of each frame, before its payload and its message; wherever the stream was cut', async () => {
    for (const chunks of everySplit(MESSAGE)) {
      const { socket, stream } = recorded();
      const events = record(socket, ['frame', 'ping', 'message', 'closing']);
      for (const chunk of chunks) stream.push(Buffer.from(chunk));
      await nextTurn();
      expect(events).toEqual([
        ['frame', head(Text, 2, false)],
        ['frame', head(Ping, 1)],
        ['ping', Buffer.from('p')],
        ['frame', head(Continuation, 1)],
        ['message', Buffer.from('abc'), false],
        ['frame', head(Binary, 0)],
        ['message', Buffer.alloc(0), true],
        ['frame', head(Close, 2)],
        ['closing', 1000, '', 'remote'],
      ]);
      socket.terminate();
    }
  });

  test('small fragments too, which are joined where nobody listens', async () => {
    const [near, far] = await tcpPair();
    const socket = WebSocket.from(near, { role: 'server' });
    const fragments = [clientFrame(Binary, 'x', { fin: false })];
    for (let n = 0; n < 500; n++) fragments.push(clientFrame(Continuation, 'x', { fin: n === 499 }));
    const events = record(socket, ['message']);
    const heads: FrameHead[] = [];
    const listener = (told: FrameHead): void => void heads.push(told);
    for (const listens of [false, true, false]) {
      if (listens) socket.on('frame', listener);
      else socket.off('frame', listener);
      far.write(Buffer.concat(fragments));
      await event(socket, 'message');
    }
    expect(heads).toEqual([
      head(Binary, 1, false),
      ...Array.from({ length: 499 }, () => head(Continuation, 1, false)),
      head(Continuation, 1),
    ]);
    const message = ['message', Buffer.alloc(501, 'x'), true];
    expect(events).toEqual([message, message, message]);
    socket.terminate();
    far.destroy();
  });

  test('a frame that is against the rules of its order is told of; one that no frame can be is not', async () => {
    for (const [wire, opcode] of [
      [clientFrame(Continuation, ''), Continuation],
      [Buffer.of(0x83, 0x80, 0, 0, 0, 0), undefined],
    ] as const) {
      const { socket, stream } = recorded();
      const events = record(socket, ['frame', 'error']);
      stream.push(wire);
      await nextTurn();
      const told = opcode === undefined ? [] : [['frame', expect.objectContaining({ opcode })]];
      expect(events).toEqual([...told, ['error', expect.objectContaining({ code: 'WS_ERR_INVALID_OPCODE' })]]);
      socket.terminate();
    }
  });

  test.each(['whole', 'cut'])('a listener may cut the connection: nothing is made of the frame, %s', async (how) => {
    const { socket, stream } = recorded();
    const events = record(socket, ['frame', 'message', 'error', 'close']);
    socket.on('frame', () => socket.terminate());
    const frame = clientFrame(Text, 'abc');
    if (how === 'whole') stream.push(Buffer.concat([frame, frame]));
    else for (const byte of frame) stream.push(Buffer.of(byte));
    await socket.closed;
    expect(events.map(([name]) => name)).toEqual(['frame', 'close']);
    expect((await socket.closed).initiator).toBe('local');
  });
});
