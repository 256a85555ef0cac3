import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { expect } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { atEnd, portOf, startHttp } from '@ws/testing/peer';
import { WebSocketServer as WsServer, type WebSocket as Ws } from 'ws';
import { adapter, core, start, type AnyServer, type AnySocket, type Side } from '../ws2/sides.js';
import { program, until, WS } from './client.js';

const SIDES = { adapter, core };

/** A server that does this with each connection. @returns its port */
async function serve(side: Side, options: object, act: (socket: AnySocket) => void = () => {}): Promise<number> {
  const server = await start(side, options);
  server.on('connection', act);
  return portOf(server);
}

program('A-28 verifyClient, both forms', SIDES, async (side, connect) => {
  type Callback = (result: boolean, code?: number) => void;
  await connect(await serve(side, { verifyClient: () => true })).opened;
  await expect(connect(await serve(side, { verifyClient: () => false })).opened).rejects.toThrow('it failed');
  for (const result of [true, false]) {
    const verifyClient = (_info: unknown, callback: Callback): void => void setImmediate(callback, result, 403);
    const { opened } = connect(await serve(side, { verifyClient }));
    if (result) await opened;
    else await expect(opened).rejects.toThrow('it failed');
  }
});

program('A-29 handleProtocols', SIDES, async (side, connect) => {
  const protocols = ['a', 'b'];
  await expect(
    connect(
      await serve(
        side,
        side.choosing(() => false),
      ),
      { protocols },
    ).opened,
  ).rejects.toThrow('it failed');
  const second = connect(
    await serve(
      side,
      side.choosing(([, name = '']) => name),
    ),
    { protocols },
  );
  await second.opened;
  const first = connect(await serve(side, {}), { protocols });
  await first.opened;
  expect([second.socket.protocol, first.socket.protocol]).toEqual(['b', 'a']);
});

program('A-30 handleUpgrade with noServer, by path', SIDES, async (side, connect) => {
  const servers = new Map<string, AnyServer>(['/a', '/b'].map((path) => [path, side.makeServer({ noServer: true })]));
  const http = createServer();
  http.on('upgrade', (request, socket, head) =>
    servers.get(request.url ?? '')?.handleUpgrade(request, socket, head, (client: AnySocket) => {
      client.send(`this is ${request.url}`);
    }),
  );
  const port = portOf(await startHttp(http));
  for (const path of ['/a', '/b']) expect(await connect(port, { path }).until(1)).toEqual([`this is ${path}`]);
  servers.forEach((server) => server.close());
});

program('A-32 send options, compressed', SIDES, async (side, connect) => {
  const called: string[] = [];
  const floats = new Float32Array([0.5, 1, 2]);
  const client = connect(
    await serve(side, { perMessageDeflate: { threshold: 0 } }, (socket) => {
      socket.send('text', {}, () => called.push('text'));
      socket.send(floats, { binary: true });
      socket.send('in ', { fin: false });
      socket.send('parts');
      socket.send('as it is', { compress: false });
      for (const text of ['small', '', 'small again']) socket.send(text, {}, () => called.push(text));
      socket.close(1000);
    }),
  );
  expect(await client.closed).toEqual([1000, '']);
  const bytes = Buffer.from(floats.buffer);
  expect(client.messages).toEqual(['text', bytes, 'in parts', 'as it is', 'small', '', 'small again']);
  expect(called).toEqual(['text', 'small', '', 'small again']);
});

program('A-33 a message in parts', SIDES, async (side, connect) => {
  const port = await serve(side, {}, (socket) => void side.sendParts(socket, ['a', 'b', 'c', 'd', 'e']));
  expect(await connect(port).until(1)).toEqual(['abcde']);
});

program('A-35 close codes', SIDES, async (side, connect, stranger) => {
  const closes: [number, string][] = [];
  let act = (_socket: AnySocket): void => {};
  const port = await serve(side, {}, (socket) => {
    socket.on('close', (code: number, reason: string | Buffer) => closes.push([code, String(reason)]));
    act(socket);
  });
  act = (socket) => socket.close();
  expect(await connect(port).closed).toEqual([side.bareCode, '']);
  act = (socket) => socket.close(4000, 'x');
  expect(await connect(port).closed).toEqual([4000, 'x']);
  act = (socket) => socket.terminate();
  expect((await connect(port).closed)[0]).toBe(1006);
  act = () => {};
  for (const code of [4001, undefined]) {
    const client = connect(port);
    await client.opened;
    client.socket.close(code, code === undefined ? undefined : 'y');
    await client.closed;
  }
  const expected: [number, string][] = [
    [side.bareCode, ''],
    [4000, stranger === WS ? 'x' : ''], // the other one answers with the code alone
    [1006, ''],
    [4001, 'y'],
    [side.bareCode, ''],
  ];
  if (stranger === WS) {
    const client = connect(port);
    await client.opened;
    client.ws.terminate();
    expected.push([1006, '']);
  }
  await until(() => closes.length === expected.length);
  expect(closes).toEqual(expected);
});

program('A-36 pause and resume', SIDES, async (side, connect) => {
  const [size, count] = [2 ** 20, 50];
  let length = 0;
  let socket: AnySocket | undefined;
  const port = await serve(side, {}, (opened) => {
    socket = opened;
    opened.pause();
    opened.on('message', (data: Buffer) => (length += data.length));
  });
  const client = connect(port);
  await client.opened;
  for (let n = 0; n < count; n++) client.socket.send(Buffer.alloc(size, n));
  let [before, still] = [-1, 0];
  await until(() => {
    still = socket?.bytesReceived === before ? still + 1 : 0;
    before = socket?.bytesReceived ?? -1;
    return still === 100;
  });
  expect([length, before < 4 * size]).toEqual([0, true]);
  socket!.resume();
  await until(() => length === size * count);
});

// Its client, at a server that is not ours.
program(
  'A-34 A-35 A-37 a client at a server of ws',
  SIDES,
  async (side) => {
    const { key, cert } = makeCertificate(['127.0.0.1']);
    const https = await startHttp(
      createHttpsServer({ key, cert, ca: cert, requestCert: true, rejectUnauthorized: true }),
    );
    const server = new WsServer({ server: https });
    atEnd(() => server.clients.forEach((socket) => socket.terminate()));
    const arrival = once(server, 'connection');
    const options = {
      key,
      cert,
      ca: cert,
      host: 'echo.example',
      origin: 'https://app.example',
      headers: { 'X-A': '1' },
    };
    const checkServerIdentity = (): undefined => undefined;
    const socket = side.connect(`wss://127.0.0.1:${portOf(https)}/`, { ...options, checkServerIdentity });
    atEnd(() => socket.terminate());
    const events: unknown[] = [];
    const w3c = socket as unknown as Record<'onopen' | 'onmessage' | 'onclose', unknown>;
    w3c.onopen = () => events.push('open');
    w3c.onmessage = ({ data }: { data: unknown }) => events.push(data);
    w3c.onclose = ({ code, reason }: { code: number; reason: string }) => events.push([code, reason]);
    const [peer, request] = (await arrival) as [Ws, import('node:http').IncomingMessage];
    const { host, origin, 'x-a': added } = request.headers;
    expect([host, origin, added]).toEqual([options.host, options.origin, '1']);
    expect((request.socket as TLSSocket).authorized).toBe(true);
    peer.send('hi');
    peer.close(4000, 'x');
    await once(socket, 'close');
    expect(events).toEqual(['open', 'hi', [4000, 'x']]);
  },
  [WS],
);
