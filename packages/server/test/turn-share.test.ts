import { expect, test } from '@jest/globals';
import { deflateRawSync, constants } from 'node:zlib';
import { encodeFrame, Opcode } from '@ws/frame';
import { connection, handshake, join, portOf, RawPeer, start } from './support.js';

const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
const compressed = (byteLength: number): Uint8Array =>
  deflateRawSync(Buffer.alloc(byteLength), { level: 9, finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

const FLOODS: [name: string, frame: Uint8Array, count: number, perTurn: number][] = [
  [
    'messages of 259 bytes that inflate to 250 000',
    encodeFrame({ opcode: Opcode.Binary, rsv: 4, maskingKey: 0 }, compressed(250_000)),
    400,
    3,
  ],
  ['messages of one byte', encodeFrame({ opcode: Opcode.Binary, maskingKey: 0 }, Buffer.from('x')), 60_000, 4096],
  ['pings', encodeFrame({ opcode: Opcode.Ping, maskingKey: 0 }, new Uint8Array(0)), 60_000, 4096],
];

test.each(FLOODS)(
  'a flood of %s leaves each turn of the event loop to others',
  async (_name, frame, count, perTurn) => {
    const server = await start({ perMessageDeflate: true });
    const next = connection(server);
    const raw = new RawPeer(portOf(server)).write(handshake(OFFER));
    const socket = await next;
    await raw.until('\r\n\r\n');

    const { client, socket: other } = await join(server);
    other.on('message', (data) => other.send(data));
    let echoes = 0;
    client.on('message', () => {
      echoes++;
      client.send('again');
    });
    client.send('first');

    let inTurn = 0;
    let most = 0;
    let total = 0;
    const echoesAt: number[] = [];
    let heardAll = (): void => {};
    const all = new Promise<void>((resolve) => (heardAll = resolve));
    const hear = (): void => {
      if (inTurn++ === 0) {
        echoesAt.push(echoes);
        setImmediate(() => {
          most = Math.max(most, inTurn);
          inTurn = 0;
        });
      }
      if (++total === count) heardAll();
    };
    socket.on('message', hear).on('ping', hear);
    raw.write(Buffer.concat(Array.from({ length: count }, () => frame)));
    await all;
    // What the check phase does and what the poll phase before it has read may be of one count.
    expect(most).toBeLessThanOrEqual(2 * perTurn);
    expect(echoesAt.length).toBeGreaterThanOrEqual(count / (2 * perTurn) - 1);
    expect(new Set(echoesAt).size).toBeGreaterThan(2);
  },
);
