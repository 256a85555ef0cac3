import { expect } from '@jest/globals';
import { constants, deflateRawSync } from 'node:zlib';
import { advisory } from './advisory.js';
import { hostileAfterOpen, launchClient, launchServer, sharedClient, sharedServer } from './victims.js';
import { BINARY, CONTINUATION, frame, TEXT } from './wire.js';

const MIB = 2 ** 20;
const DEFLATE = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
const NO_TAKEOVER = {
  'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
};

/** A message without its last four bytes, as RFC 7692 §7.2.1 sends it. */
function squeezed(payload: string | Uint8Array): Buffer {
  return deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** 1 GiB of zeros in 1 MiB: blocks that need nothing of each other, of 1 MiB each. */
function bomb(): Buffer {
  const block = deflateRawSync(Buffer.alloc(MIB), { finishFlush: constants.Z_FULL_FLUSH });
  return Buffer.concat(Array.from({ length: 1024 }, () => block)).subarray(0, -4);
}

const BOMB = bomb();

/**
 * What a victim may rise by while it refuses bombs with a limit of 1 MiB: the limit and two windows for each of those that are there at a time, and
 * what a process takes when it does anything for the first time, with the garbage that it has had no reason to collect (90 MiB have been seen). A
 * single bomb would be 1024 MiB.
 */
const mostRise = (bombs: number): number => bombs * (MIB + 2 * 32_768) + 248 * MIB;

advisory('inflate-bomb', (check) => {
  check('the bomb is one', () => {
    expect(BOMB.length).toBeLessThan(1.2 * MIB);
  });

  for (const [name, split] of [
    ['in one frame', 1],
    ['in 64 fragments', 64],
  ] as const) {
    const frames = (masked: boolean): Buffer => {
      const size = Math.ceil(BOMB.length / split);
      const parts = Array.from({ length: split }, (_, i) => BOMB.subarray(i * size, (i + 1) * size));
      return Buffer.concat(
        parts.map((part, i) =>
          frame(i === 0 ? BINARY : CONTINUATION, part, { rsv: i === 0 ? 4 : 0, fin: i === split - 1, masked }),
        ),
      );
    };

    check(`a server: 8 connections, 1 GiB each ${name}: 1009, and memory stays`, async () => {
      const server = await launchServer({ options: { perMessageDeflate: true, maxPayload: MIB + 65_536 } });
      const wires = await Promise.all(Array.from({ length: 8 }, () => server.open(DEFLATE)));
      const warm = await server.open(DEFLATE);
      expect(await warm.echoes('warm')).toBe(true);
      const before = await server.memory();
      const codes = await Promise.all(wires.map((wire) => wire.write(frames(true)).closeCode()));
      const after = await server.memory();
      expect(new Set(codes)).toEqual(new Set([1009]));
      expect(after.peak - before.rss).toBeLessThan(mostRise(8));
      expect(after.kept - before.kept).toBeLessThan(4 * MIB);
    });

    check(`a client: 1 GiB ${name}: 1009, and memory stays`, async () => {
      const client = await launchClient();
      const url = await hostileAfterOpen(async (wire) => {
        wire.write(frames(false));
        await wire.closeCode();
        wire.socket.end();
      }, NO_TAKEOVER);
      const before = await client.memory();
      const endings = await Promise.all(
        Array.from({ length: 4 }, () => client.outcome({ url, options: { maxPayload: 2 * MIB } })),
      );
      const after = await client.memory();
      for (const ending of endings) expect(ending).toMatchObject({ opened: true, sent: 1009, messages: [] });
      expect(after.peak - before.rss).toBeLessThan(mostRise(8));
    });
  }

  check('a server whose limit is off passes nothing on that is larger than `maxRatio` allows', async () => {
    const server = await launchServer({ options: { perMessageDeflate: { maxRatio: 100 }, maxPayload: 0 } });
    const wire = await server.open(DEFLATE);
    const before = await server.memory();
    wire.write(frame(BINARY, BOMB, { rsv: 4 }));
    expect(await wire.closeCode()).toBe(1009);
    expect((await server.memory()).peak - before.rss).toBeLessThan(256 * MIB);
  });
});

advisory('compressed-size', (check) => {
  const LIMIT = 100_000;
  const server = sharedServer({ options: { perMessageDeflate: true, maxPayload: LIMIT } });
  const client = sharedClient();
  const small = squeezed('a'.repeat(LIMIT + 1));

  check('less than 1 KiB that inflates to a byte over the limit is 1009 on a server', async () => {
    expect(small.length).toBeLessThan(1024);
    const wire = await server().open(DEFLATE);
    wire.write(frame(TEXT, small, { rsv: 4 }));
    expect(await wire.closeCode()).toBe(1009);
  });

  check('one byte less is a message', async () => {
    const wire = await server().open(DEFLATE);
    wire.write(frame(TEXT, squeezed('a'.repeat(LIMIT)), { rsv: 4 }));
    const echo = await wire.frame();
    expect([echo?.opcode, echo?.rsv]).toEqual([TEXT, 4]);
  });

  check('over the limit together, in fragments that inflate to less each', async () => {
    const wire = await server().open(DEFLATE);
    wire.write(frame(TEXT, small.subarray(0, 50), { rsv: 4, fin: false }));
    wire.write(frame(CONTINUATION, small.subarray(50)));
    expect(await wire.closeCode()).toBe(1009);
  });

  check('a client', async () => {
    const url = await hostileAfterOpen(async (wire) => {
      wire.write(frame(TEXT, small, { rsv: 4, masked: false }));
      await wire.closeCode();
      wire.socket.end();
    }, NO_TAKEOVER);
    const ending = await client().outcome({ url, options: { maxPayload: LIMIT } });
    expect(ending).toMatchObject({ opened: true, sent: 1009, messages: [] });
  });
});

advisory('breach', (check) => {
  const byDefault = sharedServer();
  const compressing = sharedServer({ options: { perMessageDeflate: { threshold: 0 } } });
  const client = sharedClient();
  const secret = 'secret '.repeat(300);

  check('a server without options agrees to no compression', async () => {
    const wire = await byDefault().open(DEFLATE);
    wire.write(frame(TEXT, secret));
    expect((await wire.frame())?.payload).toHaveLength(secret.length);
  });

  check('what a client sends with `compress: false` goes out as it is, what it sends else does not', async () => {
    const id = await client().connect({ url: `ws://127.0.0.1:${compressing().port}/` });
    await client().ask('opened', id);
    expect(await client().ask('agreed', id)).toMatchObject({ extensions: 'permessage-deflate' });
    const lengths: [number, number][] = [];
    const url = await hostileAfterOpen(async (wire) => {
      for (let i = 0; i < 2; i++) {
        const got = await wire.frame();
        if (got) lengths.push([got.rsv, got.payload.length]);
      }
      wire.cut();
    }, NO_TAKEOVER);
    const other = await client().connect({ url });
    await client().ask('opened', other);
    await client().ask('send', { id: other, text: secret, compress: false });
    await client().ask('send', { id: other, text: secret });
    await client().ended(other);
    expect(lengths).toEqual([
      [0, secret.length],
      [4, expect.any(Number)],
    ]);
    await client().ask('terminate', id);
  });

  check(
    'on a connection without context takeover equal messages have equal lengths: nothing of one shows in the next',
    async () => {
      const wire = await compressing().open(DEFLATE);
      const lengths = [];
      for (let i = 0; i < 3; i++) {
        wire.write(frame(TEXT, secret));
        lengths.push((await wire.frame())?.payload.length);
      }
      expect(new Set(lengths).size).toBe(1);
    },
  );
});
