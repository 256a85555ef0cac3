import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { hostileAfterOpen, launchClient, launchServer } from './victims.js';
import { BINARY, CONTINUATION, frame, PING, request, TEXT, type Wire } from './wire.js';

const MIB = 2 ** 20;

/** What an unfinished message may hold, whatever it came in: twice its limit. */
const MOST = 2 * MIB;

/** Fragments that are allowed by default. */
const FRAGMENTS = 131_072;

/** As many continuation frames, none of which ends the message. */
function continuations(count: number, payload: string, masked: boolean): Buffer {
  const one = frame(CONTINUATION, payload, { fin: false, masked });
  return Buffer.concat(Array.from({ length: count }, () => one));
}

async function flood(wire: Wire, count: number, payload: string, masked: boolean): Promise<void> {
  wire.write(frame(BINARY, payload, { fin: false, masked }));
  const part = continuations(8192, payload, masked);
  for (let sent = 1; sent + 8192 <= count; sent += 8192) await wire.push(part);
  await wire.push(continuations((count - 1) % 8192, payload, masked));
}

const FLOODS = [
  { name: 'of one byte', payload: 'x' },
  { name: 'of no byte at all', payload: '' },
];

advisory('tiny-fragments', (check) => {
  for (const { name, payload } of FLOODS) {
    check(`B-06 a server: as many fragments ${name} as it takes, and the message goes on`, async () => {
      const server = await launchServer();
      const wire = await server.open();
      expect(await wire.echoes('warm')).toBe(true);
      const before = await server.memory();
      await flood(wire, FRAGMENTS, payload, true);
      expect(await wire.answersPing('all of them read')).toBe(true);
      const after = await server.memory();
      expect(after.kept - before.kept).toBeLessThan(MOST);

      // One more is too many.
      wire.write(frame(CONTINUATION, payload, { fin: false }));
      expect(await wire.closeCode()).toBe(1008);
      expect(await server.closed(1)).toMatchObject([{ errorCode: 'WS_ERR_TOO_MANY_BUFFERED_PARTS', sent: 1008 }]);
    });
  }

  check('a server: a frame of 256 KiB that comes in chunks of one byte', async () => {
    const server = await launchServer({ way: 'bytes' });
    const wire = await server.open();
    expect(await wire.echoes('warm')).toBe(true);
    const before = await server.memory();
    const length = 262_000; // of 262 144 chunks that are allowed
    await wire.push(frame(BINARY, '', { announced: length + 1 }));
    await wire.push(Buffer.alloc(length, 'x'));
    await server.expectUnharmed();
    let after = await server.memory();
    expect(after.kept - before.kept).toBeLessThan(MOST);
    wire.write('x');
    expect((await wire.frame())?.payload).toHaveLength(length + 1);
    after = await server.memory();
    expect(after.kept - before.kept).toBeLessThan(MOST);
  });

  check('a server: more chunks of one byte than `maxBufferedChunks` are 1008', async () => {
    const server = await launchServer({ way: 'bytes', options: { maxBufferedChunks: 1000 } });
    const wire = await server.open();
    wire.write(frame(BINARY, Buffer.alloc(2000, 'x')));
    expect(await wire.closeCode()).toBe(1008);
  });

  check('B-32 a server: pings between the fragments do not make them other messages', async () => {
    const server = await launchServer();
    const wire = await server.open();
    wire.write(frame(TEXT, 'a', { fin: false }));
    for (let i = 0; i < 100; i++) {
      wire.write(Buffer.concat([frame(PING, String(i)), frame(CONTINUATION, 'b', { fin: false })]));
      expect((await wire.frame())?.payload.toString()).toBe(String(i));
    }
    wire.write(frame(CONTINUATION, 'c'));
    expect((await wire.frame())?.payload.toString()).toBe(`a${'b'.repeat(100)}c`);
  });
});

advisory('client-fragments', (check) => {
  for (const { name, payload } of FLOODS) {
    check(`as many fragments ${name} as a client takes, and one more`, async () => {
      const client = await launchClient();
      const wires: Wire[] = [];
      const url = await hostileAfterOpen((wire) => void wires.push(wire));
      const id = await client.connect({ url });
      await client.ask('opened', id);
      const [wire] = wires;
      if (wire === undefined) throw new Error('nobody came');
      const before = await client.memory();
      await flood(wire, FRAGMENTS, payload, false);
      wire.write(frame(PING, 'all of them read', { masked: false }));
      expect((await wire.frame())?.payload.toString()).toBe('all of them read');
      const after = await client.memory();
      expect(after.kept - before.kept).toBeLessThan(MOST);

      wire.write(frame(CONTINUATION, payload, { fin: false, masked: false }));
      expect(await wire.closeCode()).toBe(1008);
      wire.socket.end();
      expect(await client.ended(id)).toMatchObject({ error: 'WS_ERR_TOO_MANY_BUFFERED_PARTS', messages: [] });
    });
  }
});

/** Each of them within every limit of its own. */
const PARKED: [name: string, memoryLimit: number, park: (wire: Wire) => Promise<void>][] = [
  ['a fragment of one byte less than it may have', 4 * MIB, (wire) => flood(wire, FRAGMENTS - 1, 'x', true)],
  ['a byte less than it may have', 16 * MIB, (wire) => wire.push(frame(BINARY, Buffer.alloc(MIB - 1), { fin: false }))],
];

advisory('parked-messages', (check) => {
  const CONNECTIONS = 50;

  for (const [name, memoryLimit, park] of PARKED) {
    check(
      `${CONNECTIONS} messages, each ${name}: a server keeps to its \`memoryLimit\`, and sheds the others`,
      async () => {
        const server = await launchServer({ options: { memoryLimit } });
        const wires = await Promise.all(Array.from({ length: CONNECTIONS }, () => server.open()));
        const before = await server.memory();
        // All of it is read: who was let be answers, and who was not is told.
        const letBe = await Promise.all(
          wires.map(async (wire) => {
            await park(wire);
            return wire.answersPing('read');
          }),
        );
        await server.expectUnharmed();
        const shed = await server.closed(1);
        for (const ending of shed)
          expect(ending).toMatchObject({ errorCode: 'WS_ERR_MEMORY_LIMIT', initiator: 'limit' });
        const after = await server.memory();
        expect(after.kept - before.kept).toBeLessThan(1.5 * memoryLimit);
        // Some were let be: who of them finishes is answered.
        const lengths = [];
        for (const wire of wires.filter((_, at) => letBe[at])) {
          const echo = await wire.write(frame(CONTINUATION, 'x')).frame();
          if (echo?.opcode === BINARY) lengths.push(echo.payload.length);
        }
        expect(lengths.length).toBeGreaterThan(0);
        expect(new Set(lengths).size).toBe(1);
        for (const wire of wires) wire.cut();
        // When they are gone there is room again.
        let { status } = await server.answerTo(request());
        while (status === 503) ({ status } = await server.answerTo(request()));
        expect(status).toBe(101);
      },
    );
  }

  check(`${CONNECTIONS} messages that are never finished: \`messageTimeout\` ends each of them with 1008`, async () => {
    const server = await launchServer({ options: { messageTimeout: 300 } });
    const wires = await Promise.all(Array.from({ length: CONNECTIONS }, () => server.open()));
    for (const [at, wire] of wires.entries())
      wire.write(at % 2 ? frame(BINARY, 'x', { fin: false }) : frame(BINARY, 'x', { announced: 1000 }));
    // A ping now and then is no progress.
    const pings = setInterval(() => {
      for (const [at, wire] of wires.entries()) if (at % 2 && wire.ending === undefined) wire.write(frame(PING, ''));
    }, 50);
    const codes = await Promise.all(wires.map((wire) => wire.closeCode()));
    clearInterval(pings);
    expect(new Set(codes)).toEqual(new Set([1008]));
    const endings = await server.closed(CONNECTIONS);
    expect(new Set(endings.map(({ errorCode }) => errorCode))).toEqual(new Set(['WS_ERR_MESSAGE_TIMEOUT']));
  });
});
