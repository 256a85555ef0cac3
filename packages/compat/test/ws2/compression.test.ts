import { expect } from '@jest/globals';
import { once } from 'node:events';
import { encodeHeader, Opcode } from '@ws/frame';
import { handshake, next, portOf, shake, TEXT, Wire } from '@ws/testing/peer';
import WebSocket, { type DeflateOptions, type ServerOptions } from '../../src/ws2/index.js';
import { prove } from '../rows.js';
import { compressionRows } from '../rows/ws2.js';
import { connection, manage, opened, pair, start, ws8 } from './support.js';

const PLAIN = 'permessage-deflate';
const extensions = (value: string): string => handshake({ 'Sec-WebSocket-Extensions': value });

/** What a server answers to an offer: '' for nothing. */
async function answered(perMessageDeflate: ServerOptions['perMessageDeflate'], offer = PLAIN): Promise<string> {
  const { status, headers } = await shake(portOf(await start({ perMessageDeflate })), extensions(offer));
  expect(status).toBe(101);
  return headers['sec-websocket-extensions'] ?? '';
}

/** The first octet of what a server of these options sends: 0x40 is the bit of a compressed message. */
async function firstOctet(perMessageDeflate: DeflateOptions, send: (socket: WebSocket) => void): Promise<number> {
  const server = await start({ perMessageDeflate });
  const told = connection(server);
  const raw = await Wire.open(portOf(server), handshake({ 'Sec-WebSocket-Extensions': PLAIN }));
  send(await told);
  return Number.parseInt(await raw.bytes(1), 16);
}

/** The head of a binary message of a client. */
const frameHead = (payloadLength: number): Uint8Array =>
  encodeHeader({ fin: true, rsv: 0, opcode: Opcode.Binary, maskingKey: 1, payloadLength });

prove(compressionRows, {
  'WS-013': {
    'on unless told otherwise (X-06)': async () => expect(await answered(undefined)).toBe(PLAIN),
    'true, an object, null': async () => {
      expect(await answered(true)).toBe(PLAIN);
      expect(await answered({})).toBe(PLAIN);
      expect(await answered(null)).toBe(PLAIN);
    },
    'false: off': async () => expect(await answered(false)).toBe(''),
    'who does not offer it goes without': async () => {
      const server = await start();
      const client = await opened(ws8(portOf(server)));
      expect(client.extensions).toBe('');
    },
  },
  'WS-014': {
    'true forces': async () => {
      expect(await answered({ serverNoContextTakeover: true })).toContain('server_no_context_takeover');
      expect(await answered({ clientNoContextTakeover: true })).toContain('client_no_context_takeover');
    },
    'false refuses an offer that has it': async () =>
      expect(await answered({ serverNoContextTakeover: false }, `${PLAIN}; server_no_context_takeover`)).toBe(''),
    'unset follows the offer': async () => {
      expect(await answered({}, `${PLAIN}; server_no_context_takeover`)).toBe(`${PLAIN}; server_no_context_takeover`);
      expect(await answered({}, `${PLAIN}; client_no_context_takeover`)).toBe(`${PLAIN}; client_no_context_takeover`);
    },
    'what a client announces is taken up': async () =>
      expect(await answered({ clientNoContextTakeover: false }, `${PLAIN}; client_no_context_takeover`)).toBe(
        `${PLAIN}; client_no_context_takeover`,
      ),
  },
  'WS-015': {
    'a number is demanded': async () => {
      expect(await answered({ serverMaxWindowBits: 10 })).toContain('server_max_window_bits=10');
      expect(await answered({ clientMaxWindowBits: 10 }, `${PLAIN}; client_max_window_bits`)).toContain(
        'client_max_window_bits=10',
      );
    },
    'the next offer, where the first does not allow it': async () => {
      const offers = `${PLAIN}; server_max_window_bits=9, ${PLAIN}`;
      expect(await answered({ serverMaxWindowBits: 10 }, offers)).toContain('server_max_window_bits=10');
      expect(await answered({ clientMaxWindowBits: 10 }, `${PLAIN}, ${PLAIN}; client_max_window_bits`)).toContain(
        'client_max_window_bits=10',
      );
    },
    'false refuses it': async () =>
      expect(await answered({ serverMaxWindowBits: false }, `${PLAIN}; server_max_window_bits=10`)).toBe(''),
    '8 is agreed, and its messages can be read': async () => {
      const perMessageDeflate = { serverMaxWindowBits: 8 };
      const server = await start({ perMessageDeflate });
      const told = connection(server);
      const client = await opened(ws8(portOf(server), [], { perMessageDeflate: true }));
      const received = once(client, 'message');
      const message = Array.from({ length: 4000 }, (_, i) => i % 700).join();
      (await told).send(message);
      expect([client.extensions, String((await received)[0])]).toEqual([PLAIN, message]);
    },
  },
  'WS-016': {
    'goes to zlib': async () => {
      const { client, socket } = await pair({ perMessageDeflate: { memLevel: 1, threshold: 0 } });
      const received = next(client, 'message');
      socket.send('memory '.repeat(500));
      expect((await received)[0]).toBe('memory '.repeat(500));
    },
    'is checked': () =>
      expect(() => new WebSocket.Server({ noServer: true, perMessageDeflate: { memLevel: 10 } })).toThrow(/memLevel/),
  },
  'WS-017': {
    'smaller payloads go as they are, takeover or not (X-26)': async () => {
      const octets = [1023, 1024].map((length) => firstOctet({}, (socket) => socket.send('a'.repeat(length))));
      expect(await Promise.all(octets)).toEqual([0x81, 0xc1]);
    },
    'as told': async () => {
      expect(await firstOctet({ threshold: 10 }, (socket) => socket.send('a'.repeat(10)))).toBe(0xc1);
      expect(await firstOctet({ threshold: 11 }, (socket) => socket.send('a'.repeat(10)))).toBe(0x81);
    },
  },
  'WS-018': {
    'no offer that fits: it goes on without (X-31)': async () => {
      expect(await answered({}, `${PLAIN}; unknown`)).toBe('');
      expect(await answered({ clientMaxWindowBits: 10 })).toBe('');
    },
    'what breaks the grammar is a 400': async () =>
      expect((await shake(portOf(await start()), extensions(`${PLAIN}; =`))).status).toBe(400),
  },
  'WS-019': async () => {
    const fragments = (first: string, second: string) => (socket: WebSocket) => {
      socket.send(first, { fin: false });
      socket.send(second);
    };
    const [short, long] = ['a'.repeat(100), 'a'.repeat(2000)];
    expect(await firstOctet({}, fragments(short, long))).toBe(0x01);
    expect(await firstOctet({}, fragments(long, short))).toBe(0x41);
    expect(await firstOctet({ threshold: 3000 }, fragments(long, short))).toBe(0x01);
    expect(await firstOctet({}, (socket) => socket.send(new Float32Array(256), { fin: false }))).toBe(0x42);
    expect(await firstOctet({}, (socket) => socket.send(new Float32Array(255), { fin: false }))).toBe(0x02);
    expect(await firstOctet({}, fragments('a'.repeat(1023), long))).toBe(0x01);
    expect(await firstOctet({}, fragments('a'.repeat(1024), short))).toBe(0x41);
    expect(await firstOctet({}, (socket) => socket.send(long, { fin: false, compress: false }))).toBe(0x01);
  },
  'WS-020': {
    'above: an error, and 1009': async () => {
      const server = await start({ maxPayload: 100 });
      const told = connection(server);
      const raw = await Wire.open(portOf(server));
      const failed = next<[Error & { code: string }]>(await told, 'error');
      raw.send(TEXT, 'a'.repeat(101));
      expect((await failed)[0].code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
      expect(await raw.bytes(1)).toBe('88');
      expect([await raw.bytes(1), await raw.bytes(2)][1]).toBe('03f1');
    },
    '100 MiB unless told otherwise': async () => {
      const server = await start();
      const told = connection(server);
      const exact = await Wire.open(portOf(server));
      const socket = await told;
      exact.write(frameHead(104_857_600));
      const over = await Wire.open(portOf(server));
      over.write(frameHead(104_857_601));
      const [, , code] = [await over.bytes(1), await over.bytes(1), await over.bytes(2)];
      expect([code, socket.readyState]).toEqual(['03f1', WebSocket.OPEN]);
    },
    'of clients too': async () => {
      const server = await start();
      const told = connection(server);
      const client = manage(new WebSocket(`ws://127.0.0.1:${portOf(server)}`, { maxPayload: 100 }));
      const failed = next(client, 'error');
      (await told).send('a'.repeat(101));
      await failed;
      expect((await next(client, 'close'))[0]).toBe(1006);
    },
  },
});
