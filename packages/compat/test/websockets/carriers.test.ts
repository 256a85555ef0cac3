// One Socket, two things to stand on: what a program writes is the same frames on a byte stream and on a connection.
import { expect, test } from '@jest/globals';
import type { Duplex } from 'node:stream';
import { CLOSE, next, PING, TEXT, type Wire } from '@ws/testing/peer';
import type { Socket } from '../../src/websockets/index.js';
import { joinRaw, start, wrap } from './support.js';

type Step = (socket: Socket) => void;

/** Numbers from 0 up to `below`, the same ones for the same seed. */
function dice(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const text = (length: number): string => 'abcdefgh'.slice(0, length);

/** Fills the frame that is open, as one of these chunks fits and longer ones throw, and ends the message. */
function* end(): Generator<Step> {
  for (let length = 8; length >= 0; length--) yield (socket) => void socket.write(text(length));
  yield (socket) => void socket.writeHead({ length: 0 }).writeEnd('end');
}

/** Heads, writes and ends at random, of which some are too long for their frame. */
function* program(seed: number): Generator<Step> {
  const roll = dice(seed);
  for (let step = 0; step < 30; step++) {
    const head = { opcode: [undefined, 1, 2][roll(3)], fin: [undefined, true, false][roll(3)] };
    const length = roll(3) === 0 ? roll(8) : undefined;
    const bytes = text(roll(6));
    const act = roll(20);
    if (act < 7) yield (socket) => socket.writeHead({ ...head, length });
    else if (act < 16) yield (socket) => void socket.write(bytes);
    else if (act < 18) yield (socket) => socket.ping(bytes);
    else yield* end();
  }
  yield* end();
  yield (socket) => socket.close();
}

/** What a program wrote, without pings, which may be in other places; and which steps threw. */
async function written(socket: Socket, wire: Wire<Duplex>, seed: number): Promise<unknown[]> {
  const threw: string[] = [];
  let at = 0;
  for (const step of program(seed)) {
    try {
      step(socket);
    } catch (error) {
      threw.push(`${at} ${(error as Error).name}`);
    }
    at++;
  }
  const frames = [];
  for (let frame = await wire.frame(); frame && frame.opcode !== CLOSE; frame = await wire.frame())
    frames.push([frame.opcode, frame.fin, frame.opcode === PING ? '' : String(frame.payload)]);
  const pings = frames.filter(([opcode]) => opcode === PING).length;
  return [threw, pings, frames.filter(([opcode]) => opcode !== PING)];
}

test('whatever is written, the frames are the same', async () => {
  const { server, port } = await start({ maxConnections: 1000 });
  for (let seed = 0; seed < 200; seed++) {
    const stream = wrap();
    const connection = await joinRaw(server, port);
    const expected = await written(stream.socket, stream.wire, seed);
    const actual = await written(connection.socket, connection.wire, seed);
    expect([seed, ...actual]).toEqual([seed, ...expected]);
    connection.wire.cut();
  }
});

test('a message that a Close frame cuts is not told as a whole one', async () => {
  const { server, port } = await start();
  for (const { socket, wire } of [wrap(), await joinRaw(server, port)]) {
    const told: unknown[] = [];
    socket.on('message', (message) => told.push(message));
    const close = next(socket, 'close');
    wire.send(TEXT, 'half', { fin: false }).send(CLOSE, Buffer.of(3, 232));
    expect(await close).toEqual([1000, '']);
    expect(told).toEqual([]);
  }
});

test('a Close frame that is written has its callback called too', async () => {
  const { server, port } = await start();
  for (const { socket } of [wrap(), await joinRaw(server, port)])
    await new Promise<void>((resolve) => socket.writeHead({ opcode: CLOSE }).write('', () => resolve()));
  expect(server.sockets.map(({ core }) => 'readyState' in core && core.readyState)).toEqual([2]);
});
