import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { directWriting } from '../src/direct-write.js';
import { WebSocket, type CloseInfo } from '../src/index.js';
import { framesOf, nextTurn, tcpPair } from './streams.js';

afterEach(() => {
  directWriting.isOn = undefined;
});

/** A server's WebSocket that writes in this way, its stream, and the other end of the wire. */
async function served(isDirect: boolean) {
  directWriting.isOn = isDirect;
  const [near, far] = await tcpPair();
  near.on('error', () => undefined);
  const chunks: Buffer[] = [];
  near.on('data', (chunk: Buffer) => chunks.push(chunk));
  const socket = WebSocket.from(far, { role: 'server' });
  return { near, far, socket, received: () => Buffer.concat(chunks) };
}

const message = (i: number): Buffer => Buffer.alloc((i * 37) % 500, i);

/** Whether the stream had the bytes of each write in its own books while they were written. */
function watched(stream: Socket): boolean[] {
  const seen: boolean[] = [];
  const { _write } = stream;
  stream._write = function (chunk, encoding, callback) {
    seen.push(stream.writableLength > 0);
    _write.call(stream, chunk, encoding, callback);
  };
  return seen;
}

/** Sends, a turn at a time, until the operating system takes no more. */
async function fill(socket: WebSocket, stream: Socket): Promise<number> {
  let sent = 0;
  while (stream.writableLength === 0) {
    for (let i = 0; i < 100; i++) socket.send(message(sent++));
    await nextTurn();
  }
  return sent;
}

test.each([true, false])('a small write goes past the stream: %p', async (isDirect) => {
  const { far, socket, near, received } = await served(isDirect);
  socket.send('first');
  await nextTurn();
  const throughStream = watched(far);
  socket.send('small');
  await nextTurn();
  socket.send('asked about', () => undefined);
  await nextTurn();
  expect(throughStream).toEqual([!isDirect, true]);
  while (received().length < far.bytesWritten) await nextTurn();
  expect(framesOf(received()).map(({ payload }) => String(payload))).toEqual(['first', 'small', 'asked about']);
  near.destroy();
});

describe.each([true, false])('directly: %p', (isDirect) => {
  test('what is not taken at once is in the books of the stream, and everything arrives in its order', async () => {
    const { near, far, socket, received } = await served(isDirect);
    near.pause();
    const sent = await fill(socket, far);
    const left = far.writableLength;
    expect(left).toBeGreaterThan(0);
    expect(socket.bufferedAmount).toBe(left);
    expect(Object.hasOwn(far, '_write')).toBe(false);
    const leftWhenThrough: number[] = [];
    const through = new Promise<void>((resolve) => {
      socket.send('behind it', () => {
        leftWhenThrough.push(far.writableLength);
        resolve();
      });
    });
    await nextTurn();
    expect(far.writableLength).toBe(left + 11);
    expect(leftWhenThrough).toEqual([]);
    near.resume();
    await through;
    expect(leftWhenThrough).toEqual([0]);
    expect([far.writableLength, socket.bufferedAmount]).toEqual([0, 0]);
    while (received().length < far.bytesWritten) await nextTurn();
    const frames = framesOf(received());
    expect(frames.length).toBe(sent + 1);
    expect(frames.slice(0, sent).every(({ payload }, i) => payload.equals(message(i)))).toBe(true);
    expect(String(frames[sent]?.payload)).toBe('behind it');
    near.destroy();
  });

  test('the stream ends behind what was not taken at once', async () => {
    const { near, far, socket, received } = await served(isDirect);
    near.pause();
    const sent = await fill(socket, far);
    far.end();
    near.resume();
    await once(near, 'end');
    expect(framesOf(received()).length).toBe(sent);
    near.destroy();
  });

  test('a write that fails at once is an error of the stream, a tick later', async () => {
    const { near, far, socket } = await served(isDirect);
    await once(socket, 'open');
    near.resetAndDestroy();
    const order: string[] = [];
    far.on('error', ({ code }: NodeJS.ErrnoException) => order.push(String(code)));
    socket.send('into the void');
    process.nextTick(() => order.push('ticks of that turn'));
    const [code, , info] = (await once(socket, 'close')) as [number, Buffer, CloseInfo];
    expect([code, (info.error as NodeJS.ErrnoException).code]).toEqual([
      1006,
      expect.stringMatching(/^E(PIPE|CONNRESET)$/),
    ]);
    expect(order).toEqual(['ticks of that turn', expect.stringMatching(/^E(PIPE|CONNRESET)$/)]);
  });
});

describe('not past a stream', () => {
  const sends = async (prepare: (stream: Socket) => void) => {
    const pair = await served(true);
    prepare(pair.far);
    pair.socket.send('seen');
    await nextTurn();
    return pair;
  };

  test('whose write somebody has replaced', async () => {
    const seen: unknown[] = [];
    const { near } = await sends((stream) => {
      const { write } = stream;
      stream.write = (...args: unknown[]) => {
        seen.push(args[0]);
        return Reflect.apply(write, stream, args) as boolean;
      };
    });
    expect(seen).toEqual([Buffer.from('\x81\x04seen', 'latin1')]);
    near.destroy();
  });

  test('that is corked', async () => {
    const { near, far, received } = await sends((stream) => stream.cork());
    expect(far.writableLength).toBe(6);
    far.uncork();
    await once(near, 'data');
    expect(String(received().subarray(2))).toBe('seen');
    near.destroy();
  });

  test('that somebody has ended', async () => {
    let code: string | undefined;
    const { near, received } = await sends((stream) => {
      stream.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
      stream.end();
    });
    expect(code).toBe('ERR_STREAM_WRITE_AFTER_END');
    expect(received()).toHaveLength(0);
    near.destroy();
  });
});
