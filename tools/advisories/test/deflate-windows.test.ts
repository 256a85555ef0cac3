import { expect } from '@jest/globals';
import { constants, createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from 'node:zlib';
import { advisory } from './advisory.js';
import { hostileAfterOpen, sharedClient, sharedServer } from './victims.js';
import { BINARY, CONTINUATION, frame, TEXT, type Wire } from './wire.js';

/** zlib's raw window of 8 bits is broken: what it writes needs 9. It is never used here. */
const ALL_BITS = [8, 9, 10, 11, 12, 13, 14, 15];

/** Longer than the largest window, and alike at a distance beyond each. */
const SAMPLES = [
  'the quick brown fox '.repeat(40),
  Array.from({ length: 5000 }, (_, i) => ((i * 2_654_435_761) >>> 7).toString(36)).join(' '),
  'the quick brown fox '.repeat(40),
];

/** One direction of a peer that compresses with zlib itself. */
class Codec {
  readonly #deflate: DeflateRaw;
  readonly #inflate: InflateRaw;

  constructor(ownBits: number, theirBits: number) {
    this.#deflate = createDeflateRaw({
      windowBits: Math.max(ownBits, 9),
      ...(ownBits === 8 && { strategy: constants.Z_HUFFMAN_ONLY }),
    });
    this.#inflate = createInflateRaw({ windowBits: Math.max(theirBits, 9) });
  }

  squeeze(text: string): Promise<Buffer> {
    return through(this.#deflate, Buffer.from(text)).then((bytes) => bytes.subarray(0, -4));
  }

  async unsqueeze(bytes: Buffer): Promise<string> {
    return (await through(this.#inflate, Buffer.concat([bytes, Buffer.from([0, 0, 0xff, 0xff])]))).toString();
  }
}

async function through(stream: DeflateRaw | InflateRaw, bytes: Buffer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const keep = (chunk: Buffer): void => void chunks.push(chunk);
  stream.on('data', keep);
  stream.write(bytes);
  await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, () => resolve()));
  stream.off('data', keep);
  return Buffer.concat(chunks);
}

/** Sends compressed messages that refer to those before, and reads what comes back. */
async function expectEchoes(wire: Wire, codec: () => Codec, masked: boolean): Promise<void> {
  for (const sample of SAMPLES) {
    wire.write(frame(TEXT, await codec().squeeze(sample), { rsv: 4, masked }));
    const echo = await wire.frame();
    if (echo === undefined) throw new Error('no echo');
    expect(echo.rsv === 4 ? await codec().unsqueeze(echo.payload) : echo.payload.toString()).toBe(sample);
  }
}

advisory('window-matrix', (check) => {
  const server = sharedServer({
    options: {
      perMessageDeflate: { serverNoContextTakeover: 'as-offered', clientNoContextTakeover: false, threshold: 0 },
    },
  });

  for (const serverBits of ALL_BITS) {
    check(
      `a server with a window of ${serverBits} bits, clients with each, with and without context takeover`,
      async () => {
        for (const clientBits of ALL_BITS) {
          for (const takeover of [true, false]) {
            const none = takeover ? '' : '; server_no_context_takeover; client_no_context_takeover';
            const offer = `permessage-deflate; server_max_window_bits=${serverBits}; client_max_window_bits=${clientBits}${none}`;
            const wire = await server().open({ 'Sec-WebSocket-Extensions': offer });
            const one = new Codec(clientBits, serverBits);
            await expectEchoes(wire, () => (takeover ? one : new Codec(clientBits, serverBits)), true);
            wire.cut();
          }
        }
      },
    );
  }

  const client = sharedClient();
  check('a client whose windows the server sets to each size, with and without context takeover', async () => {
    for (const bits of ALL_BITS) {
      for (const takeover of [true, false]) {
        const wires: Wire[] = [];
        const none = takeover ? '' : '; server_no_context_takeover; client_no_context_takeover';
        const agreed = `permessage-deflate; server_max_window_bits=${bits}; client_max_window_bits=${bits}${none}`;
        const url = await hostileAfterOpen((wire) => void wires.push(wire), { 'Sec-WebSocket-Extensions': agreed });
        const id = await client().connect({ url, options: { perMessageDeflate: { threshold: 0 } } });
        expect(await client().ask('opened', id)).toBe(true);
        const [wire] = wires;
        if (wire === undefined) throw new Error('nobody came');
        const one = new Codec(bits, bits);
        for (const sample of SAMPLES) {
          const codec = takeover ? one : new Codec(bits, bits);
          await client().ask('send', { id, text: sample });
          const sent = await wire.frame();
          expect(await codec.unsqueeze(sent?.payload ?? Buffer.alloc(0))).toBe(sample);
          wire.write(frame(TEXT, await codec.squeeze(sample), { rsv: 4, masked: false }));
        }
        wire.socket.end();
        const { messages } = await client().ended(id);
        expect(messages).toEqual(SAMPLES.map((sample) => sample.slice(0, 100)));
      }
    }
  });

  const plain = sharedServer({ options: { perMessageDeflate: true } });
  const DEFLATE = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
  const MESSAGES: [name: string, frames: Buffer[], text: string][] = [
    [
      'a last block with BFINAL, RFC 7692 §7.2.3.4',
      [frame(TEXT, Buffer.from('f348cdc9c9070000', 'hex'), { rsv: 4 })],
      'Hello',
    ],
    [
      'two blocks, §7.2.3.5',
      [frame(TEXT, Buffer.from('f248050000 00ffffcac9c90700'.replace(/ /g, ''), 'hex'), { rsv: 4 })],
      'Hello',
    ],
    [
      'a block without compression, §7.2.3.3',
      [frame(TEXT, Buffer.from('000500faff48656c6c6f00', 'hex'), { rsv: 4 })],
      'Hello',
    ],
    ['an empty message, §7.2.3.6', [frame(BINARY, Buffer.of(0), { rsv: 4 })], ''],
    [
      'fragments, one of them empty, §7.2.3.1',
      [
        frame(TEXT, Buffer.from('f248cd', 'hex'), { rsv: 4, fin: false }),
        frame(CONTINUATION, '', { fin: false }),
        frame(CONTINUATION, Buffer.from('c9c90700', 'hex')),
      ],
      'Hello',
    ],
  ];
  for (const [name, frames, text] of MESSAGES) {
    check(`a server: ${name}, and the message behind it`, async () => {
      const wire = await plain().open(DEFLATE);
      wire.write(Buffer.concat(frames));
      expect((await wire.frame())?.payload.toString()).toBe(text);
      expect(await wire.echoes('behind it')).toBe(true);
    });
  }
});
