import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Agent, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { makeCertificate } from '@ws/testing';
import type { WebSocket as Ws8 } from 'ws';
import { atEnd, CLOSE, listenSwitching, next, PING, portOf, startHttp, Wire, type Visit } from '@ws/testing/peer';
import { manage, nextSocket, SIDES, start, withRaw, withWs8, type AnySocket } from './sides.js';
import { opened } from './support.js';

describe.each(SIDES)('%s', (_name, side) => {
  test('A-32 send options', async () => {
    const { socket, peer } = await withWs8(side, { perMessageDeflate: { threshold: 0 } }, { perMessageDeflate: true });
    expect(peer.extensions).toBe('permessage-deflate');
    const got: unknown[] = [];
    peer.on('message', (data: Buffer, isBinary) => got.push(isBinary ? data : String(data)));
    const called: unknown[] = [];
    const floats = new Float32Array([0.5, 1, 2]);
    socket.send('text');
    socket.send(floats, { binary: true });
    socket.send('in ', { fin: false });
    socket.send('two ', { fin: false });
    socket.send('parts');
    socket.send('as it is', { compress: false }, (error) => called.push(error ?? null));
    // B-21: the empty one went out as if it were compressed.
    socket.send('small', {}, () => called.push('small'));
    socket.send('', {}, () => called.push('empty'));
    socket.send('small again', {}, () => called.push('small again'));
    socket.close(1000);
    await once(peer, 'close');
    expect(got).toEqual(['text', Buffer.from(floats.buffer), 'in two parts', 'as it is', 'small', '', 'small again']);
    expect(called).toEqual([null, 'small', 'empty', 'small again']);
  });

  test('A-33 a message in parts', async () => {
    const { socket, raw } = await withRaw(side);
    await side.sendParts(socket, ['a', 'b', 'c', 'd', 'e']);
    expect(await raw.bytes(15)).toBe('010161000162000163000164800165');
    socket.terminate();
    await next(socket, 'close');
    expect(await side.sendParts(socket, ['a'])).toBeInstanceOf(Error);
  });

  test('A-34 W3C members', async () => {
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
  });

  describe('A-35 close codes', () => {
    const ends = async (act: (socket: AnySocket, peer: Ws8) => void): Promise<unknown[]> => {
      const { socket, peer } = await withWs8(side);
      const both = Promise.all([next(socket, 'close'), once(peer, 'close')]);
      act(socket, peer);
      return (await both).flatMap(([code, reason]) => [code, String(reason)]);
    };

    test('A-35 close()', async () =>
      expect(await ends((socket) => socket.close())).toEqual([side.bareCode, '', side.bareCode, '']));
    test("A-35 close(4000, 'x')", async () =>
      expect(await ends((socket) => socket.close(4000, 'x'))).toEqual([4000, 'x', 4000, 'x']));
    test('A-35 the peer closes, with a code and without', async () => {
      expect(await ends((_socket, peer) => peer.close(4000, 'x'))).toEqual([4000, 'x', 4000, 'x']);
      expect((await ends((_socket, peer) => peer.close()))[0]).toBe(side.bareCode);
    });
    test('A-35 the peer cuts', async () =>
      expect(await ends((_socket, peer) => peer.terminate())).toEqual([1006, '', 1006, '']));
    test('A-35 while CONNECTING', async () => {
      const { url } = await listenSwitching();
      const socket = side.connect(url);
      const failed = next<[Error & { code: string }]>(socket, 'error');
      const ended = next(socket, 'close');
      socket.close();
      const [[error], [code, reason]] = await Promise.all([failed, ended]);
      expect([error.code, code, String(reason)]).toEqual(['WS_ERR_ABORTED', 1006, '']);
    });
    test('A-35 no answer: gone after the close timeout', async () => {
      const server = await start(side, { closeTimeout: 50 });
      const told = nextSocket(server);
      const raw = await Wire.open(portOf(server));
      const socket = await told;
      const ended = next(socket, 'close');
      socket.close(4000, 'x');
      expect(await raw.bytes(5)).toBe('88030fa078');
      expect((await ended)[0]).toBe(1006);
      await raw.rest();
    });
  });

  test('A-36 pause and resume', async () => {
    const { socket, peer } = await withWs8(side);
    const [size, count] = [1024 * 1024, 50];
    socket.pause();
    let length = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        length += data.length;
        if (length === size * count) resolve();
      });
    });
    for (let n = 0; n < count; n++) peer.send(Buffer.alloc(size));
    // What neither end's system takes stays with the peer.
    for (let before = -1; before !== peer.bufferedAmount;) {
      before = peer.bufferedAmount;
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    }
    expect([length, socket.bytesReceived < 4 * size]).toEqual([0, true]);
    socket.resume();
    await all;
    expect(length).toBe(size * count);
  });

  describe('A-37 client options', () => {
    const requestOf = async (options: object): Promise<Visit> => {
      const { url, visit } = await listenSwitching();
      await opened(manage(side.connect(url, options)));
      return visit;
    };

    test('A-37 host, origin, headers', async () => {
      const options = { host: 'echo.example', origin: 'https://app.example', headers: { 'X-Custom': '1' } };
      const { headers } = await requestOf(options);
      expect([headers['host'], headers['origin'], headers['x-custom']]).toEqual([
        'echo.example',
        'https://app.example',
        '1',
      ]);
    });
    test('A-37 protocolVersion 8', async () => {
      const { headers } = await requestOf({ origin: 'https://app.example', protocolVersion: 8 });
      expect([headers['sec-websocket-version'], headers['sec-websocket-origin']]).toEqual(['8', 'https://app.example']);
    });
    test('A-37 agent, localAddress', async () => {
      const agent = new Agent();
      const used = new Promise((resolve) => {
        const create = agent.createConnection.bind(agent);
        agent.createConnection = (...given) => {
          resolve(true);
          return create(...given);
        };
      });
      const { wire: raw } = await requestOf({ agent, localAddress: '127.0.0.2' });
      expect([await used, raw.socket.remoteAddress]).toEqual([true, '127.0.0.2']);
    });
    test('A-37 a TLS client certificate', async () => {
      const { key, cert } = makeCertificate();
      const https = await startHttp(
        createHttpsServer({ key, cert, ca: [cert], requestCert: true, rejectUnauthorized: false }),
      );
      const server = side.makeServer({ server: https });
      atEnd(() => server.close());
      const told = next<[AnySocket, IncomingMessage]>(server, 'connection');
      const options = { key, cert, ca: [cert], checkServerIdentity: () => undefined };
      await opened(manage(side.connect(`wss://127.0.0.1:${portOf(https)}`, options)));
      const [, request] = await told;
      expect((request.socket as TLSSocket).getPeerCertificate().raw).toBeInstanceOf(Buffer);
    });
  });

  test('A-35 a ping in between changes nothing', async () => {
    const { socket, raw } = await withRaw(side);
    const ended = next(socket, 'close');
    raw.send(PING, 'a').send(CLOSE, Buffer.from('0fa0', 'hex'));
    expect(await raw.bytes(7)).toBe('8a016188020fa0');
    expect((await ended)[0]).toBe(4000);
  });
});
