import { Agent, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { expect } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { CLOSE, listenSwitching, next, PING, portOf, startHttp, type Visit } from '@ws/testing/peer';
import { WebSocketServer as WsServer, type ServerOptions } from 'ws';
import { opened } from '../ws2/support.js';
import { OURS, UNDICI, WS } from './client.js';
import { program, until } from './program.js';
import { manage, serve, SIDES, withRaw, type AnyServer, type AnySocket, type Side } from './ws2-sides.js';

program('A-32 send options, compressed', {
  ...SIDES,
  by: [WS, UNDICI, OURS],
  async seen(side, peer) {
    const called: unknown[] = [];
    const floats = new Float32Array([0.5, 1, 2]);
    const port = await serve(side, { perMessageDeflate: { threshold: 0 } }, (socket) => {
      const send = (text: string, options = {}): unknown =>
        socket.send(text, options, (error) => called.push(error ?? text));
      send('text');
      socket.send(floats, { binary: true });
      socket.send('in ', { fin: false });
      socket.send('two ', { fin: false });
      socket.send('parts');
      send('as it is', { compress: false });
      // B-21: the empty one went out as if it were compressed.
      for (const text of ['small', '', 'small again']) send(text);
      socket.close(1000);
    });
    const client = await peer.open(port);
    expect(client.extensions).toMatch(/^permessage-deflate/);
    expect(await client.closed).toEqual([1000, '']);
    const bytes = Buffer.from(floats.buffer);
    expect(client.heard).toEqual(['text', bytes, 'in two parts', 'as it is', 'small', '', 'small again']);
    expect(called).toEqual(['text', 'as it is', 'small', '', 'small again']);
  },
});

program('A-33 a message in parts', {
  ...SIDES,
  async seen(side, peer) {
    const port = await serve(side, {}, (socket) => void side.sendParts(socket, ['a', 'b', 'c', 'd', 'e']));
    expect(await (await peer.open(port)).until(1)).toEqual(['abcde']);
  },
  async check(side) {
    const { socket, raw } = await withRaw(side);
    await side.sendParts(socket, ['a', 'b', 'c', 'd', 'e']);
    expect(await raw.bytes(15)).toBe('010161000162000163000164800165');
    socket.terminate();
    await next(socket, 'close');
    expect(await side.sendParts(socket, ['a'])).toBeInstanceOf(Error);
  },
});

program('A-34 W3C members', {
  ...SIDES,
  async check(side) {
    const { url, visit } = await listenSwitching();
    const socket = manage(side.connect(url, { perMessageDeflate: false }));
    const events: object[] = [];
    const note = ({ type, target, ...rest }: { type: string; target: unknown }): void => {
      expect(target).toBe(socket);
      const { data, code, reason, wasClean } = rest as Record<string, unknown>;
      events.push(type === 'message' ? [type, data] : type === 'close' ? [type, code, reason, wasClean] : [type]);
    };
    const plain: unknown[] = [];
    socket.onopen = socket.onclose = socket.onerror = note;
    socket.addEventListener('message', note);
    socket.on('message', (data: unknown, second: unknown) => plain.push(side.seen(data, second as never)));
    socket.onmessage = () => plain.push('never');
    socket.onmessage = note;
    const { wire: raw } = await visit;
    raw.write(Buffer.from('81026869', 'hex')); // "hi"
    await next(socket, 'message');
    raw.write(Buffer.from('8802ffff', 'hex')); // a code that nobody may send
    await next(socket, 'close');
    expect(plain).toEqual([[false, 'hi']]);
    expect(events).toEqual([['open'], ['message', 'hi'], ['message', 'hi'], ['error'], ['close', 1006, '', false]]);
  },
});

program('A-35 close codes', {
  ...SIDES,
  async seen(side, peer) {
    const closes: [number, string][] = [];
    let act = (_socket: AnySocket): void => {};
    const port = await serve(side, {}, (socket) => {
      socket.on('close', (code: number, reason: string | Buffer) => closes.push([code, String(reason)]));
      act(socket);
    });
    const told = (count: number): Promise<void> => until(() => closes.length === count); // the server, too
    act = (socket) => socket.close();
    expect(await (await peer.open(port)).closed).toEqual([side.bareCode, '']);
    await told(1);
    act = (socket) => socket.close(4000, 'x');
    expect(await (await peer.open(port)).closed).toEqual([4000, 'x']);
    await told(2);
    act = (socket) => socket.terminate();
    expect(await (await peer.open(port)).closed).toEqual([1006, '']);
    await told(3);
    act = () => {};
    expect(await (await peer.open(port)).close(4001, 'y')).toEqual([4001, 'y']);
    await told(4);
    expect(await (await peer.open(port)).close()).toEqual([1005, '']);
    await told(5);
    const expected: [number, string][] = [
      [side.bareCode, ''],
      [4000, peer === UNDICI ? '' : 'x'], // it answers with the code alone
      [1006, ''],
      [4001, 'y'],
      [side.bareCode, ''],
    ];
    if (!peer.isBrowser) {
      (await peer.open(port)).cut();
      expected.push([1006, '']);
    }
    await told(expected.length);
    expect(closes).toEqual(expected);
  },
});

program('A-35 close while CONNECTING', {
  ...SIDES,
  async check(side) {
    const { url } = await listenSwitching();
    const socket = side.connect(url);
    const failed = next<[Error & { code: string }]>(socket, 'error');
    const ended = next(socket, 'close');
    socket.close();
    const [[error], [code, reason]] = await Promise.all([failed, ended]);
    expect([error.code, code, String(reason)]).toEqual(['WS_ERR_ABORTED', 1006, '']);
  },
});

program('A-35 no answer from the peer: gone after the close timeout', {
  ...SIDES,
  async check(side) {
    const { socket, raw } = await withRaw(side, { closeTimeout: 50 });
    const ended = next(socket, 'close');
    socket.close(4000, 'x');
    expect(await raw.bytes(5)).toBe('88030fa078');
    expect((await ended)[0]).toBe(1006);
    await raw.rest();
  },
});

program('A-35 a ping in between changes nothing', {
  ...SIDES,
  async check(side) {
    const { socket, raw } = await withRaw(side);
    const ended = next(socket, 'close');
    raw.send(PING, 'a').send(CLOSE, Buffer.from('0fa0', 'hex'));
    expect(await raw.bytes(7)).toBe('8a016188020fa0');
    expect((await ended)[0]).toBe(4000);
  },
});

program('A-36 pause and resume', {
  ...SIDES,
  by: [WS, UNDICI, OURS],
  async seen(side, peer) {
    const [size, count] = [2 ** 20, 50];
    let length = 0;
    let socket: AnySocket | undefined;
    const port = await serve(side, {}, (one) => {
      socket = one;
      one.pause();
      one.on('message', (data: Buffer) => (length += data.length));
    });
    const client = await peer.open(port);
    for (let n = 0; n < count; n++) client.send(Buffer.alloc(size, n));
    let [before, still] = [-1, 0];
    await until(() => {
      still = socket?.bytesReceived === before ? still + 1 : 0;
      before = socket?.bytesReceived ?? -1;
      return still === 100;
    });
    expect([length, before < 4 * size]).toEqual([0, true]);
    socket!.resume();
    await until(() => length >= size * count);
    expect(length).toBe(size * count);
  },
});

async function requestOf(side: Side, options: object): Promise<Visit> {
  const { url, visit } = await listenSwitching();
  await opened(manage(side.connect(url, options)));
  return visit;
}

program('A-37 protocolVersion 8', {
  ...SIDES,
  async check(side) {
    const { headers } = await requestOf(side, { origin: 'https://app.example', protocolVersion: 8 });
    expect(headers).toMatchObject({ 'sec-websocket-version': '8', 'sec-websocket-origin': 'https://app.example' });
  },
});

program('A-37 agent, localAddress', {
  ...SIDES,
  async check(side) {
    const agent = new Agent();
    const used = new Promise((resolve) => {
      const create = agent.createConnection.bind(agent);
      agent.createConnection = (...given) => {
        resolve(true);
        return create(...given);
      };
    });
    const { wire: raw } = await requestOf(side, { agent, localAddress: '127.0.0.2' });
    expect([await used, raw.socket.remoteAddress]).toEqual([true, '127.0.0.2']);
  },
});

program('A-34 A-35 A-37 host, origin, headers, a TLS client certificate; a message and a close', {
  ...SIDES,
  async check(side) {
    const { key, cert } = makeCertificate(['127.0.0.1']);
    const tls = { key, cert, ca: cert };
    const options = { host: 'echo.example', origin: 'https://app.example', headers: { 'X-Custom': '1' } };
    const makeWs = (where: ServerOptions): AnyServer => new WsServer(where) as unknown as AnyServer;
    for (const makeServer of [side.makeServer, makeWs]) {
      const https = await startHttp(createHttpsServer({ ...tls, requestCert: true, rejectUnauthorized: true }));
      const server = makeServer({ server: https });
      const arrival = next<[AnySocket, IncomingMessage]>(server, 'connection');
      const url = `wss://127.0.0.1:${portOf(https)}/`;
      const socket = manage(side.connect(url, { ...tls, ...options, checkServerIdentity: () => undefined }));
      const events: unknown[] = [];
      socket.onopen = () => events.push('open');
      socket.onmessage = ({ data }: { data: unknown }) => events.push(data);
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => events.push([code, reason]);
      const [peer, request] = await arrival;
      manage(peer);
      expect(request.headers).toMatchObject({ host: options.host, origin: options.origin, 'x-custom': '1' });
      const stream = request.socket as TLSSocket;
      expect([stream.authorized, stream.getPeerCertificate().raw]).toEqual([true, expect.any(Buffer)]);
      peer.send('hi');
      peer.close(4000, 'x');
      await next(socket, 'close');
      expect(events).toEqual(['open', 'hi', [4000, 'x']]);
      server.close();
    }
  },
});
