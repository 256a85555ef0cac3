import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { expect } from '@jest/globals';
import { acceptFor } from '@ws/handshake';
import { handshake, KEY, listenSwitching, listenWire, next, switching } from '@ws/testing/peer';
import { Connection } from '../../src/nodejs-websocket/index.js';
import { privateRows } from '../rows/nodejs-websocket.js';
import { prove } from '../rows.js';
import { dial, rawClient, rawPair, rawServed, record, serve } from './ends.js';

/** What a client says of an answer. */
async function verdict(answer: (key: string) => string, protocols: string[] = []): Promise<unknown[][]> {
  const { url } = await listenWire((raw) => {
    void raw.head().then(({ headers }) => raw.socket.end(answer(headers['sec-websocket-key'] ?? ''), 'latin1'));
  });
  const client = dial(url, { protocols });
  const log = record(client, ['connect', 'error', 'close']);
  await next(client, 'close');
  expect([client.readyState, client.socket.destroyed]).toEqual([3, true]);
  return log.map(([name, ...args]) => (args[0] instanceof Error ? [name, args[0].message] : [name, ...args]));
}

const failed = (text: string): unknown[][] => [
  ['error', text],
  ['close', 1006, ''],
];

prove(privateRows, {
  'NW-070': {
    'the request, and a key of its own': async () => {
      const keys: Buffer[] = [];
      for (let count = 0; count < 2; count++) {
        const { url, first } = await listenWire();
        dial(`${url}path?query`, { protocols: ['a', 'b'], extraHeaders: { 'X-Name': 'value' } }).on(
          'error',
          () => undefined,
        );
        const { line, headers } = await (await first).head();
        expect(line).toBe('GET /path?query HTTP/1.1');
        expect(headers).toEqual({
          host: new URL(url).host, // with its port, which is not the default one
          upgrade: 'websocket',
          connection: 'Upgrade',
          'sec-websocket-key': expect.any(String),
          'sec-websocket-version': '13',
          'sec-websocket-protocol': 'a, b',
          'x-name': 'value',
        });
        keys.push(Buffer.from(headers['sec-websocket-key'] ?? '', 'base64'));
      }
      expect(keys.map(({ length }) => length)).toEqual([16, 16]);
      expect(keys[0]!.equals(keys[1]!)).toBe(false);
    },
    'the port in Host, unless it is that of the scheme': async () => {
      for (const [port, secure, host] of [
        [443, true, 'name'],
        [443, false, 'name:443'],
        [80, false, 'name'],
        [80, true, 'name:80'],
        [undefined, true, 'name'],
      ] as const) {
        const [near, far] = duplexPair();
        const conn = new Connection(near, { host: 'name', port, secure });
        conn.on('error', () => undefined);
        const [head] = (await once(far, 'data')) as [Buffer];
        expect([port, secure, /^Host: (.*)\r$/m.exec(head.toString())?.[1]]).toEqual([port, secure, host]);
        conn.close();
      }
    },
  },
  'NW-071': async () => {
    const raw = rawClient(await serve({ validProtocols: ['b'] }), handshake({ 'Sec-WebSocket-Protocol': 'a, b' }));
    const { line, headers } = await raw.head();
    expect(line).toBe('HTTP/1.1 101 Switching Protocols');
    expect(headers).toEqual({
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-accept': acceptFor(KEY),
      'sec-websocket-protocol': 'b',
    });
  },
  'NW-072': {
    'too short': async () => {
      expect(await verdict(() => 'HTTP/1.1 101 Switching Protocols\r\n\r\n')).toEqual(
        failed('Invalid handshake: too short'),
      );
    },
    'invalid first line format': async () => {
      const wanted = failed('Invalid handshake: invalid first line format');
      expect(await verdict((key) => switching(key, {}, 'HTTP/1.1 200 OK'))).toEqual(wanted);
      expect(await verdict(() => 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')).toEqual(wanted);
      expect(await verdict(() => 'no HTTP at all\r\n\r\n')).toEqual(wanted);
    },
    'missing required headers': async () => {
      for (const name of ['Upgrade', 'Connection', 'Sec-WebSocket-Accept'])
        expect([name, await verdict((key) => switching(key, { [name]: undefined, 'X-A': 'b' }))]).toEqual([
          name,
          failed('Invalid handshake: missing required headers'),
        ]);
    },
    'invalid Upgrade or Connection header': async () => {
      for (const changes of [{ Upgrade: 'h2c' }, { Connection: 'Upgrade-Insecure' }, { Connection: 'close' }])
        expect([changes, await verdict((key) => switching(key, changes))]).toEqual([
          changes,
          failed('Invalid handshake: invalid Upgrade or Connection header'),
        ]);
    },
    'no protocol was negotiated': async () => {
      const wanted = failed('Invalid handshake: no protocol was negotiated');
      expect(await verdict((key) => switching(key), ['a'])).toEqual(wanted);
      for (const other of ['b', 'A', 'a, b'])
        expect(await verdict((key) => switching(key, { 'Sec-WebSocket-Protocol': other }), ['a'])).toEqual(wanted);
    },
    'no protocol negotiation was expected': async () => {
      expect(await verdict((key) => switching(key, { 'Sec-WebSocket-Protocol': 'a' }))).toEqual(
        failed('Invalid handshake: no protocol negotiation was expected'),
      );
    },
    'hash mismatch': async () => {
      expect(await verdict(() => switching(KEY))).toEqual(failed('Invalid handshake: hash mismatch'));
    },
    'others, by what the core says': async () => {
      const [[, text]] = (await verdict((key) => switching(key, { 'Sec-WebSocket-Extensions': 'x' }))) as [unknown[]];
      expect(text).toMatch(/^Invalid handshake: .*extension/);
    },
    'the socket is closed, also where the peer leaves it open': async () => {
      for (const answer of [
        (key: string) => switching(key, { Upgrade: 'h2c' }),
        (key: string) => switching(key, { 'Sec-WebSocket-Accept': 'x' }),
        () => 'HTTP/1.1 404 Not Found\r\nConnection: keep-alive\r\nContent-Length: 9\r\n\r\n',
        () => 'no HTTP at all\r\n\r\n',
      ]) {
        const { url, first } = await listenWire();
        const client = dial(url);
        const log = record(client, ['error', 'close']);
        const raw = await first;
        const { headers } = await raw.head();
        raw.socket.write(answer(headers['sec-websocket-key'] ?? ''));
        await next(client, 'close');
        expect(client.socket.destroyed).toBe(true);
        expect(log).toEqual([
          ['error', expect.any(Error)],
          ['close', 1006, ''],
        ]);
      }
    },
    'with the code of the core': async () => {
      const { url } = await listenWire((raw) => void raw.head().then(() => raw.write(switching(KEY))));
      expect((await once(dial(url), 'error'))[0]).toMatchObject({
        code: 'WS_ERR_INVALID_ACCEPT',
        cause: { code: 'WS_ERR_INVALID_ACCEPT' },
      });
    },
    'no answer: close alone': async () => {
      expect(await verdict(() => '')).toEqual([['close', 1006, '']]);
      expect(await verdict(() => 'HTTP/1.1 101 Swi')).toEqual([['close', 1006, '']]);
    },
  },
  'NW-073': {
    'frames in the packet of the 101': async () => {
      const log: unknown[][] = [];
      const { url, visit } = await listenSwitching({}, Buffer.from('8102686981026f6b', 'hex'));
      const client = dial(url);
      record(client, ['connect', 'text'], log);
      await visit;
      while (log.length < 3) await once(client, 'text');
      expect(log).toEqual([['connect'], ['text', 'hi'], ['text', 'ok']]);
    },
    'frames in the packet of the request': async () => {
      const server = await serve({}, (conn) => conn.on('text', (text) => conn.sendText(text.toUpperCase())));
      const raw = rawClient(server, Buffer.concat([Buffer.from(handshake()), Buffer.from('8182000000006869', 'hex')]));
      await raw.head();
      expect(await raw.frames(1)).toMatchObject([{ opcode: 1, payload: Buffer.from('HI') }]);
    },
    'an answer that is too long': async () => {
      expect(await verdict((key) => switching(key, { 'X-Long': 'x'.repeat(20_000) }))).toEqual(
        failed('Handshake is too big'),
      );
    },
  },
  'NW-074': async () => {
    const { remote } = await rawPair({}, handshake({ 'X-1': 'a', 'x-MIXED': 'B' }));
    expect(remote.headers).toMatchObject({ 'x-1': 'a', 'x-mixed': 'B' });
  },
  'NW-075': async () => {
    const { head } = await rawServed({ extraHeaders: { 'X-Name': 'value' } });
    expect(head).toMatch(/^GET \/ HTTP\/1\.1(\r\n[!-9;-~]+: [ -~]+)+\r\n\r\n$/);
    expect(head).toContain('X-Name: value');
    expect(() => dial('ws://127.0.0.1:1', { extraHeaders: { 'X-Name': 'a\r\nb' } })).toThrow(TypeError);
  },
  'NW-076': {
    'as many frames as there are': async () => {
      const { raw, remote } = await rawPair();
      const log = record(remote, ['text', 'pong']);
      raw.write(Buffer.from(['818100000000' + '61', '8a8100000000' + '62', '818100000000' + '63'].join(''), 'hex'));
      const last = new Promise<void>((resolve) => remote.on('text', (text) => text === 'd' && resolve()));
      raw.send(1, 'd');
      await last;
      expect(log).toEqual([
        ['text', 'a'],
        ['pong', 'b'],
        ['text', 'c'],
        ['text', 'd'],
      ]);
    },
    'an offence is 1002, a size 1009; nothing counts behind it': async () => {
      for (const [offence, code] of [
        ['83', 1002],
        ['82ff000000000000ffff' + 'ffffffff', 1002], // not the shortest form
        ['82ff0000000100000000' + '00000000', 1009],
      ] as const) {
        const { raw, remote } = await rawPair();
        const log = record(remote, ['text', 'close', 'error', 'binary']);
        raw.write(Buffer.from(`${offence}${'00'.repeat(4)}`, 'hex'));
        raw.send(1, 'x');
        await raw.over();
        expect(await raw.frames()).toMatchObject([{ opcode: 8, payload: Buffer.of(code >> 8, code & 0xff) }]);
        await remote.webSocket!.closed;
        expect(log).toEqual([['close', code, '']]);
      }
    },
  },
  'NW-077': async () => {
    for (const [name, wire] of [
      ['RSV1', 'c18000000000'],
      ['RSV2', 'a18000000000'],
      ['RSV3', '918000000000'],
      ['opcode 3', '838000000000'],
      ['opcode 11', '8b8000000000'],
      ['a fragment of a ping', '098000000000'],
      ['no mask', '810161'],
      ['a ping of 126 bytes', '89fe007e00000000'],
      ['125 in two bytes', '81fe007d00000000'],
      ['65535 in eight', '82ff000000000000ffff00000000'],
    ] as const) {
      const { raw } = await rawPair();
      raw.write(Buffer.from(wire, 'hex'));
      await raw.over();
      expect([name, (await raw.frames()).map(({ opcode, payload }) => [opcode, payload.readUInt16BE()])]).toEqual([
        name,
        [[8, 1002]],
      ]);
    }
    const { raw } = await rawPair();
    raw.write(Buffer.from('82ff800000000000000000000000', 'hex')); // the top bit of the length
    await raw.over();
    expect((await raw.frames()).map(({ payload }) => payload.readUInt16BE())).toEqual([1009]);
    const served = await rawServed();
    served.raw.send(1, 'a', { masked: true });
    expect(await once(served.client, 'close')).toEqual([1002, '']);
  },
  'NW-078': {
    'fragments in a wrong order': async () => {
      for (const wire of [
        ['a continuation of nothing', '808100000000' + '61'],
        ['a message in a message', '018100000000' + '61' + '818100000000' + '62'],
        ['and another', '028100000000' + '61' + '828100000000' + '62'],
      ] as const) {
        const { raw, remote } = await rawPair();
        const log = record(remote, ['text', 'close', 'error']);
        raw.write(Buffer.from(wire[1], 'hex'));
        await raw.over();
        expect([wire[0], log]).toEqual([wire[0], [['close', 1002, '']]]);
      }
    },
    'what comes behind our Close frame is dropped, but for the answer': async () => {
      const { raw, remote } = await rawPair();
      remote.close(1000);
      await raw.frames(1);
      const { closed } = remote.webSocket!;
      const log = record(remote, ['close', 'text', 'binary', 'pong']);
      raw.send(1, 'late').send(2, 'late').send(8, Buffer.of(3, 232)).send(1, 'later');
      await closed;
      expect(log).toEqual([]);
    },
    'pings are answered, pongs told': async () => {
      const { raw, remote } = await rawPair();
      const pong = once(remote, 'pong');
      raw.send(9, 'a').send(10, 'b');
      expect(await pong).toEqual(['b']);
      expect(await raw.frames(1)).toMatchObject([{ opcode: 10, payload: Buffer.from('a') }]);
    },
  },
  'NW-079': {
    'the code comes back, and the server ends TCP': async () => {
      const { raw, remote } = await rawPair();
      raw.send(8, Buffer.concat([Buffer.of(0x0f, 0xa1), Buffer.from('bye')]));
      expect(await once(remote, 'close')).toEqual([4001, 'bye']);
      await raw.over();
      expect(await raw.frames()).toMatchObject([{ opcode: 8, payload: Buffer.from('\x0f\xa1bye', 'latin1') }]);
    },
    'a client waits for that': async () => {
      const { client, raw } = await rawServed();
      raw.send(8, Buffer.of(3, 232), { masked: false });
      await raw.frames(1);
      expect([client.readyState, raw.ending !== undefined]).toEqual([3, false]);
      raw.socket.end();
      await raw.over();
    },
    'codes and reasons that may not be': async () => {
      for (const [payload, code] of [
        [Buffer.of(1), 1002],
        [Buffer.of(0, 1), 1002],
        [Buffer.of(3, 237), 1002], // 1005
        [Buffer.of(3, 232, 0xff), 1007],
      ] as const) {
        const { raw, remote } = await rawPair();
        raw.send(8, payload);
        expect(await once(remote, 'close')).toEqual([code, '']);
        await raw.over();
        expect((await raw.frames()).map((frame) => frame.payload.readUInt16BE())).toEqual([code]);
      }
    },
  },
});
