import { expect, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { makeCertificate } from '@ws/testing';
import { WebSocket as Ws8 } from 'ws';
import { atEnd, handshake, next, portOf, shake, startHttp, Wire } from '@ws/testing/peer';
import WebSocket, { type ClientInfo, type VerifyClientOption } from '../../src/ws2/index.js';
import { prove } from '../rows.js';
import { admissionRows } from '../rows/ws2.js';
import { connection, opened, start, ws8 } from './support.js';

/** What the client of a server with this `verifyClient` is answered. */
const verified = async (verifyClient: VerifyClientOption): Promise<[status: number, phrase: string, body: string]> => {
  const { status, phrase, body } = await shake(portOf(await start({ verifyClient })));
  return [status, phrase, body];
};
const asking = (protocol: string): string => handshake({ 'Sec-WebSocket-Protocol': protocol });

prove(admissionRows, {
  'WS-007': {
    'what is true accepts, all else is a 401': async () => {
      const answers = [false, 0, '', null, undefined, true, 1, 'yes', {}];
      const statuses = await Promise.all(answers.map(async (answer) => (await verified(() => answer))[0]));
      expect(statuses).toEqual([401, 401, 401, 401, 401, 101, 101, 101, 101]);
    },
    'a Promise is waited for': async () => {
      expect((await verified(async () => false))[0]).toBe(401);
      expect((await verified(async () => true))[0]).toBe(101);
      const promiseOfThatTime = { then: (resolve: (answer: boolean) => void) => resolve(false) };
      expect((await verified(() => promiseOfThatTime))[0]).toBe(401);
    },
    'what it throws is a 500': async () => {
      const fail = (): never => {
        throw new Error('secret');
      };
      expect(await verified(fail)).toEqual([500, 'Internal Server Error', 'Internal Server Error']);
      expect((await verified(async () => fail()))[0]).toBe(500);
    },
  },
  'WS-008': {
    'status, reason phrase and body': async () => {
      expect(await verified((_info, cb) => cb(false))).toEqual([401, 'Unauthorized', 'Unauthorized']);
      expect(await verified((_info, cb) => cb(false, 403, 'No'))).toEqual([403, 'No', 'No']);
      expect((await verified((_info, cb) => cb(true, 403, 'No')))[0]).toBe(101);
      expect((await verified((_info, cb) => cb(1)))[0]).toBe(101);
    },
    'later, and once': async () => {
      const answer = await verified((_info, cb) =>
        setImmediate(() => {
          cb(false, 403);
          cb(true);
        }),
      );
      expect(answer[0]).toBe(403);
    },
    'a client that is gone is told nothing': async () => {
      const connected = jest.fn();
      const server = await start({
        verifyClient: (info, cb) => {
          info.req.socket.on('close', () => {
            cb(true);
            server.emit('listening');
          });
          raw.cut();
        },
      });
      server.on('connection', connected);
      const answered = once(server, 'listening');
      const raw = Wire.to(portOf(server), handshake());
      await answered;
      expect([connected.mock.calls, raw.received.length]).toEqual([[], 0]);
    },
    'an async function: what it rejects with is a 500, what it resolves with no answer': async () => {
      const rejected = await verified(async (_info, _cb) => {
        throw new Error('secret');
      });
      expect(rejected).toEqual([500, 'Internal Server Error', 'Internal Server Error']);
      expect((await verified(async (_info, cb) => void setImmediate(cb, false, 403)))[0]).toBe(403);
    },
    'no answer: 503': async () => {
      const server = await start({ verifyClient: (_info, _cb) => {}, handshakeTimeout: 50 });
      expect((await shake(portOf(server))).status).toBe(503);
    },
    'a header may go with it that breaks nothing': async () =>
      expect((await verified((_info, cb) => cb(false, 403, 'a\r\nX-Injected: b')))[1]).toBe('Forbidden'),
  },
  'WS-009': {
    'origin, req, secure: over http': async () => {
      const seen: ClientInfo[] = [];
      const server = await start({ verifyClient: (info) => seen.push(info) });
      const told = connection(server);
      await shake(portOf(server), handshake({ Origin: 'https://elsewhere.example' }));
      const { upgradeReq } = await told;
      expect(seen.map(({ origin, secure, req }) => [origin, secure, req === upgradeReq])).toEqual([
        ['https://elsewhere.example', false, true],
      ]);
    },
    'over https': async () => {
      const { key, cert } = makeCertificate();
      const https = await startHttp(createHttpsServer({ key, cert }));
      const verifyClient = jest.fn((info: ClientInfo) => info.secure);
      const server = new WebSocket.Server({ server: https, verifyClient });
      const client = new Ws8(`wss://127.0.0.1:${portOf(https)}`, { rejectUnauthorized: false });
      atEnd(() => client.terminate());
      await opened(client);
      server.close();
      expect(verifyClient.mock.results.map(({ value }) => value)).toEqual([true]);
    },
    'version 8 has its origin elsewhere (X-16)': async () => {
      const seen: unknown[] = [];
      const server = await start({ verifyClient: ({ origin }) => seen.push(origin) });
      const headers = { 'Sec-WebSocket-Version': '8', 'Sec-WebSocket-Origin': 'https://old.example' };
      expect((await shake(portOf(server), handshake(headers))).status).toBe(101);
      expect(seen).toEqual(['https://old.example']);
    },
  },
  'WS-010': async () => {
    const server = await start();
    expect((await shake(portOf(server), handshake({ Origin: 'https://elsewhere.example' }))).status).toBe(101);
  },
  'WS-011': {
    'false is a 401 (X-07)': async () => {
      const server = await start({ handleProtocols: () => false });
      const { status, body } = await shake(portOf(server), asking('a, b'));
      expect([status, body]).toEqual([401, 'Unauthorized']);
    },
    'its answer is the protocol': async () => {
      const handleProtocols = jest.fn((protocols: string[]) => protocols[1]);
      const server = await start({ handleProtocols });
      const told = connection(server);
      const client = await opened(ws8(portOf(server), ['a', 'b']));
      expect([client.protocol, (await told).protocol]).toEqual(['b', 'b']);
      expect(handleProtocols.mock.calls).toEqual([[['a', 'b']]]);
    },
    'nothing is no header': async () => {
      for (const nothing of ['', undefined, null]) {
        const server = await start({ handleProtocols: () => nothing });
        const { status, headers } = await shake(portOf(server), asking('a'));
        expect([status, headers['sec-websocket-protocol']]).toEqual([101, undefined]);
      }
    },
    'who asks for none is not asked about': async () => {
      const handleProtocols = jest.fn(() => false as const);
      expect((await shake(portOf(await start({ handleProtocols })))).status).toBe(101);
      expect(handleProtocols).not.toHaveBeenCalled();
    },
    'a Promise is waited for': async () => {
      for (const [answer, status] of [
        [false, 401],
        ['a', 101],
      ] as const) {
        const server = await start({ handleProtocols: async () => answer });
        expect((await shake(portOf(server), asking('a'))).status).toBe(status);
      }
    },
    'with two parameters it calls back, at once or later, as in ws 1': async () => {
      for (const [result, protocol, status, chosen] of [
        [true, 'b', 101, 'b'],
        [true, undefined, 101, undefined],
        [false, 'b', 401, undefined],
        [true, 'c', 500, undefined],
      ] as const)
        for (const later of [(call: () => void) => call(), setImmediate]) {
          const server = await start({
            handleProtocols: (_, callback) => {
              later(() => callback(result, protocol));
            },
          });
          const answer = await shake(portOf(server), asking('a, b'));
          expect([answer.status, answer.headers['sec-websocket-protocol']]).toEqual([status, chosen]);
        }
    },
    'what it throws where it calls back is a 500 too': async () => {
      const throws = (protocols: string[], callback: unknown): void => {
        throw new Error(`${typeof callback} for ${protocols.length}`);
      };
      const rejects = async (protocols: string[], callback: unknown): Promise<void> => {
        throw new Error(`${typeof callback} for ${protocols.length}`);
      };
      for (const handleProtocols of [throws, rejects])
        expect((await shake(portOf(await start({ handleProtocols })), asking('a'))).status).toBe(500);
    },
    'what was not offered is a 500': async () => {
      const server = await start({ handleProtocols: () => 'c' });
      expect((await shake(portOf(server), asking('a, b'))).status).toBe(500);
    },
  },
  'WS-012': async () => {
    const server = await start();
    expect((await shake(portOf(server), asking('a, b'))).headers['sec-websocket-protocol']).toBe('a');
  },
  'WS-031': {
    'status line, headers, body': async () => {
      const server = await start({ path: '/chat' });
      const { status, phrase, headers, body } = await shake(portOf(server));
      expect([status, phrase, headers['connection']]).toEqual([400, 'Bad Request', 'close']);
      expect(headers['content-length']).toBe(String(Buffer.byteLength(body)));
      expect(headers['content-type']).toBe('text/plain; charset=utf-8');
    },
    'by what is wrong': async () => {
      const port = portOf(await start());
      const statuses = [
        handshake({ Upgrade: undefined }),
        handshake({ Upgrade: 'h2c' }),
        handshake({ 'Sec-WebSocket-Key': undefined }),
        handshake({ 'Sec-WebSocket-Key': 'c2hvcnQ=' }),
        handshake({ 'Sec-WebSocket-Version': '7' }),
        handshake({ 'Sec-WebSocket-Version': undefined }),
        handshake({}, 'POST / HTTP/1.1'),
      ].map(async (request) => (await shake(port, request)).status);
      expect(await Promise.all(statuses)).toEqual([426, 400, 400, 400, 426, 400, 405]);
    },
    'the socket is closed': async () => {
      const raw = Wire.to(portOf(await start()), handshake({ 'Sec-WebSocket-Key': 'x' }));
      await next(raw.socket, 'close');
      expect(raw.received.toString('latin1')).toMatch(/^HTTP\/1\.1 400 /);
    },
  },
});
