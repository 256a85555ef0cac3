import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { hostileAfterOpen, launchClient, launchServer, sharedClient, sharedServer } from './victims.js';
import { BINARY, CONTINUATION, frame, TEXT, type Wire } from './wire.js';

const MIB = 2 ** 20;

/** The server's default, and what the clients here are given. */
const LIMIT = MIB;

advisory('no-limit', (check) => {
  const server = sharedServer();
  const client = sharedClient();

  check('a server without options closes with 1009 at a header over 1 MiB, its payload not sent', async () => {
    const wire = await server().open();
    wire.write(frame(BINARY, '', { announced: LIMIT + 1 }));
    expect(await wire.closeCode()).toBe(1009);
    const [ending] = await server().closed(1);
    expect(ending).toMatchObject({ errorCode: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', initiator: 'limit', sent: 1009 });
  });

  check('a message of the very limit is echoed', async () => {
    const wire = await server().open();
    wire.write(frame(BINARY, Buffer.alloc(LIMIT, 7)));
    expect((await wire.frame())?.payload.equals(Buffer.alloc(LIMIT, 7))).toBe(true);
  });

  check('a client closes with 1009 at a header over its limit', async () => {
    const told: (number | undefined)[] = [];
    const url = await hostileAfterOpen(async (wire) => {
      wire.write(frame(BINARY, '', { announced: LIMIT + 1, masked: false }));
      told.push(await wire.closeCode());
      wire.socket.end();
    });
    const ending = await client().outcome({ url, options: { maxPayload: LIMIT } });
    expect(ending).toMatchObject({ error: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', sent: 1009, messages: [] });
    expect(told).toEqual([1009]);
  });

  check('a client without options has a limit too: 100 MiB', async () => {
    const url = await hostileAfterOpen(async (wire) => {
      wire.write(frame(BINARY, '', { announced: 100 * MIB + 1, masked: false }));
      await wire.closeCode();
      wire.socket.end();
    });
    expect(await client().outcome({ url })).toMatchObject({ error: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', sent: 1009 });
  });
});

advisory('announced-length', (check) => {
  const ANNOUNCING = 100;

  check(
    '100 connections announce a message of 1 MiB and send a byte of it: a server keeps no 2 % of that',
    async () => {
      const server = await launchServer();
      const wires = await Promise.all(Array.from({ length: ANNOUNCING }, () => server.open()));
      const before = await server.memory();
      for (const wire of wires) await wire.push(frame(BINARY, 'x', { announced: LIMIT }));
      await server.expectUnharmed();
      const after = await server.memory();
      expect(after.kept - before.kept).toBeLessThan(0.02 * ANNOUNCING * LIMIT);
      expect(after.peak - before.peak).toBeLessThan(0.2 * ANNOUNCING * LIMIT);
    },
  );

  check('a server announces 99 MiB to a client and sends a byte', async () => {
    const client = await launchClient();
    const wires: Wire[] = [];
    const url = await hostileAfterOpen((wire) => void wires.push(wire));
    const ids = await Promise.all(Array.from({ length: 10 }, () => client.connect({ url })));
    await Promise.all(ids.map((id) => client.ask('opened', id)));
    const before = await client.memory();
    for (const wire of wires) await wire.push(frame(BINARY, 'x', { announced: 99 * MIB, masked: false }));
    const after = await client.memory();
    expect(after.kept - before.kept).toBeLessThan(MIB);
    expect(after.peak - before.peak).toBeLessThan(20 * MIB);
  });
});

/** Name, and whether it is more than a number can hold exactly. */
const LENGTHS: [name: string, length: bigint, unsafe: boolean][] = [
  ['2^31', 2n ** 31n, false],
  ['2^32', 2n ** 32n, false],
  ['2^32 + 1', 2n ** 32n + 1n, false],
  ['2^53 - 1', 2n ** 53n - 1n, false],
  ['2^53', 2n ** 53n, true],
  ['2^63', 2n ** 63n, true],
  ['2^63 + 5', 2n ** 63n + 5n, true],
  ['2^64 - 1', 2n ** 64n - 1n, true],
];

advisory('length-64', (check) => {
  const limited = sharedServer();
  const boundless = sharedServer({ options: { maxPayload: 0 } });
  const client = sharedClient();

  for (const [name, announced, unsafe] of LENGTHS) {
    for (const opcode of [TEXT, BINARY]) {
      check(`B-33 ${name} to a server, opcode ${opcode}: 1009 at the header`, async () => {
        const wire = await limited().open();
        wire.write(frame(opcode, 'abc', { announced }));
        expect(await wire.closeCode()).toBe(1009);
      });
    }

    check(`B-33 ${name} to a client: 1009 at the header`, async () => {
      const url = await hostileAfterOpen(async (wire) => {
        wire.write(frame(BINARY, 'abc', { announced, masked: false }));
        await wire.closeCode();
        wire.socket.end();
      });
      expect(await client().outcome({ url })).toMatchObject({ sent: 1009, messages: [] });
    });

    check(`${name} to a server without a limit: ${unsafe ? '1009' : 'waited for, and nothing allocated'}`, async () => {
      const wire = await boundless().open();
      const before = await boundless().memory();
      wire.write(frame(BINARY, 'abc', { announced }));
      if (unsafe) expect(await wire.closeCode()).toBe(1009);
      await boundless().expectUnharmed();
      expect((await boundless().memory()).kept - before.kept).toBeLessThan(MIB);
      expect(wire.ending).toBe(unsafe ? 'FIN' : undefined);
    });
  }
});

advisory('sum-of-fragments', (check) => {
  const server = sharedServer({ options: { maxPayload: 1000 } });
  const client = sharedClient();
  const fragments = (masked: boolean): Buffer[] => [
    frame(TEXT, 'a'.repeat(400), { fin: false, masked }),
    frame(CONTINUATION, 'a'.repeat(400), { fin: false, masked }),
    frame(CONTINUATION, '', { announced: 201, masked }),
  ];

  check('B-06 a server: 400 + 400 + 201 bytes of 1000 are 1009 at the third header', async () => {
    const wire = await server().open();
    wire.write(Buffer.concat(fragments(true)));
    expect(await wire.closeCode()).toBe(1009);
  });

  check('a server: 400 + 400 + 200 bytes are a message', async () => {
    const wire = await server().open();
    const [first = '', second = ''] = fragments(true);
    wire
      .write(first)
      .write(second)
      .write(frame(CONTINUATION, 'b'.repeat(200)));
    expect((await wire.frame())?.payload).toHaveLength(1000);
  });

  check('a client: the same', async () => {
    const told: (number | undefined)[] = [];
    const url = await hostileAfterOpen(async (wire) => {
      wire.write(Buffer.concat(fragments(false)));
      told.push(await wire.closeCode());
      wire.socket.end();
    });
    expect(await client().outcome({ url, options: { maxPayload: 1000 } })).toMatchObject({ sent: 1009, messages: [] });
    expect(told).toEqual([1009]);
  });
});
