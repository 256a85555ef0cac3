// The load generator counts right and notices wrong echoes. Nothing here measures time.
import { once } from 'node:events';
import { createServer as createSecureServer } from 'node:https';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { createInterface } from 'node:readline';
import { afterEach, expect, test } from '@jest/globals';
import WebSocket, { WebSocketServer, type RawData } from 'ws';
import { makeCertificate } from '@ws/testing';
import { describeLoad, run, start, testTls } from './generator.js';

const servers: { close(): unknown }[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const portOf = (server: Server | WebSocketServer) => (server.address() as AddressInfo).port;

async function serveWebSocket(onMessage: (socket: WebSocket, data: Buffer, isBinary: boolean) => void) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  servers.push({ close: () => server.close() });
  const seen = { connections: 0, messages: 0, closeCodes: [] as number[] };
  server.on('connection', (socket) => {
    seen.connections++;
    socket.on('message', (data: RawData, isBinary) => {
      seen.messages++;
      onMessage(socket, data as Buffer, isBinary);
    });
    socket.on('close', (code) => seen.closeCodes.push(code));
  });
  await once(server, 'listening');
  return { server, port: portOf(server), seen };
}

const serveEcho = () => serveWebSocket((socket, data, isBinary) => socket.send(data, { binary: isBinary }));

async function serveRaw(onConnection: (socket: Socket) => void) {
  const server = createServer(onConnection);
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: portOf(server) };
}

async function listening(server: Server) {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server);
}

describeLoad('load generator', () => {
  test.each([
    { size: 0, connections: 1, 'in-flight': 1, messages: 7 },
    { size: 16, connections: 5, 'in-flight': 16, messages: 10_001 },
    { size: 125, connections: 2, 'in-flight': 3, messages: 500 },
    { size: 126, connections: 2, 'in-flight': 3, messages: 500 },
    { size: 1024, connections: 3, 'in-flight': 4, messages: 2000, text: true as const },
    { size: 65_535, connections: 2, 'in-flight': 4, messages: 50 },
    { size: 65_536, connections: 2, 'in-flight': 16, messages: 100 },
    { size: 16_384, fragment: 1024, connections: 2, 'in-flight': 4, messages: 200 },
    { size: 1024, connections: 3, 'in-flight': 4, messages: 2000, mixed: true as const },
    { size: 1003, fragment: 64, connections: 2, 'in-flight': 4, messages: 600, mixed: true as const },
    { size: 1000, fragment: 300, connections: 1, 'in-flight': 2, messages: 100, text: true as const },
    { size: 3_000_000, connections: 1, 'in-flight': 3, messages: 5 },
  ])('counts and verifies every echo: %j', async (options) => {
    const { port, seen } = await serveEcho();
    const { status, result, complaint } = await run('echo', { ...options, port });
    expect(complaint).toBe('');
    expect(status).toBe(0);
    expect(result).toMatchObject({ messages: options.messages, verified: options.messages, controlFrames: 0 });
    expect(seen).toMatchObject({ connections: options.connections, messages: options.messages });
  });

  test('verifies a sample where asked to, and sees pings', async () => {
    const { port } = await serveWebSocket((socket, data) => {
      socket.ping('x');
      socket.send(data);
    });
    const { result } = await run('echo', { port, messages: 100, verify: 10 });
    expect(result).toMatchObject({ messages: 100, verified: 10, controlFrames: 100 });
  });

  test('stops by time, with no message left in flight', async () => {
    const { port, seen } = await serveEcho();
    const { status, result } = await run('echo', { port, connections: 4, 'in-flight': 8, seconds: 0.05 });
    expect(status).toBe(0);
    expect(result?.['messages']).toBe(seen.messages);
    expect(result?.['messages']).toBeGreaterThanOrEqual(32);
  });

  test('sends no faster than it is told to, one message at a time on each connection', async () => {
    const { port } = await serveEcho();
    const options = { port, connections: 4, rate: 500, messages: 51 };
    const { status, result } = await run('echo', options);
    expect(status).toBe(0);
    expect(result).toMatchObject({ messages: 51, verified: 51 });
    expect(result?.['seconds']).toBeGreaterThanOrEqual(0.1);
  });

  test.each([
    ['a changed byte', (data: Buffer) => Buffer.concat([data.subarray(0, 15), Buffer.of(data.at(-1)! ^ 1)]), /differs/],
    ['a byte too few', (data: Buffer) => data.subarray(1), /shorter|differs/],
    ['a byte too many', (data: Buffer) => Buffer.concat([data, data.subarray(0, 1)]), /longer/],
    ['text for binary', (data: Buffer) => data.toString('latin1').slice(0, 0), /opcode 1/],
  ])('fails at %s', async (_, spoil, expected) => {
    let count = 0;
    const { port } = await serveWebSocket((socket, data) => socket.send(++count === 50 ? spoil(data) : data));
    const { status, result, complaint } = await run('echo', { port, messages: 100 });
    expect(complaint).toMatch(expected);
    expect(status).toBe(1);
    expect(result).toBeUndefined();
  });

  test.each([
    ['a masked frame', [0x82, 0x81, 0, 0, 0, 0, 0], /masked/],
    ['a reserved bit', [0xc2, 0x01, 0], /reserved/],
    ['a stray continuation', [0x80, 0x01, 0], /out of order/],
    ['an echo that nobody sent', [0x82, 0x01, 0, 0x82, 0x01, 0], /differs|more echoes/],
    ['a close frame', [0x88, 0x00], /closed/],
  ])('fails at %s', async (_, bytes, expected) => {
    const { server, port } = await serveWebSocket(() => undefined);
    server.on('connection', (socket, request) => {
      socket.on('message', () => request.socket.write(Uint8Array.from(bytes)));
    });
    const { status, complaint } = await run('echo', { port, size: 1, messages: 2 });
    expect(complaint).toMatch(expected);
    expect(status).toBe(1);
  });

  test('raw mode takes back its own bytes', async () => {
    const { port } = await serveRaw((socket) => socket.on('data', (chunk) => socket.write(chunk)));
    const { result } = await run('echo', {
      port,
      raw: true,
      size: 1024,
      connections: 3,
      'in-flight': 5,
      messages: 3000,
    });
    expect(result).toMatchObject({ messages: 3000, verified: 3000 });
  });

  testTls.each([
    { size: 16, connections: 5, 'in-flight': 16, messages: 5000 },
    { size: 1024, connections: 3, 'in-flight': 16, messages: 2000 },
    { size: 300_000, connections: 2, 'in-flight': 4, messages: 40 },
  ])('counts and verifies every echo through TLS: %j', async (options) => {
    const secure = createSecureServer(makeCertificate());
    const server = new WebSocketServer({ server: secure });
    let messages = 0;
    server.on('connection', (socket) =>
      socket.on('message', (data: RawData, isBinary) => {
        messages++;
        socket.send(data, { binary: isBinary });
      }),
    );
    const port = await listening(secure);
    const { status, result, complaint } = await run('echo', { ...options, port, tls: true });
    expect(complaint).toBe('');
    expect(status).toBe(0);
    expect(result).toMatchObject({ messages: options.messages, verified: options.messages });
    expect(messages).toBe(options.messages);
  });

  testTls('takes back its own bytes through TLS, and notices when they are others', async () => {
    let spoilt = false;
    const server = createTlsServer(makeCertificate(), (socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk) => {
        if (spoilt) chunk.writeUInt8(chunk.readUInt8(chunk.length - 1) ^ 1, chunk.length - 1);
        socket.write(chunk);
      });
    });
    const options = { port: await listening(server), tls: true, raw: true, size: 1024, 'in-flight': 5 } as const;
    expect((await run('echo', { ...options, messages: 1000 })).result).toMatchObject({
      messages: 1000,
      verified: 1000,
    });
    spoilt = true;
    expect((await run('echo', { ...options, messages: 1000 })).complaint).toMatch(/differs/);
  });

  testTls.each([
    ['a server without TLS', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'), /TLS handshake/],
    ['a connection that ends at once', (socket: Socket) => socket.end(), /TLS handshake|ended/],
  ])('fails at %s', async (_, answer, expected) => {
    const { port } = await serveRaw((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => answer(socket));
    });
    const { status, result, complaint } = await run('echo', { port, tls: true });
    expect(complaint).toMatch(expected);
    expect(status).toBe(1);
    expect(result).toBeUndefined();
  });

  test('opens and closes connections with 1000', async () => {
    const { port, seen } = await serveEcho();
    const { status, result } = await run('churn', { port, connections: 8, messages: 100 });
    expect(status).toBe(0);
    expect(result).toMatchObject({ messages: 100 });
    expect(seen).toMatchObject({ connections: 100, messages: 0 });
    expect(new Set(seen.closeCodes)).toEqual(new Set([1000]));
  });

  test('a server that refuses the handshake is a fault', async () => {
    const { port } = await serveRaw((socket) => {
      socket.on('error', () => undefined);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    const { status, complaint } = await run('echo', { port });
    expect(status).toBe(1);
    expect(complaint).toContain('403');
  });

  test('holds idle connections until stdin ends', async () => {
    const { server, port } = await serveEcho();
    const child = start('idle', { port, connections: 50, control: true });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect(JSON.parse((await lines.next()).value)).toEqual({ event: 'ready', connections: 50 });
    expect(server.clients.size).toBe(50);
    child.stdin.end();
    expect(JSON.parse((await lines.next()).value)).toEqual({ event: 'result', messages: 50 });
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('the sink counts, compares and answers every n-th message', async () => {
    const child = start('sink', { size: 16, connections: 2, 'in-flight': 10, seconds: 60 });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { port } = JSON.parse((await lines.next()).value);
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    await once(socket, 'open');
    let answers = 0;
    const allAnswered = new Promise((resolve) => socket.on('message', () => ++answers === 5 && resolve(undefined)));
    const payload = Buffer.from(Array.from({ length: 16 }, (_, index) => index));
    for (let count = 0; count < 50; count++) socket.send(payload);
    await allAnswered;
    socket.close(1000);
    const [code] = await once(socket, 'close');
    expect(code).toBe(1000);
    child.stdin.end();
    expect(JSON.parse((await lines.next()).value)).toMatchObject({ event: 'result', messages: 50, verified: 50 });
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test.each([
    { size: 16, asked: [100, 1, 5000] },
    { size: 300, asked: [700] },
    { size: 65_536, asked: [3, 40] },
    { size: 1_000_000, asked: [17] },
  ])('the source sends what is asked for: %j', async ({ size, asked }) => {
    const child = start('source', { size, connections: 1, seconds: 60 });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { port } = JSON.parse((await lines.next()).value);
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    await once(socket, 'open');
    const pattern = Buffer.from(Array.from({ length: size + 16 }, (_, index) => index & 0xff));
    let count = 0;
    const wrong: number[] = [];
    let arrived = () => {};
    socket.on('message', (data: Buffer) => {
      const first = count % 16;
      if (!data.equals(pattern.subarray(first, first + size))) wrong.push(count);
      count++;
      arrived();
    });
    let total = 0;
    for (const number of asked) {
      total += number;
      const all = new Promise<void>((resolve) => (arrived = () => count >= total && resolve()));
      socket.send(String(number));
      await all;
      expect(count).toBe(total);
    }
    expect(wrong).toEqual([]);
    socket.close(1000);
    await once(socket, 'close');
    child.stdin.end();
    expect(JSON.parse((await lines.next()).value)).toMatchObject({ event: 'result', messages: total });
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  test('the source refuses what is no number', async () => {
    const child = start('source', { connections: 1, seconds: 60 });
    let complaint = '';
    child.stderr.on('data', (text) => (complaint += text));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { port } = JSON.parse((await lines.next()).value);
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
    socket.on('error', () => undefined);
    socket.on('open', () => socket.send('many'));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(complaint).toContain('no small number');
  });

  test.each([
    ['echo', {}, /--port/],
    ['echo', { port: 70_000 }, /--port is 70000, expected 1 to 65535/],
    ['dance', { port: 1 }, /unknown mode dance/],
    ['echo', { port: 1, colour: 1 }, /unknown option --colour/],
  ])('refuses %s %j', async (mode, options, expected) => {
    const { status, complaint } = await run(mode, options);
    expect(status).toBe(1);
    expect(complaint).toMatch(expected);
  });
});
