import { expect } from '@jest/globals';
import { hex } from '@ws/testing';
import { advisory } from './advisory.js';
import { hostileAfterOpen, launchClient, sharedClient, sharedServer, type ClientVictim } from './victims.js';
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT, type Frame, type Headers, type Wire } from './wire.js';

const DEFLATE: Headers = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
const OPCODES = [TEXT, BINARY, PING, PONG, CLOSE];

/** What a client answers these bytes with; the connection ends behind them. */
async function codeOfClient(
  client: ClientVictim,
  bytes: Uint8Array,
  headers: Headers = {},
): Promise<number | undefined> {
  const told: (number | undefined)[] = [];
  const url = await hostileAfterOpen(async (wire) => {
    wire.write(bytes);
    told.push(await wire.closeCode());
    wire.socket.end();
  }, headers);
  const ending = await client.outcome({ url });
  expect([ending.opened, ending.messages]).toEqual([true, []]);
  return told[0];
}

/** What a client sends to who opens and listens. */
async function sentBy(client: ClientVictim, texts: readonly string[], times: number): Promise<Frame[]> {
  const wires: Wire[] = [];
  const url = await hostileAfterOpen((wire) => void wires.push(wire));
  const id = await client.connect({ url, options: { perMessageDeflate: false } });
  await client.ask('opened', id);
  const [wire] = wires;
  if (wire === undefined) throw new Error('nobody came');
  const frames: Frame[] = [];
  for (const text of texts) {
    await client.ask('send', { id, text, times });
    for (let n = 0; n < times; n++) {
      const got = await wire.frame();
      if (got) frames.push(got);
    }
  }
  await client.ask('terminate', id);
  return frames;
}

advisory('mask-direction', (check) => {
  const server = sharedServer();
  const client = sharedClient();

  for (const opcode of OPCODES) {
    check(`B-03 opcode ${opcode} without a mask to a server: 1002`, async () => {
      for (const payload of ['', opcode === CLOSE ? Buffer.of(3, 232) : 'a']) {
        const wire = await server().open();
        expect(await wire.write(frame(opcode, payload, { masked: false })).closeCode()).toBe(1002);
      }
    });

    check(`B-03 opcode ${opcode} with a mask to a client: 1002`, async () => {
      const payload = opcode === CLOSE ? Buffer.of(3, 232) : 'a';
      expect(await codeOfClient(client(), frame(opcode, payload))).toBe(1002);
    });
  }

  check('the mask is missed at the second byte, not when the frame is there', async () => {
    const wire = await server().open();
    expect(await wire.write(hex`82 7f`).closeCode()).toBe(1002);
  });

  check('what a server sends is not masked, whatever it is', async () => {
    const wire = await server().open();
    for (const [opcode, answer] of [
      [TEXT, TEXT],
      [BINARY, BINARY],
      [PING, PONG],
      [CLOSE, CLOSE],
    ] as const) {
      const got = await wire.write(frame(opcode, opcode === CLOSE ? Buffer.of(3, 232) : 'a')).frame();
      expect([got?.opcode, got?.maskingKey]).toEqual([answer, undefined]);
    }
  });
});

advisory('mask-keys', (check) => {
  const FRAMES = 4096;
  const client = sharedClient();

  check('of 4 096 frames no two have a key in common, and each bit of it is set in half of them', async () => {
    const frames = await sentBy(client(), ['x', 'x'.repeat(200)], FRAMES / 2 - 64);
    frames.push(...(await sentBy(client(), ['y', 'y'.repeat(70_000)], 64)));
    const keys = frames.map(({ maskingKey }) => maskingKey ?? Number.NaN);
    expect(keys).toHaveLength(FRAMES);
    expect(keys.every((key) => Number.isInteger(key))).toBe(true);
    // Two of 4 096 are the same in one run of 500, three pairs in none.
    expect(new Set(keys).size).toBeGreaterThan(FRAMES - 3);
    for (let bit = 0; bit < 32; bit++) {
      const ones = keys.filter((key) => (key >>> bit) & 1).length;
      expect(Math.abs(ones - FRAMES / 2)).toBeLessThan(8 * Math.sqrt(FRAMES / 4)); // eight standard deviations
    }
    // No key follows from the one before by what can be added to it.
    const steps = keys.slice(1).map((key, at) => (key - (keys[at] ?? 0)) >>> 0);
    expect(new Set(steps).size).toBeGreaterThan(FRAMES - 10);
  });

  check('two processes do not begin with the same keys', async () => {
    const one = await sentBy(client(), ['x'], 20);
    const other = await sentBy(await launchClient(), ['x'], 20);
    const keys = [...one, ...other].map(({ maskingKey }) => maskingKey);
    expect(new Set(keys).size).toBe(40);
  });
});

advisory('reserved-bits', (check) => {
  const plain = sharedServer();
  const compressing = sharedServer({ options: { perMessageDeflate: true } });
  const client = sharedClient();

  check('each of them on each frame, to a server without extensions: 1002', async () => {
    for (const opcode of OPCODES) {
      for (let rsv = 1; rsv < 8; rsv++) {
        const wire = await plain().open();
        expect([opcode, rsv, await wire.write(frame(opcode, '', { rsv })).closeCode()]).toEqual([opcode, rsv, 1002]);
      }
    }
  });

  check('RSV2 and RSV3 to a server that compresses: 1002', async () => {
    for (const opcode of OPCODES) {
      for (const rsv of [1, 2, 3, 5, 6, 7]) {
        const wire = await compressing().open(DEFLATE);
        expect([opcode, rsv, await wire.write(frame(opcode, '', { rsv })).closeCode()]).toEqual([opcode, rsv, 1002]);
      }
    }
  });

  check('RSV1 on a later fragment, whatever the first one had: 1002', async () => {
    for (const rsv of [0, 4]) {
      const wire = await compressing().open(DEFLATE);
      wire.write(frame(TEXT, rsv ? hex`f248` : 'He', { rsv, fin: false }));
      expect(await wire.write(frame(CONTINUATION, hex`cdc9c90700`, { rsv: 4 })).closeCode()).toBe(1002);
    }
  });

  check('the same to a client', async () => {
    for (let rsv = 1; rsv < 8; rsv++) {
      expect(await codeOfClient(client(), frame(TEXT, '', { rsv, masked: false }))).toBe(1002);
      if (rsv !== 4) expect(await codeOfClient(client(), frame(TEXT, '', { rsv, masked: false }), DEFLATE)).toBe(1002);
    }
    const later = Buffer.concat([
      frame(TEXT, hex`f248`, { rsv: 4, fin: false, masked: false }),
      frame(CONTINUATION, hex`cdc9c90700`, { rsv: 4, masked: false }),
    ]);
    expect(await codeOfClient(client(), later, DEFLATE)).toBe(1002);
  });
});

advisory('compressed-control', (check) => {
  const server = sharedServer({ options: { perMessageDeflate: true } });
  const client = sharedClient();
  /** "Hello" and a code, deflated. */
  const payload = (opcode: number): Uint8Array => (opcode === CLOSE ? hex`62 7e 01 00` : hex`f248cdc9c90700`);

  for (const opcode of [PING, PONG, CLOSE]) {
    check(`opcode ${opcode} with RSV1 where compression is agreed: 1002, on both ends`, async () => {
      const wire = await server().open(DEFLATE);
      expect(await wire.write(frame(opcode, payload(opcode), { rsv: 4 })).closeCode()).toBe(1002);
      expect(await codeOfClient(client(), frame(opcode, payload(opcode), { rsv: 4, masked: false }), DEFLATE)).toBe(
        1002,
      );
    });
  }

  check('a ping between compressed fragments is answered as it is', async () => {
    const wire = await server().open(DEFLATE);
    wire.write(frame(TEXT, hex`f248cd`, { rsv: 4, fin: false }));
    const pong = await wire.write(frame(PING, 'as it is')).frame();
    expect([pong?.rsv, pong?.payload.toString()]).toEqual([0, 'as it is']);
    const echo = await wire.write(frame(CONTINUATION, hex`c9c90700`)).frame();
    expect(echo?.payload.toString()).toBe('Hello');
  });
});

/** RFC 6455 §7.4.1, §7.4.2, and the registry. */
const MAY_TRAVEL = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999];
const MAY_NOT = [0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 10_000, 65_535];

const codeBytes = (code: number): Buffer => Buffer.of(code >> 8, code & 0xff);

advisory('close-codes', (check) => {
  const server = sharedServer();
  const client = sharedClient();

  check('B-38 a server answers those that may travel with the same', async () => {
    for (const code of MAY_TRAVEL) {
      const wire = await server().open();
      expect(await wire.write(frame(CLOSE, codeBytes(code))).closeCode()).toBe(code);
      expect(await server().closed(1)).toMatchObject([{ code, wasClean: true }]);
    }
  });

  check('B-09 a server answers the others with 1002', async () => {
    for (const code of MAY_NOT) {
      const wire = await server().open();
      expect([code, await wire.write(frame(CLOSE, codeBytes(code))).closeCode()]).toEqual([code, 1002]);
      expect(await server().closed(1)).toMatchObject([
        { code: 1006, wasClean: false, errorCode: 'WS_ERR_INVALID_CLOSE_CODE' },
      ]);
    }
  });

  check('a client does both', async () => {
    for (const code of MAY_TRAVEL)
      expect(await codeOfClient(client(), frame(CLOSE, codeBytes(code), { masked: false }))).toBe(code);
    for (const code of MAY_NOT)
      expect([code, await codeOfClient(client(), frame(CLOSE, codeBytes(code), { masked: false }))]).toEqual([
        code,
        1002,
      ]);
  });

  check(
    'B-02 B-09 a payload of one byte, a reason of 124, a reason that is no UTF-8: 1002, 1002, 1007 on both ends',
    async () => {
      const CASES: [payload: Uint8Array, code: number][] = [
        [Buffer.of(3), 1002],
        [Buffer.concat([codeBytes(1000), Buffer.alloc(124, 'a')]), 1002],
        [Buffer.concat([codeBytes(1000), Buffer.of(0xc3, 0x28)]), 1007],
        [Buffer.concat([codeBytes(1000), Buffer.from('é').subarray(0, 1)]), 1007],
      ];
      for (const [payload, code] of CASES) {
        const wire = await server().open();
        expect(await wire.write(frame(CLOSE, payload)).closeCode()).toBe(code);
        expect(await codeOfClient(client(), frame(CLOSE, payload, { masked: false }))).toBe(code);
      }
    },
  );

  check('no code at all is answered with none, and is 1005 to the program', async () => {
    const wire = await server().open();
    await server().closings();
    expect(await wire.write(frame(CLOSE, '')).closeCode()).toBe(1005);
    expect(await server().closed(1)).toMatchObject([{ code: 1005, wasClean: true }]);
  });

  check('B-09 a program cannot send what may not travel, and the connection goes on', async () => {
    const wire = await server().open();
    for (const code of MAY_NOT) await expect(server().ask('close', { code })).rejects.toThrow('RangeError');
    await expect(server().ask('close', { code: 1000, reason: 'é'.repeat(62) })).rejects.toThrow('RangeError');
    expect(await wire.echoes('it goes on')).toBe(true);
    await server().ask('close', { code: 4999, reason: 'é'.repeat(61) });
    expect(await wire.closeCode()).toBe(4999);
  });
});
