// The load generator as a client with permessage-deflate: what it counts, and what it does not let pass.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocketServer, type PerMessageDeflateOptions, type RawData } from 'ws';
import { describeLoad, run, start } from './generator.js';

const closers: (() => unknown)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function serveEcho(perMessageDeflate: boolean | PerMessageDeflateOptions) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate });
  closers.push(() => server.close());
  const seen = { messages: 0, notJson: 0, documents: new Set<string>() };
  server.on('connection', (socket) =>
    socket.on('message', (data: RawData, isBinary) => {
      const text = (data as Buffer).toString();
      seen.messages++;
      seen.documents.add(text);
      try {
        JSON.parse(text);
      } catch {
        seen.notJson++;
      }
      socket.send(data, { binary: isBinary });
    }),
  );
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, server, seen };
}

const flush = { finishFlush: constants.Z_SYNC_FLUSH };
const compress = (plain: Buffer) => deflateRawSync(plain, flush).subarray(0, -4);
const decompress = (payload: Buffer) => inflateRawSync(Buffer.concat([payload, Buffer.of(0, 0, 0xff, 0xff)]), flush);

/** Masked frames with payloads of 126 to 65535 bytes, or shorter. */
function* payloadsOf(bytes: Buffer) {
  for (let at = 0; at < bytes.length;) {
    const length7 = bytes.readUInt8(at + 1) & 0x7f;
    const keyAt = at + (length7 === 126 ? 4 : 2);
    const length = length7 === 126 ? bytes.readUInt16BE(at + 2) : length7;
    const masked = bytes.subarray(keyAt + 4, keyAt + 4 + length);
    const payload = Buffer.from(masked.map((byte, index) => byte ^ bytes.readUInt8(keyAt + (index & 3))));
    yield { rsv1: (bytes.readUInt8(at) & 0x40) !== 0, payload };
    at = keyAt + 4 + length;
  }
}

/** A server that answers with this extension header and whatever `reply` makes of a payload. */
async function serveBroken(
  extension: string | undefined,
  reply: (payload: Buffer, rsv1: boolean) => { first: number; payload: Buffer },
) {
  const server = createServer();
  server.on('upgrade', (request, socket) => {
    const accept = createHash('sha1').update(
      `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`,
    );
    const header = extension === undefined ? '' : `Sec-WebSocket-Extensions: ${extension}\r\n`;
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept.digest('base64')}\r\n${header}\r\n`,
    );
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      for (const frame of payloadsOf(bytes)) {
        const { first, payload } = reply(frame.payload, frame.rsv1);
        const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
        socket.write(Buffer.concat([Buffer.of(first, ...length), payload]));
      }
    });
  });
  closers.push(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const NO_TAKEOVER = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
const COMPRESSED = 0xc1;
const PLAIN = 0x81;

describeLoad('load generator with permessage-deflate', () => {
  test.each([
    ['takeover', { threshold: 0 }, 2000],
    ['no takeover', { threshold: 0, serverNoContextTakeover: true, clientNoContextTakeover: true }, undefined],
    ['small windows', { threshold: 0, serverMaxWindowBits: 10, clientMaxWindowBits: 9 }, 2000],
  ])('counts and looks into replies: %s', async (_, options, verified) => {
    const { port, seen } = await serveEcho(options);
    const { status, result, complaint } = await run('echo', {
      port,
      deflate: true,
      json: true,
      size: 1024,
      connections: 8,
      'in-flight': 4,
      messages: 2000,
      verify: 64,
    });
    expect(complaint).toBe('');
    expect(status).toBe(0);
    expect(result).toMatchObject({ messages: 2000, compressed: 2000 });
    // With takeover all of them; else a sample: all first ones and about one in 64.
    if (verified !== undefined) expect(result?.['verified']).toBe(verified);
    expect(result?.['verified']).toBeGreaterThanOrEqual(8 + 15);
    expect(result?.['receivedBytes']).toBeLessThan(2000 * 700);
    expect(seen).toMatchObject({ messages: 2000, notJson: 0 });
    expect(seen.documents.size).toBeGreaterThan(500); // the whole ring
  });

  test.each([64, 256, 16_384, 262_144])('documents of %i bytes are JSON, and distinct', async (size) => {
    const { port, seen } = await serveEcho({ threshold: 0 });
    const { result } = await run('echo', { port, deflate: true, json: true, size, messages: 80 });
    expect(result).toMatchObject({ messages: 80, verified: 80, compressed: 80 });
    expect(seen.notJson).toBe(0);
    expect(seen.documents.size).toBeGreaterThanOrEqual(64);
    expect(new Set([...seen.documents].map((text) => text.length))).toEqual(new Set([size]));
  });

  test('replies need not be compressed', async () => {
    const { port } = await serveEcho({ threshold: 1024, serverNoContextTakeover: true });
    const { result } = await run('echo', { port, deflate: true, json: true, size: 256, messages: 100 });
    expect(result).toMatchObject({ messages: 100, verified: 100, compressed: 0 });
  });

  test('the first exchange is not counted', async () => {
    const { port, seen } = await serveEcho({ threshold: 0 });
    const options = {
      port,
      deflate: true,
      json: true,
      first: true,
      size: 256,
      connections: 100,
      'in-flight': 3,
    } as const;
    const { result } = await run('echo', { ...options, messages: 200 });
    expect(result).toMatchObject({ messages: 200, verified: 200 });
    expect(seen.messages).toBe(300);
  });

  test.each([
    ['', /declined/],
    ['permessage-foo', /extension permessage-foo/],
    ['permessage-deflate; colour=1', /wrong parameter: colour/],
    ['permessage-deflate; server_max_window_bits=16', /bad window bits: 16/],
    ['permessage-deflate; client_max_window_bits', /bad window bits: none/],
    ['permessage-deflate; server_no_context_takeover=1', /wrong parameter/],
    ['permessage-deflate; client_max_window_bits=9; client_max_window_bits=9', /wrong parameter/],
  ])('refuses the answer %j', async (extension, expected) => {
    const port = await serveBroken(extension === '' ? undefined : extension, (payload) => ({ first: PLAIN, payload }));
    const { status, complaint } = await run('echo', { port, deflate: true, json: true, size: 64, messages: 1 });
    expect(complaint).toMatch(expected);
    expect(status).toBe(1);
  });

  test('an extension that was not offered is a fault', async () => {
    const port = await serveBroken(NO_TAKEOVER, (payload) => ({ first: PLAIN, payload }));
    const { complaint } = await run('echo', { port, json: true, size: 64, messages: 1 });
    expect(complaint).toMatch(/not offered/);
  });

  test.each<[string, (plain: Buffer) => { first: number; payload: Buffer }, RegExp]>([
    ['raw bytes under RSV1', (payload) => ({ first: COMPRESSED, payload }), /corrupt|differs/],
    [
      'compressed bytes without RSV1',
      (plain) => ({ first: PLAIN, payload: compress(plain) }),
      /shorter|longer|differs/,
    ],
    ['another document', (plain) => ({ first: COMPRESSED, payload: compress(plain.fill(0x30, 20, 21)) }), /differs/],
    ['a byte too few', (plain) => ({ first: COMPRESSED, payload: compress(plain.subarray(0, -1)) }), /less than/],
    [
      'a byte too many',
      (plain) => ({ first: COMPRESSED, payload: compress(Buffer.concat([plain, plain])) }),
      /more than/,
    ],
    ['a final block', (plain) => ({ first: COMPRESSED, payload: deflateRawSync(plain) }), /final block|corrupt/],
    [
      'a payload cut short',
      (plain) => ({ first: COMPRESSED, payload: compress(plain).subarray(0, -3) }),
      /corrupt|than its document/,
    ],
    ['RSV2', (plain) => ({ first: 0xe1, payload: compress(plain) }), /reserved/],
    ['RSV1 on a continuation', (plain) => ({ first: 0xc0, payload: compress(plain) }), /reserved|out of order/],
  ])('fails at %s', async (_, reply, expected) => {
    let count = 0;
    const right = (plain: Buffer) => ({ first: COMPRESSED, payload: compress(plain) });
    const port = await serveBroken(NO_TAKEOVER, (payload) => (++count === 50 ? reply : right)(decompress(payload)));
    const options = { port, deflate: true, json: true, size: 256 } as const;
    const { status, result, complaint } = await run('echo', { ...options, messages: 100 });
    expect(complaint).toMatch(expected);
    expect(status).toBe(1);
    expect(result).toBeUndefined();
  });

  test('a server that refers to earlier messages although it said that it would not is found out by the sample', async () => {
    let before = Buffer.alloc(0);
    const port = await serveBroken(NO_TAKEOVER, (payload) => {
      const plain = decompress(payload);
      const options = before.length > 0 ? { ...flush, dictionary: before } : flush;
      before = Buffer.concat([before, plain]).subarray(-32_768);
      return { first: COMPRESSED, payload: deflateRawSync(plain, options).subarray(0, -4) };
    });
    const options = { port, deflate: true, json: true, size: 256, messages: 1000, verify: 64 } as const;
    const { status, complaint } = await run('echo', options);
    expect(complaint).toMatch(/corrupt/);
    expect(status).toBe(1);
  });

  test('what it sends is compressed and needs no earlier message', async () => {
    const rsv = new Set<boolean>();
    const port = await serveBroken('permessage-deflate', (payload, rsv1) => {
      rsv.add(rsv1);
      return { first: PLAIN, payload: decompress(payload) };
    });
    const { result } = await run('echo', { port, deflate: true, json: true, size: 1024, messages: 500 });
    expect(result).toMatchObject({ messages: 500, verified: 500, compressed: 0 });
    expect(rsv).toEqual(new Set([true]));
  });
});

/** Documents are kept; a number has so many of them, going round, sent to all others. */
async function serveBroadcast(
  options: PerMessageDeflateOptions | false,
  spoil?: (count: number, send: (data: string) => void, data: string) => void,
) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: options });
  closers.push(() => server.close());
  const documents: string[] = [];
  const numbers: number[] = [];
  let next = 0;
  let sent = 0;
  server.on('connection', (socket) =>
    socket.on('message', (data: RawData) => {
      const text = (data as Buffer).toString();
      if (text.startsWith('{')) {
        documents.push(text);
        return;
      }
      numbers.push(Number(text));
      for (let left = Number(text); left > 0; left--) {
        const document = documents[next++ % documents.length] ?? '';
        for (const client of server.clients) {
          if (client === socket) continue;
          if (spoil === undefined) client.send(document);
          else spoil(++sent, (it) => client.send(it), document);
        }
      }
    }),
  );
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, documents, numbers };
}

describeLoad('load generator as recipients of a broadcast', () => {
  const OPTIONS = { deflate: true, json: true, size: 1024, connections: 20 } as const;

  test.each([1, 10])('counts and looks into what it gets, %i at a time', async (inFlight) => {
    const { port, documents } = await serveBroadcast({ threshold: 0 });
    const { status, result, complaint } = await run('broadcast', {
      ...OPTIONS,
      port,
      'in-flight': inFlight,
      messages: 60,
    });
    expect(complaint).toBe('');
    expect(status).toBe(0);
    const messages = 60 * inFlight * 20;
    expect(result).toMatchObject({ messages, verified: messages, compressed: messages });
    expect(new Set(documents).size).toBeGreaterThan(500);
  });

  test('asks for each by itself, so many under way', async () => {
    const { port, documents, numbers } = await serveBroadcast(false);
    const { status, result, complaint } = await run('broadcast', {
      port,
      json: true,
      each: true,
      size: 64,
      connections: 20,
      'in-flight': 8,
      messages: 100,
    });
    expect(complaint).toBe('');
    expect(status).toBe(0);
    expect(result).toMatchObject({ messages: 2000, verified: 2000, compressed: 0 });
    expect(documents.length).toBeGreaterThanOrEqual(64);
    expect(numbers).toEqual(Array.from({ length: 8 + 100 }, () => 1)); // the first eight are before the clock starts
  });

  test('looks into a sample where the server keeps no window', async () => {
    const { port } = await serveBroadcast({ threshold: 0, serverNoContextTakeover: true });
    const { result } = await run('broadcast', { ...OPTIONS, port, messages: 64, verify: 64 });
    expect(result).toMatchObject({ messages: 1280, verified: 20, compressed: 1280 });
  });

  test.each<[string, (send: (data: string) => void, data: string) => void, RegExp]>([
    ['another document', (send, data) => send(data.replace('"id":', '"ix":')), /differs/],
    ['a message twice', (send, data) => [send(data), send(data)], /more messages|differs/],
    ['a short message', (send, data) => send(data.slice(1)), /differs|less than/],
  ])('fails at %s', async (_, spoil, expected) => {
    const { port } = await serveBroadcast({ threshold: 0 }, (count, send, data) =>
      count === 500 ? spoil(send, data) : send(data),
    );
    const { status, complaint } = await run('broadcast', { ...OPTIONS, port, messages: 60 });
    expect(complaint).toMatch(expected);
    expect(status).toBe(1);
  });

  test('waits at the start until it is told to go on, every connection being in use', async () => {
    const { port } = await serveBroadcast({ threshold: 0 });
    const child = start('broadcast', { ...OPTIONS, port, control: true });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    expect(JSON.parse(line.toString())).toEqual({ event: 'ready', connections: 20 });
    child.stdin.end();
    expect(await once(child, 'close')).toEqual([0, null]);
  });
});
