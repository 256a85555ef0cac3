import { expect } from '@jest/globals';
import { createServer } from 'node:net';
import { hex } from '@ws/testing';
import { advisory } from './advisory.js';
import {
  accepting,
  hostileAfterOpen,
  launchClient,
  launchServer,
  listen,
  sharedClient,
  sharedServer,
} from './victims.js';
import { BINARY, CLOSE, frame, PING, TEXT, Wire } from './wire.js';

const MIB = 2 ** 20;
const NORMAL = hex`03e8`;
/** ms */
const CLOSE_TIMEOUT = 300;

/** Goes on talking until it is cut. */
async function talk(wire: Wire, bytes: Uint8Array): Promise<number> {
  let sent = 0;
  while (!wire.socket.destroyed && wire.ending !== 'RST' && wire.socket.writable) {
    await wire.push(bytes);
    sent += bytes.length;
    await new Promise(setImmediate);
  }
  return sent;
}

advisory('bytes-after-close', (check) => {
  const server = sharedServer();

  check('a message behind the Close frame is not echoed by a server', async () => {
    const wire = await server().open();
    wire.write(Buffer.concat([frame(CLOSE, NORMAL), frame(TEXT, 'too late'), frame(PING, 'too late'), hex`83 00`]));
    expect((await wire.frame())?.opcode).toBe(CLOSE);
    expect(await wire.frame()).toBeUndefined();
    expect(await server().closed(1)).toMatchObject([{ code: 1000, wasClean: true, errorCode: null }]);
  });

  check('a message behind the Close frame is no message to a client', async () => {
    const url = await hostileAfterOpen(async (wire) => {
      wire.write(
        Buffer.concat([
          frame(CLOSE, NORMAL, { masked: false }),
          frame(TEXT, 'too late', { masked: false }),
          hex`83 00`,
        ]),
      );
      await wire.closeCode();
      wire.socket.end();
    });
    expect(await clientOf().outcome({ url })).toMatchObject({ code: 1000, wasClean: true, messages: [], error: null });
  });

  const BEGINNINGS: [name: string, bytes: Uint8Array, rest: Uint8Array][] = [
    ['a Close frame, then good frames', frame(CLOSE, NORMAL), frame(BINARY, Buffer.alloc(16_384))],
    ['a Close frame, then garbage', frame(CLOSE, NORMAL), Buffer.alloc(16_384, 0xff)],
    ['what breaks a rule, then good frames', hex`83 80 00000000`, frame(BINARY, Buffer.alloc(16_384))],
    ['what breaks a rule, then the same', hex`83 80 00000000`, Buffer.alloc(16_384, hex`83 80 00000000`)],
  ];
  for (const [name, bytes, rest] of BEGINNINGS) {
    check(`B-12 ${name}, and no end of it: a server keeps none of it, and cuts`, async () => {
      const victim = await launchServer({ options: { closeTimeout: CLOSE_TIMEOUT } });
      const wire = await victim.open({}, { allowHalfOpen: true });
      const before = await victim.memory();
      wire.write(bytes);
      await talk(wire, rest);
      const [ending] = await victim.closed(1);
      expect(ending?.errorCode).toBe(name.startsWith('a Close') ? null : 'WS_ERR_INVALID_OPCODE');
      expect((await victim.memory()).kept - before.kept).toBeLessThan(2 * MIB);
    });
  }

  check('a server that goes on behind its Close frame is cut by a client', async () => {
    const client = clientOf();
    const url = await hostileAfterOpen(async (wire) => {
      wire.write(frame(CLOSE, NORMAL, { masked: false }));
      await talk(wire, frame(BINARY, Buffer.alloc(16_384), { masked: false }));
    });
    const before = await client.memory();
    const ending = await client.outcome({ url, options: { closeTimeout: CLOSE_TIMEOUT } });
    expect(ending).toMatchObject({ code: 1000, messages: [] });
    expect((await client.memory()).kept - before.kept).toBeLessThan(2 * MIB);
  });

  const clientOf = sharedClient();
});

advisory('tcp-close', (check) => {
  const server = sharedServer();
  const hasty = sharedServer({ options: { closeTimeout: CLOSE_TIMEOUT } });
  const client = sharedClient();

  check('B-11 a server ends TCP behind the two Close frames, and does not wait for the client to', async () => {
    const wire = await server().open({}, { allowHalfOpen: true });
    expect(await wire.write(frame(CLOSE, NORMAL)).closeCode()).toBe(1000);
    await wire.over();
    expect([wire.ending, wire.socket.writable]).toEqual(['FIN', true]);
  });

  check('a server that closes first ends TCP when it is answered', async () => {
    const wire = await server().open({}, { allowHalfOpen: true });
    await server().closings();
    await server().ask('close', { code: 1001 });
    expect(await wire.closeCode()).toBe(1001);
    wire.write(frame(CLOSE, hex`03e9`));
    await wire.over();
    expect(wire.ending).toBe('FIN');
    wire.socket.end();
    expect(await server().closed(1)).toMatchObject([{ code: 1001, wasClean: true }]);
  });

  check('B-11 a server that is never answered cuts', async () => {
    const wire = await hasty().open({}, { allowHalfOpen: true });
    await hasty().closings();
    await hasty().ask('close', { code: 1000 });
    expect(await wire.closeCode()).toBe(1000);
    await wire.over();
    expect(await hasty().closed(1)).toMatchObject([{ code: 1006, wasClean: false, sent: 1000 }]);
  });

  check('B-11 a client waits for the server to end TCP', async () => {
    const wires: Wire[] = [];
    const port = await listen(
      createServer({ allowHalfOpen: true }, (socket) => {
        const wire = new Wire(socket);
        wires.push(wire);
        void wire.head().then((head) => wire.write(accepting(head)));
      }),
    );
    const id = await client().connect({ url: `ws://127.0.0.1:${port}/` });
    await client().ask('opened', id);
    await client().ask('close', { id, code: 1000 });
    const [wire] = wires;
    if (wire === undefined) throw new Error('nobody came');
    expect(await wire.closeCode()).toBe(1000);
    wire.write(frame(CLOSE, NORMAL, { masked: false }));
    for (let turn = 0; turn < 20; turn++) await client().ask('cpu');
    expect(wire.ending).toBeUndefined();
    wire.socket.end();
    expect(await client().ended(id)).toMatchObject({ code: 1000, wasClean: true });
  });

  check('and cuts when it never does', async () => {
    const url = await hostileAfterOpen((wire) => wire.write(frame(CLOSE, NORMAL, { masked: false })));
    const ending = await client().outcome({ url, options: { closeTimeout: CLOSE_TIMEOUT } });
    expect(ending).toMatchObject({ code: 1000, wasClean: true });
  });
});

advisory('ping-flood', (check) => {
  const PINGS = 50_000;
  const batch = (from: number, masked: boolean): Buffer =>
    Buffer.concat(Array.from({ length: 1000 }, (_, i) => frame(PING, String(from + i).padEnd(125, '.'), { masked })));

  async function flood(wire: Wire, masked: boolean): Promise<void> {
    wire.socket.pause();
    for (let from = 0; from < PINGS; from += 1000) await wire.push(batch(from, masked));
  }

  /** Reads on until the newest ping is answered. */
  async function pongs(wire: Wire): Promise<number> {
    wire.socket.resume();
    for (let count = 1; ; count++) {
      const pong = await wire.frame();
      if (pong === undefined) throw new Error('the newest ping was not answered');
      if (pong.payload.toString().startsWith(`${PINGS - 1}.`)) return count;
    }
  }

  check('50 000 pings of who does not read: a server keeps few pongs, and the newest of them', async () => {
    const server = await launchServer();
    const wire = await server.open();
    const before = await server.memory();
    await flood(wire, true);
    await server.expectUnharmed();
    expect((await server.memory()).kept - before.kept).toBeLessThan(2 * MIB);
    expect(await pongs(wire)).toBeLessThan(PINGS);
    expect(await wire.echoes('it goes on')).toBe(true);
  });

  check('the same of a client', async () => {
    const client = await launchClient();
    const wires: Wire[] = [];
    const url = await hostileAfterOpen((wire) => void wires.push(wire));
    const id = await client.connect({ url });
    await client.ask('opened', id);
    const [wire] = wires;
    if (wire === undefined) throw new Error('nobody came');
    const before = await client.memory();
    await flood(wire, false);
    expect((await client.memory()).kept - before.kept).toBeLessThan(2 * MIB);
    expect(await pongs(wire)).toBeLessThan(PINGS);
  });

  const server = sharedServer();
  check('a hundred pings in one segment are no offence: each or the newest is answered', async () => {
    const wire = await server().open();
    wire.write(Buffer.concat(Array.from({ length: 100 }, (_, i) => frame(PING, String(i)))));
    let last = '';
    while (last !== '99') last = (await wire.frame())?.payload.toString() ?? '99 never came';
    expect(await wire.echoes('it goes on')).toBe(true);
  });
});
