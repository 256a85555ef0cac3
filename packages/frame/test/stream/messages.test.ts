import { expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import type { FrameDuplex } from '../../src/stream/index.js';
import { bench, settled } from './record.js';

/** `opcode payload` of each message, the first opcode without FIN as `…`. */
async function all(duplex: FrameDuplex): Promise<string[]> {
  const seen: string[] = [];
  for await (const { head, payload } of duplex.messages()) {
    let text = '';
    for await (const slice of payload) text += slice.toString('latin1');
    seen.push(`${head.opcode}${head.fin ? '' : '…'} ${text}`);
  }
  return seen;
}

const WIRE = hex`02 03 616263 | 89 02 6465 | 00 00 | 8a 00 | 80 01 66 | 81 01 67`;

test('all messages, control frames left out, however the wire is cut', async () => {
  for (const chunks of everySplit(WIRE)) {
    const { duplex, peer, wire } = bench();
    for (const chunk of chunks) peer.write(chunk);
    peer.end();
    expect(await all(duplex)).toEqual(['2… abcf', '1 g']);
    await settled();
    expect(wire()).toBe('8a026465');
  }
});

test('what is not read of a message is skipped, its other frames too', async () => {
  const { duplex, peer } = bench();
  peer.end(WIRE);
  const opcodes: number[] = [];
  let first: AsyncIterableIterator<Buffer> | undefined;
  for await (const { head, payload } of duplex.messages()) {
    first ??= payload;
    opcodes.push(head.opcode);
    for await (const slice of payload) if (slice.length > 0) break;
  }
  expect(opcodes).toEqual([2, 1]);
  expect(await first!.next()).toEqual({ done: true, value: undefined });
});

test('asking for a message and for payload of the last one at once', async () => {
  const { duplex, peer } = bench();
  const messages = duplex.messages();
  peer.write(hex`02 01 61`);
  const { payload } = (await messages.next()).value!;
  await payload.next();
  const [rest, next] = [payload.next(), messages.next()];
  peer.write(hex`00 01 62 | 80 01 63 | 81 01 64`);
  expect(await rest).toEqual({ done: true, value: undefined });
  expect((await next).value!.head.opcode).toBe(1);
  duplex.destroy();
});

test('a message that is cut fails where it is read', async () => {
  const { duplex, peer } = bench();
  peer.end(hex`02 01 61`);
  await expect(all(duplex)).rejects.toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
  const broken = bench();
  broken.peer.write(hex`02 01 61 | 83 00`);
  await expect(all(broken.duplex)).rejects.toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
});

test('a Close frame ends the messages; one that it cuts is not taken for a whole one', async () => {
  const closed = bench();
  closed.peer.write(hex`81 01 61 | 88 00`);
  expect(await all(closed.duplex)).toEqual(['1 a']);
  const cut = bench();
  cut.peer.write(hex`02 01 62 | 88 00`);
  await expect(all(cut.duplex)).rejects.toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
  const collected = bench();
  collected.peer.write(hex`02 01 62 | 88 00`);
  const message = (await collected.duplex.messages().next()).value!;
  await expect(message.buffer()).rejects.toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
});

test('a loop that is left while it waits is over, and another may begin at once', async () => {
  for (const name of ['frames', 'messages'] as const) {
    const { duplex, peer } = bench();
    const loop = duplex[name]();
    const next = loop.next();
    const left = loop.return();
    const another = duplex[name]();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await left).toMatchObject({ done: true });
    peer.write(hex`81 01 61`);
    expect((await another.next()).value!.head.opcode).toBe(1);
    duplex.destroy();
  }
});

test('one loop at a time; one that is left, begun or not, leaves the rest to the read side', async () => {
  for (const isBegun of [true, false]) {
    const { duplex, peer } = bench();
    const messages = duplex.messages();
    expect(() => duplex.messages()).toThrow(TypeError);
    expect(() => duplex.frames()).toThrow(TypeError);
    peer.end(hex`82 01 61 | 02 01 62 | 80 01 63`);
    if (isBegun) await messages.next();
    await messages.return();
    let rest = '';
    for await (const chunk of duplex) rest += String(chunk);
    expect(rest).toBe('abc');
  }
});

test('buffer() collects a message, up to maxFramePayload', async () => {
  const { duplex, peer } = bench({ role: 'any', maxFramePayload: 500 });
  peer.end(Buffer.concat([WIRE, hex`02 7e 0190`, Buffer.alloc(400), hex`80 00`]));
  const seen: number[] = [];
  for await (const message of duplex.messages()) seen.push((await message.buffer()).length);
  expect(seen).toEqual([4, 1, 400]);
});

test.each([
  ['bytes', [hex`02 7e 0190`, Buffer.alloc(400), hex`80 7e 0190`, Buffer.alloc(400)]],
  ['small pieces', Array.from({ length: 5 }, (_, i) => (i === 0 ? hex`02 01 61` : hex`00 01 61`))],
])('buffer() of too many %s: 1009', async (_name, chunks) => {
  const { duplex, peer, wire } = bench({ role: 'any', maxFramePayload: 500 });
  const errors: unknown[] = [];
  duplex.on('error', (error) => errors.push(error));
  for (const chunk of chunks) peer.write(chunk);
  const message = (await duplex.messages().next()).value!;
  await expect(message.buffer()).rejects.toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
  await settled();
  expect(errors).toMatchObject([{ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' }]);
  expect(wire()).toBe('880203f1');
});

test('buffer() is all of a message, or rejects', async () => {
  const { duplex, peer } = bench();
  const messages = duplex.messages();
  peer.write(hex`02 01 61`);
  const first = (await messages.next()).value!;
  const cut = first.buffer();
  const next = messages.next();
  peer.write(hex`80 01 62 | 81 01 63 | 81 01 64`);
  await expect(cut).rejects.toMatchObject({ code: 'WS_ERR_ABORTED_MESSAGE' });
  const second = (await next).value!;
  expect(String(await second.buffer())).toBe('c');
  await expect(second.buffer()).rejects.toThrow(TypeError);
  const third = (await messages.next()).value!;
  await messages.return();
  await expect(third.buffer()).rejects.toMatchObject({ code: 'WS_ERR_ABORTED_MESSAGE' });
  duplex.destroy();
});

test('a small piece does not keep the chunk that it came in', async () => {
  const chunk = Buffer.concat([hex`02 01 61 | 8a 7d`, Buffer.alloc(125), hex`00 01 62`]);
  const collected = bench({ role: 'client' });
  collected.peer.write(chunk);
  const message = (await collected.duplex.messages().next()).value!;
  expect((await message.payload.next()).value!.buffer.byteLength).toBe(1);
  const read = bench({ role: 'client' });
  read.peer.write(chunk);
  await settled();
  expect((read.duplex.read(1) as Buffer).buffer.byteLength).toBe(1);
});

test('buffer() without a limit', async () => {
  const { duplex, peer } = bench({ role: 'any', maxFramePayload: false });
  peer.end(WIRE);
  for await (const message of duplex.messages()) {
    expect(String(await message.buffer())).toBe('abcf');
    break;
  }
  duplex.destroy();
});
