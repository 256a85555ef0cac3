// What many connections are sent stands in memory once: each gets the bytes it would get if each frame were built for it alone.
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { encodeFrame, Opcode } from '@ws/frame';
import fc from 'fast-check';
import { PreparedMessage, WebSocket } from '../src/index.js';
import { framesOf, nextTurn, Recorder, tcpPair } from './streams.js';

class Recipient {
  readonly socket: WebSocket;
  readonly stream: Socket;
  readonly near: Socket;
  readonly #chunks: Buffer[] = [];
  readonly #expected: Uint8Array[] = [];

  constructor(near: Socket, stream: Socket) {
    near.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
    this.near = near;
    this.stream = stream;
    this.socket = WebSocket.from(stream, { role: 'server' });
  }

  static async connect(): Promise<Recipient> {
    const [near, stream] = await tcpPair();
    return new Recipient(near, stream);
  }

  get expected(): Buffer {
    return Buffer.concat(this.#expected);
  }

  /** All that is to come, as soon as it is here. */
  async received(): Promise<Buffer> {
    const { length } = this.expected;
    while (this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0) < length) await nextTurn();
    return Buffer.concat(this.#chunks);
  }

  expects(opcode: Opcode, payload: Uint8Array): void {
    this.#expected.push(Buffer.from(encodeFrame({ opcode, maskingKey: undefined }, payload)));
  }
}

const RECIPIENTS = 4;
const bytes = (size: number, fill: number): Buffer => Buffer.alloc(size, fill);

const size = fc.oneof(fc.integer({ min: 0, max: 200 }), fc.constantFrom(16_384, 16_385, 30_000, 65_535));
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('all' as const), size, again: fc.boolean(), isText: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('some' as const),
      size,
      again: fc.boolean(),
      whom: fc.integer({ min: 1, max: 15 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('own' as const), size, to: fc.nat(RECIPIENTS - 1) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('ping' as const), to: fc.nat(RECIPIENTS - 1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('turn' as const) }) },
);

test('whatever else each is sent, in whatever order', async () => {
  const program = fc.array(step, { minLength: 5, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(program, async (steps) => {
      const recipients = await Promise.all(Array.from({ length: RECIPIENTS }, () => Recipient.connect()));
      let last: PreparedMessage | undefined;
      const send = (whom: number, message: PreparedMessage): void => {
        last = message;
        const opcode = message.isBinary ? Opcode.Binary : Opcode.Text;
        recipients.forEach((recipient, i) => {
          if ((whom & (1 << i)) === 0) return;
          recipient.socket.send(message);
          recipient.expects(opcode, message.payload);
        });
      };
      let fill = 0;
      for (const each of steps) {
        fill = (fill + 1) % 128;
        if (each.kind === 'all') {
          const message = new PreparedMessage(bytes(each.size, fill), { binary: !each.isText });
          send(15, each.again && last ? last : message);
        } else if (each.kind === 'some') {
          send(each.whom, each.again && last ? last : new PreparedMessage(bytes(each.size, fill)));
        } else if (each.kind === 'own') {
          recipients[each.to]?.socket.send(bytes(each.size, fill));
          recipients[each.to]?.expects(Opcode.Binary, bytes(each.size, fill));
        } else if (each.kind === 'ping') {
          recipients[each.to]?.socket.ping('p');
          recipients[each.to]?.expects(Opcode.Ping, Buffer.from('p'));
        } else {
          await nextTurn();
        }
      }
      for (const recipient of recipients) {
        expect((await recipient.received()).equals(recipient.expected)).toBe(true);
        recipient.near.destroy();
      }
    }),
    { numRuns: 60 },
  );
});

/** The chunks that a stream is given to write. */
function writtenTo(stream: Socket): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const { _write } = stream;
  stream._write = function (chunk: Uint8Array, encoding, callback) {
    chunks.push(chunk);
    _write.call(stream, chunk, encoding, callback);
  };
  return chunks;
}

test('those who are sent the same in a turn are written the same memory, in one write each', async () => {
  const recipients = await Promise.all(Array.from({ length: 3 }, () => Recipient.connect()));
  for (const { socket } of recipients) socket.send('first');
  await nextTurn();
  const chunks = recipients.map(({ stream }) => writtenTo(stream));
  for (const text of ['one', 'two', 'three']) {
    const message = new PreparedMessage(text);
    for (const { socket } of recipients) socket.send(message);
  }
  const counted = recipients.map(({ socket }) => socket.bufferedAmount);
  expect(counted).toEqual([17, 17, 17]);
  await nextTurn();
  const [first] = chunks[0]!;
  for (const written of chunks) {
    expect(written).toHaveLength(1);
    expect([written[0]?.buffer === first?.buffer, written[0]?.byteOffset, written[0]?.length]).toEqual([
      true,
      first?.byteOffset,
      17,
    ]);
  }
  for (const { near } of recipients) near.destroy();
});

test('the first whose run is one of its own has that and the message, the others the message', async () => {
  const [own, other] = [await Recipient.connect(), await Recipient.connect()];
  own.socket.send('own');
  own.expects(Opcode.Text, Buffer.from('own'));
  const message = new PreparedMessage('for both');
  for (const recipient of [own, other]) {
    recipient.socket.send(message);
    recipient.expects(Opcode.Text, message.payload);
  }
  for (const recipient of [own, other]) {
    expect(await recipient.received()).toEqual(recipient.expected);
    recipient.near.destroy();
  }
});

test('who is sent it again has it from the slab, where all that others had there is written meanwhile', async () => {
  const [again, other, last] = [await Recipient.connect(), await Recipient.connect(), await Recipient.connect()];
  const sends = (recipient: Recipient, payload: PreparedMessage | Buffer): void => {
    recipient.socket.send(payload);
    recipient.expects(Opcode.Binary, payload instanceof PreparedMessage ? payload.payload : payload);
  };
  const message = new PreparedMessage(bytes(20, 0x61));
  sends(again, bytes(10, 0x62));
  sends(again, message);
  sends(other, bytes(5, 0x63)); // behind it, so that the run of the first cannot go on where it is
  sends(other, bytes(70_000, 0x64)); // it is written at once
  sends(again, message);
  sends(last, bytes(50, 0x65));
  for (const recipient of [again, other, last]) {
    expect((await recipient.received()).equals(recipient.expected)).toBe(true);
    recipient.near.destroy();
  }
});

test('a stream that changes what it is given to write changes nothing for others', async () => {
  class Scribbler extends Recorder {
    override _write(chunk: Buffer, encoding: BufferEncoding, callback: () => void): void {
      super._write(chunk, encoding, () => undefined);
      chunk.fill(0xee);
      callback();
    }
  }
  const scribbler = new Scribbler();
  const foreign = WebSocket.from(scribbler, { role: 'server' });
  const [first, last] = [await Recipient.connect(), await Recipient.connect()];
  for (const text of ['one', 'two']) {
    const message = new PreparedMessage(text);
    first.socket.send(message);
    foreign.send(message);
    last.socket.send(message);
    for (const recipient of [first, last]) recipient.expects(Opcode.Text, message.payload);
  }
  foreign.ping('x'.repeat(125)); // it is flushed before the others, or behind them
  for (const recipient of [first, last]) {
    expect(await recipient.received()).toEqual(recipient.expected);
    recipient.near.destroy();
  }
  expect(framesOf(scribbler.bytes).map(({ payload }) => String(payload).slice(0, 3))).toEqual(['one', 'two', 'xxx']);
  scribbler.destroy();
});

test('who does not take it keeps what was written to it, while others are sent more', async () => {
  const [slow, quick] = [await Recipient.connect(), await Recipient.connect()];
  slow.near.pause();
  const send = (payload: Buffer, ...recipients: Recipient[]): void => {
    const message = new PreparedMessage(payload);
    for (const recipient of recipients) {
      recipient.socket.send(message);
      recipient.expects(Opcode.Binary, payload);
    }
  };
  let turns = 0;
  while (slow.stream.writableLength === 0) {
    for (let i = 0; i < 3; i++) send(bytes(16_000, turns + i), slow, quick);
    await nextTurn();
    turns++;
  }
  for (let i = 0; i < 40; i++) {
    send(bytes(5000, i), slow, quick);
    send(bytes(5000, i + 100), quick);
    await nextTurn();
  }
  expect((await quick.received()).equals(quick.expected)).toBe(true);
  slow.near.resume();
  expect((await slow.received()).equals(slow.expected)).toBe(true);
  for (const { near } of [slow, quick]) near.destroy();
});

test('only what is a message for many: the same bytes by themselves are sent as they are now, and as what they are sent as', async () => {
  const [first, second, third] = [await Recipient.connect(), await Recipient.connect(), await Recipient.connect()];
  const message = new PreparedMessage('text');
  first.socket.send(message);
  first.expects(Opcode.Text, Buffer.from('text'));
  const asBinary = Object.assign(Object.create(PreparedMessage.prototype) as PreparedMessage, message, {
    isBinary: true,
  });
  second.socket.send(asBinary);
  second.expects(Opcode.Binary, Buffer.from('text'));
  message.payload[0] = 0x6e;
  third.socket.send(message.payload);
  third.expects(Opcode.Binary, Buffer.from('next'));
  for (const recipient of [first, second, third]) {
    expect(await recipient.received()).toEqual(recipient.expected);
    recipient.near.destroy();
  }
});

test('a callback comes for each recipient', async () => {
  const recipients = await Promise.all(Array.from({ length: 3 }, () => Recipient.connect()));
  const message = new PreparedMessage('asked about');
  await Promise.all(
    recipients.map(
      ({ socket }) =>
        new Promise<void>((resolve, reject) => {
          socket.send(message, (error) => (error ? reject(error) : resolve()));
        }),
    ),
  );
  for (const recipient of recipients) {
    recipient.expects(Opcode.Text, message.payload);
    expect(await recipient.received()).toEqual(recipient.expected);
    recipient.near.destroy();
  }
});
