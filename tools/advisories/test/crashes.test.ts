import { expect } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { hex } from '@ws/testing';
import { advisory } from './advisory.js';
import { accepting, hostile, hostileAfterOpen, launchServer, listen, sharedClient, sharedServer } from './victims.js';
import type { ServerSpec } from '../victims/specs.mjs';
import { BINARY, CLOSE, frame, request, TEXT, Wire } from './wire.js';

/** What no peer may send, by who sends it: a key of zeros changes nothing. */
const MALFORMED: [name: string, toServer: Uint8Array, toClient: Uint8Array, code: number][] = [
  ['B-32 a reserved opcode', hex`83 80 00000000`, hex`83 00`, 1002],
  ['a reserved control opcode', hex`8b 80 00000000`, hex`8b 00`, 1002],
  ['B-32 RSV1 without an extension', hex`c1 80 00000000`, hex`c1 00`, 1002],
  ['RSV2', hex`a1 80 00000000`, hex`a1 00`, 1002],
  ['RSV3', hex`91 80 00000000`, hex`91 00`, 1002],
  ['the wrong masking', hex`81 01 61`, hex`81 81 00000000 61`, 1002],
  ['a ping in fragments', hex`09 80 00000000`, hex`09 00`, 1002],
  ['B-07 a ping of 126 bytes', hex`89 fe 007e 00000000`, hex`89 7e 007e`, 1002],
  ['a continuation of nothing', hex`80 80 00000000`, hex`80 00`, 1002],
  ['a message within a message', hex`01 80 00000000 81 80 00000000`, hex`01 00 81 00`, 1002],
  ['a length of 2^63', hex`82 ff 8000000000000000 00000000`, hex`82 7f 8000000000000000`, 1009],
  ['a long form for a short length', hex`82 fe 0001 00000000 00`, hex`82 7e 0001 00`, 1002],
  ['text that is no UTF-8', hex`81 81 00000000 ff`, hex`81 01 ff`, 1007],
  ['text that ends within a character', hex`81 82 00000000 f09f`, hex`81 02 f09f`, 1007],
  ['a Close frame of one byte', hex`88 81 00000000 03`, hex`88 01 03`, 1002],
  ['a close code that may not travel', hex`88 82 00000000 03ed`, hex`88 02 03ed`, 1002],
  ['a close reason that is no UTF-8', hex`88 83 00000000 03e8 ff`, hex`88 03 03e8 ff`, 1007],
];

advisory('no-listener', (check) => {
  const server = sharedServer({ echo: false });
  const compressing = sharedServer({ echo: false, options: { perMessageDeflate: true } });
  const client = sharedClient();

  for (const [name, toServer, toClient, code] of MALFORMED) {
    check(`${name}, to a server without any listener: ${code}, and it is reported`, async () => {
      const wire = await server().open();
      expect(await wire.write(toServer).closeCode()).toBe(code);
      expect(await server().closed(1)).toMatchObject([
        { code: 1006, sent: code, wasClean: false, errorCode: expect.stringMatching(/^WS_ERR_/) },
      ]);
    });

    check(`${name}, to a client without any listener: ${code}, and it is reported`, async () => {
      const told: (number | undefined)[] = [];
      const url = await hostileAfterOpen(async (wire) => {
        wire.write(toClient);
        told.push(await wire.closeCode());
        wire.socket.end();
      });
      const ending = await client().outcome({ url, listens: false, options: { perMessageDeflate: false } });
      expect(ending).toMatchObject({
        code: 1006,
        sent: code,
        wasClean: false,
        errorCode: expect.stringMatching(/^WS_ERR_/),
      });
      expect(told).toEqual([code]);
    });
  }

  check('what does not inflate, to a server without any listener: 1007', async () => {
    const wire = await compressing().open({ 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    expect(await wire.write(frame(TEXT, hex`ff ff ff ff`, { rsv: 4 })).closeCode()).toBe(1007);
    await compressing().closed(1);
  });
});

advisory('malformed-head', (check) => {
  for (const [way, echo] of [
    ['port', true],
    ['http', false],
  ] as const) {
    const server = sharedServer({ way, echo });
    for (const [name, toServer, , code] of MALFORMED) {
      check(
        `${name} in one segment with the request, ${echo ? 'own port' : 'beside pages and without listeners'}: ${code}`,
        async () => {
          const wire = await Wire.dial(server().port);
          wire.write(Buffer.concat([Buffer.from(request(), 'latin1'), toServer]));
          expect((await wire.head()).status).toBe(101);
          expect(await wire.closeCode()).toBe(code);
          await server().closed(1);
        },
      );
    }
  }

  const server = sharedServer();
  const client = sharedClient();

  check('1 MiB of random bytes behind the request', async () => {
    const wire = await Wire.dial(server().port);
    wire.write(Buffer.concat([Buffer.from(request(), 'latin1'), Buffer.alloc(1 << 20, hex`c1 7e 00 ff 81 fe`)]));
    expect((await wire.head()).status).toBe(101);
    expect(await wire.closeCode()).toBe(1002);
  });

  for (const [name, , toClient, code] of MALFORMED) {
    check(`${name} in one segment with the 101: ${code}`, async () => {
      const told: (number | undefined)[] = [];
      const url = await hostile(async ({ wire, request: head }) => {
        wire.write(Buffer.concat([Buffer.from(accepting(head), 'latin1'), toClient]));
        told.push(await wire.closeCode());
        wire.socket.end();
      });
      const ending = await client().outcome({ url, options: { perMessageDeflate: false } });
      expect(ending).toMatchObject({ opened: true, sent: code, messages: [] });
      expect(told).toEqual([code]);
    });
  }
});

/** How far a peer of a server gets before it resets the connection. */
const SERVER_STEPS: [step: string, spec: ServerSpec, sent: string | Uint8Array, reply: boolean][] = [
  ['before a byte', {}, '', false],
  ['in the middle of the request', {}, request().slice(0, 60), false],
  ['behind the request', {}, request(), false],
  ['while `verifyClient` thinks', { hooks: { verifyClient: 'never' } }, request(), false],
  ['while `origins` thinks', { hooks: { origins: 'never' } }, request({ Origin: 'http://a.example' }), false],
  [
    'while `handleProtocols` thinks',
    { hooks: { handleProtocols: 'never' } },
    request({ 'Sec-WebSocket-Protocol': 'a' }),
    false,
  ],
  ['behind a request that `verifyClient` throws at', { hooks: { verifyClient: 'throws' } }, request(), false],
  ['behind the refusal', { hooks: { verifyClient: 'refuse' } }, request(), true],
  ['behind a malformed request', {}, request({ 'Sec-WebSocket-Key': 'x' }), false],
  ['behind a plain request', {}, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', false],
  ['behind garbage', {}, 'garbage\r\n\r\n', false],
  ['behind the 101', {}, request(), true],
  ['in the middle of a frame header', {}, Buffer.concat([Buffer.from(request()), hex`82 fe 01`]), true],
  [
    'in the middle of a payload',
    {},
    Buffer.concat([Buffer.from(request()), frame(BINARY, 'abc', { announced: 1000 })]),
    true,
  ],
  ['in the middle of a message', {}, Buffer.concat([Buffer.from(request()), frame(TEXT, 'abc', { fin: false })]), true],
  [
    'while a large echo is on its way',
    {},
    Buffer.concat([Buffer.from(request()), frame(BINARY, Buffer.alloc(1 << 20))]),
    true,
  ],
  ['behind its Close frame', {}, Buffer.concat([Buffer.from(request()), frame(CLOSE, hex`03e8`)]), true],
  ['behind what broke a rule', {}, Buffer.concat([Buffer.from(request()), hex`83 80 00000000`]), true],
];

advisory('reset-at-any-step', (check) => {
  const shared = new Map<string, Promise<Awaited<ReturnType<typeof launchServer>>>>();
  const serverFor = (spec: ServerSpec): ReturnType<typeof launchServer> => {
    const key = JSON.stringify(spec);
    const server = shared.get(key) ?? launchServer(spec);
    shared.set(key, server);
    return server;
  };

  for (const [step, spec, sent, reply] of SERVER_STEPS) {
    for (const way of ['port', 'http'] as const) {
      check(`to a server, ${step}, ${way === 'port' ? 'own port' : 'beside pages'}`, async () => {
        const server = await serverFor({ ...spec, way });
        const before = await server.ask<number>('clients');
        for (const how of ['RST', 'FIN', 'both'] as const) {
          const wire = await Wire.dial(server.port);
          if (sent.length > 0) await wire.push(sent);
          if (reply) await wire.head();
          const closed = once(wire.socket, 'close');
          if (how === 'RST') wire.socket.resetAndDestroy();
          else if (how === 'FIN') wire.socket.destroy();
          else wire.socket.end(() => wire.socket.resetAndDestroy());
          await closed;
        }
        await server.expectUnharmed();
        while ((await server.ask<number>('clients')) > before) await new Promise(setImmediate);
      });
    }
  }

  const client = sharedClient();
  const CLIENT_STEPS: [step: string, reply: (accept: string) => string | Uint8Array, opened: boolean][] = [
    ['behind its request', () => '', false],
    ['in the middle of the status line', (accept) => accept.slice(0, 12), false],
    ['in the middle of the 101', (accept) => accept.slice(0, 60), false],
    ['behind a 103', () => 'HTTP/1.1 103 Early Hints\r\n\r\n', false],
    ['in the middle of an error page', () => 'HTTP/1.1 500 Oh\r\nContent-Length: 100\r\n\r\nabc', false],
    ['behind the 101', (accept) => accept, true],
    ['in the middle of a frame header', (accept) => Buffer.concat([Buffer.from(accept), hex`82 7e 01`]), true],
    [
      'in the middle of a payload',
      (accept) => Buffer.concat([Buffer.from(accept), frame(BINARY, 'a', { announced: 9, masked: false })]),
      true,
    ],
    ['behind a Close frame', (accept) => Buffer.concat([Buffer.from(accept), hex`88 02 03e8`]), true],
    ['behind what breaks a rule', (accept) => Buffer.concat([Buffer.from(accept), hex`83 00`]), true],
  ];
  for (const [step, reply, opened] of CLIENT_STEPS) {
    for (const how of ['RST', 'FIN'] as const) {
      check(`to a client, ${step}, by ${how}`, async () => {
        let goOn = (): void => {};
        const readyToReset = new Promise<void>((resolve) => (goOn = resolve));
        const url = await hostile(async ({ wire, request: head }) => {
          await wire.push(reply(accepting(head)));
          await readyToReset;
          if (how === 'RST') wire.socket.resetAndDestroy();
          else wire.socket.end();
        });
        const id = await client().connect({ url });
        if (opened) await client().ask('opened', id); // what comes behind the 101 is what is meant
        goOn();
        const ending = await client().ended(id);
        expect([ending.opened, ending.events.filter((event) => event === 'close').length]).toEqual([opened, 1]);
        // Before 'open' it is an error; behind it only what the peer did to the protocol is one.
        if (!opened) expect(ending.error).not.toBeNull();
      });
    }
  }

  check('to a client without listeners, behind the 101', async () => {
    const url = await hostileAfterOpen((wire) => void wire.socket.resetAndDestroy());
    const ending = await client().outcome({ url, listens: false });
    expect([ending.code, ending.opened]).toEqual([1006, false]);
  });

  check('to a client, before it could say a word', async () => {
    const port = await listen(createServer((socket) => void socket.resetAndDestroy()));
    const ending = await client().outcome({ url: `ws://127.0.0.1:${port}/` });
    expect([ending.opened, ending.events]).toEqual([false, ['error', 'close']]);
  });
});
