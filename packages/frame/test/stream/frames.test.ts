import { expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import type { FrameDuplex } from '../../src/stream/index.js';
import { bench, settled } from './record.js';

/** `opcode payload` of each frame; how many slices a payload comes in depends on the wire. */
async function all(duplex: FrameDuplex): Promise<string[]> {
  const seen: string[] = [];
  for await (const { head, payload } of duplex.frames()) {
    let text = '';
    for await (const slice of payload) text += slice.toString('latin1');
    seen.push(`${head.opcode} ${text}`);
  }
  return seen;
}

const WIRE = hex`02 03 616263 | 89 02 6465 | 80 00 | 81 01 66`;

test('all frames with their payload, however the wire is cut', async () => {
  for (const chunks of everySplit(WIRE)) {
    const { duplex, peer, wire } = bench();
    for (const chunk of chunks) peer.write(chunk);
    peer.end();
    expect(await all(duplex)).toEqual(['2 abc', '9 de', '0 ', '1 f']);
    await settled();
    expect(wire()).toBe('8a026465');
    expect(duplex.readableEnded).toBe(true);
  }
});

test('a payload comes as it arrives', async () => {
  const { duplex, peer } = bench();
  const frames = duplex.frames();
  peer.write(hex`82 03 61`);
  const { payload } = (await frames.next()).value!;
  expect((await payload.next()).value).toEqual(Buffer.from('a'));
  peer.write(hex`62`);
  expect((await payload.next()).value).toEqual(Buffer.from('b'));
  peer.write(hex`63`);
  expect((await payload.next()).value).toEqual(Buffer.from('c'));
  expect(await payload.next()).toEqual({ done: true, value: undefined });
  duplex.destroy();
});

test('what is not read is skipped when the next frame is asked for', async () => {
  const { duplex, peer } = bench();
  peer.end(hex`82 01 61 | 82 03 6263`);
  setImmediate(() => peer.destroy());
  const seen: number[] = [];
  let first: AsyncIterableIterator<Buffer> | undefined;
  const reading = (async () => {
    for await (const { head, payload } of duplex.frames()) {
      first ??= payload;
      seen.push(head.payloadLength);
    }
  })();
  await expect(reading).rejects.toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
  expect(seen).toEqual([1, 3]);
  expect(await first!.next()).toEqual({ done: true, value: undefined });
});

test('asking for a frame and for payload of the last one at once', async () => {
  const { duplex, peer } = bench();
  const frames = duplex.frames();
  peer.write(hex`82 02 61`);
  const { payload } = (await frames.next()).value!;
  await payload.next();
  const [rest, next] = [payload.next(), frames.next()];
  peer.write(hex`62 | 81 00`);
  expect(await rest).toEqual({ done: true, value: undefined });
  expect((await next).value!.head.opcode).toBe(1);
  duplex.destroy();
});

test('the source is read no faster than frames are taken', async () => {
  const { duplex, peer } = bench();
  const frames = duplex.frames();
  const chunk = Buffer.concat([hex`82 7e 4000`, Buffer.alloc(0x4000)]);
  let written = 0;
  for (; written < 100 && peer.write(chunk); written++) await settled();
  expect(written).toBeLessThan(5);
  const drained = new Promise((resolve) => peer.once('drain', resolve));
  for (let i = 0; i <= written; i++) await frames.next();
  await drained;
  duplex.destroy();
});

test('a peer that breaks the rules ends the loop with the error', async () => {
  const { duplex, peer, wire } = bench();
  peer.write(hex`82 01 61 | 83 00`);
  const seen: number[] = [];
  const reading = (async () => {
    for await (const { head } of duplex.frames()) seen.push(head.opcode);
  })();
  await expect(reading).rejects.toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
  await settled();
  expect(seen).toEqual([2]);
  expect(wire()).toBe('880203ea');
});

test('a Close frame is the last one', async () => {
  const { duplex, peer, wire } = bench();
  peer.write(hex`82 01 61 | 88 02 03e8 | 82 01 62`);
  expect(await all(duplex)).toEqual(['2 a', '8 \x03\xe8']);
  await settled();
  expect(wire()).toBe('880203e8');
});

test('a loop that is left leaves the rest to the read side', async () => {
  const { duplex, peer } = bench();
  peer.end(hex`02 01 61 | 00 02 6263 | 80 01 64`);
  for await (const { payload } of duplex.frames()) {
    for await (const slice of payload) expect(slice.toString()).toBe('a');
    break;
  }
  let rest = '';
  for await (const chunk of duplex) rest += String(chunk);
  expect(rest).toBe('bcd');
});

test('begun late, it drops what waits to be read and starts with the next head', async () => {
  const { duplex, peer } = bench();
  peer.write(hex`82 01 61 | 82 02 62`);
  await settled();
  const reading = all(duplex);
  peer.end(hex`63 | 82 01 64`);
  expect(await reading).toEqual(['2 d']);
});

test('one loop at a time, and none where nothing comes', async () => {
  const { duplex } = bench();
  duplex.frames();
  expect(() => duplex.frames()).toThrow(TypeError);
  duplex.destroy();
  const other = bench().duplex;
  other.destroy();
  expect(await all(other)).toEqual([]);
});

test('a loop that is left before its first frame leaves the frames to the next one', async () => {
  const { duplex, peer } = bench();
  await duplex.frames().return?.();
  peer.write(WIRE);
  peer.end();
  expect(await all(duplex)).toEqual(['2 abc', '9 de', '0 ', '1 f']);
});
