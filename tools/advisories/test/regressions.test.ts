import { describe, expect, test } from '@jest/globals';
import { deflateRawSync, inflateRawSync, constants } from 'node:zlib';
import { LINEAR, timeRatio } from './ratio.js';
import { hostileAfterOpen, launchServer, sharedClient, sharedServer } from './victims.js';
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, request, TEXT, Wire } from './wire.js';
import { hex } from '@ws/testing';

const DEFLATE = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
const MIB = 2 ** 20;

describe('faults that must not come back: see regressions.mjs', () => {
  const server = sharedServer({ options: { maxPayload: 64 * MIB } });
  const small = sharedServer({ options: { perMessageDeflate: { threshold: 0 } } });
  const client = sharedClient();

  test('B-05: a large frame in small pieces takes time in proportion to its length', async () => {
    const victim = await launchServer({ way: 'pieces', echo: false, options: { maxPayload: 0, maxBufferedChunks: 0 } });
    // 512 KiB and 2 MiB, in pieces of 100 bytes.
    const ratio = await timeRatio(
      victim,
      async (length) => {
        const wire = await victim.open();
        wire.write(frame(BINARY, Buffer.alloc(length * 32)));
        expect(await wire.answersPing('read')).toBe(true);
        wire.cut();
      },
      3,
    );
    expect(ratio).toBeLessThan(LINEAR);
  });

  test('B-08: a ping comes back byte for byte, whatever is in it', async () => {
    const wire = await server().open();
    for (const payload of [hex`ff`, hex`c328`, hex`00`, Buffer.from(Array.from({ length: 125 }, (_, i) => 255 - i))]) {
      const pong = await wire.write(frame(PING, payload)).frame();
      expect([pong?.opcode, pong?.payload.toString('hex')]).toEqual([PONG, Buffer.from(payload).toString('hex')]);
    }
  });

  test('B-13 B-14: `close` comes once and last, and the state is CLOSED then, however it ends', async () => {
    const ends: ((wire: Wire) => unknown)[] = [
      (wire) => wire.socket.resetAndDestroy(),
      (wire) => wire.socket.end(),
      (wire) => wire.socket.destroy(),
      (wire) => wire.write(frame(CLOSE, hex`03e8`, { masked: false })).socket.end(),
      (wire) =>
        wire
          .write(Buffer.concat([frame(CLOSE, '', { masked: false }), frame(CLOSE, '', { masked: false })]))
          .socket.end(),
      (wire) => wire.write(hex`83 00 83 00 83 00`).socket.end(),
      (wire) => wire.write(hex`83 00`).socket.resetAndDestroy(),
    ];
    for (const end of ends) {
      const url = await hostileAfterOpen((wire) => void end(wire));
      const { events, readyState } = await client().outcome({ url });
      expect([events.filter((event) => event === 'close').length, events.at(-1), readyState]).toEqual([1, 'close', 3]);
    }
  });

  test('B-15: a length that is not minimal is 1002 at its header, and blocks nothing', async () => {
    for (const header of [
      hex`82 fe 007d 00000000`,
      hex`82 ff 000000000000ffff 00000000`,
      hex`82 ff 0000000000000001 00000000`,
    ]) {
      const wire = await server().open();
      expect(await wire.write(header).closeCode()).toBe(1002);
    }
  });

  test('B-19: `Connection` and `Upgrade` are lists, in any case, with any blanks, in any number of lines', async () => {
    for (const connection of [
      'Upgrade',
      'upgrade',
      'keep-alive, Upgrade',
      'keep-alive,Upgrade',
      'UPGRADE ,keep-alive',
      ',,upgrade,',

      ['keep-alive', 'Upgrade'],
    ])
      for (const upgrade of ['websocket', 'WebSocket', 'h2c, websocket', ['h2c', 'WEBSOCKET']]) {
        const { status } = await server().answerTo(request({ Connection: connection, Upgrade: upgrade }));
        expect([connection, upgrade, status]).toEqual([connection, upgrade, 101]);
      }
    for (const connection of ['Upgradex', 'xUpgrade', 'Up grade', '"Upgrade"', 'keep-alive'])
      expect((await server().answerTo(request({ Connection: connection }))).status).not.toBe(101);
  });

  test('B-21: small, empty, uncompressed and large messages in turn: each says of itself whether it is compressed', async () => {
    const texts = ['small', '', 'small', 'x'.repeat(5000), '', '', 'end'];
    const wires: Wire[] = [];
    const url = await hostileAfterOpen((wire) => void wires.push(wire), {
      'Sec-WebSocket-Extensions': 'permessage-deflate; server_no_context_takeover; client_no_context_takeover',
    });
    const id = await client().connect({ url, options: { perMessageDeflate: { threshold: 0 } } });
    await client().ask('opened', id);
    for (const [at, text] of texts.entries()) void client().ask('send', { id, text, compress: at % 3 !== 2 });
    for (const [at, text] of texts.entries()) {
      const got = await wires[0]?.frame();
      const bytes = got?.payload ?? Buffer.alloc(0);
      const inflated =
        got?.rsv === 4
          ? inflateRawSync(Buffer.concat([bytes, hex`0000ffff`]), { finishFlush: constants.Z_SYNC_FLUSH })
          : bytes;
      expect([at, got?.opcode, inflated.toString()]).toEqual([at, TEXT, text]);
      if (at % 3 === 2) expect(got?.rsv).toBe(0);
    }
    await client().ask('terminate', id);
  });

  test('B-23: 1 000 connections that compress, and have done so, keep less than 16 KiB each', async () => {
    const victim = await launchServer({ options: { perMessageDeflate: true } });
    const message = frame(
      TEXT,
      deflateRawSync('a'.repeat(3000), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4),
      { rsv: 4 },
    );
    const use = async (): Promise<void> => {
      const wire = await victim.open(DEFLATE);
      expect((await wire.write(message).frame())?.rsv).toBe(4);
    };
    for (let i = 0; i < 50; i++) await use();
    const before = await victim.memory();
    for (let i = 0; i < 20; i++) await Promise.all(Array.from({ length: 50 }, use));
    expect((await victim.memory()).kept - before.kept).toBeLessThan(1000 * 16_384);
  });

  test('B-34 B-35: who is refused is in no list, and who leaves is the one that is taken out', async () => {
    const victim = await launchServer();
    const clients = (): Promise<number> => victim.ask<number>('clients');
    const before = await clients();
    for (const headers of [
      { 'Sec-WebSocket-Key': 'x' },
      { Origin: 'http://evil.example' },
      { 'Sec-WebSocket-Version': '7' },
    ])
      await victim.answerTo(request(headers));
    expect(await clients()).toBe(before);
    const wires = await Promise.all(Array.from({ length: 9 }, () => victim.open()));
    expect(await clients()).toBe(before + 9);
    const leaving = [4, 0, 8, 2].map((at) => wires[at]);
    for (const wire of leaving) wire?.write(frame(CLOSE, ''));
    await victim.closed(4);
    expect(await clients()).toBe(before + 5);
    for (const wire of wires) if (!leaving.includes(wire)) expect(await wire.echoes('still in')).toBe(true);
  });

  test('B-37: a timeout closes those that it is about, and 0 is none', async () => {
    const victim = await launchServer({
      innocent: false, // who would be idle
      options: { idleTimeout: 3000, heartbeat: { interval: 100, timeout: 10_000 } },
    });
    const closing = await launchServer({
      options: { idleTimeout: 0, heartbeat: false, messageTimeout: 0, handshakeTimeout: 0 },
    });
    const kept = await closing.open();
    const [talking, idle] = [await victim.open(), await victim.open()];
    // Pongs are no messages; who talks is let be for as long as the other is idle.
    const over = idle.closeCode();
    const pongs = setInterval(() => idle.ending ?? idle.write(frame(PONG, '')), 20);
    let code: number | undefined | 'open' = 'open';
    while (code === 'open') {
      expect(await talking.echoes('talk')).toBe(true);
      code = await Promise.race([over, victim.ask('cpu').then(() => 'open' as const)]);
    }
    clearInterval(pongs);
    expect(code).toBe(1001);
    expect(await kept.echoes('still here')).toBe(true);
  });

  test('B-40: the 101 has no version, what is glued to the request is a message, and a fault does not end the next one', async () => {
    const { headers } = await server().answerTo(request());
    expect(headers.has('sec-websocket-version')).toBe(false);
    const wire = await Wire.dial(server().port);
    wire.write(Buffer.concat([Buffer.from(request()), frame(TEXT, 'ear', { fin: false }), frame(CONTINUATION, 'ly')]));
    expect((await wire.head()).status).toBe(101);
    expect((await wire.frame())?.payload.toString()).toBe('early');
    wire.cut();
  });

  test('B-42 B-45: what a program sends stays as it was, and every callback comes once, also too late', async () => {
    const url = `ws://127.0.0.1:${small().port}/`;
    for (const perMessageDeflate of [false, true]) {
      const id = await client().connect({ url, options: { perMessageDeflate } });
      await client().ask('opened', id);
      expect(await client().ask('callbacks', id)).toEqual({ changed: 0, sent: 20, called: 20, twice: 0 });
    }
  });
});
