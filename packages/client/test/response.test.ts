import type { ClientRequest, IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import { WebSocket, type ClientOptions } from '../src/index.js';
import { acceptOf, ending, next, opened, rawServer, switching, type RawRequest } from './peers.js';

const connectTo = async (
  onRequest: (request: RawRequest) => void,
  options: ClientOptions & { protocols?: string[] } = {},
): Promise<WebSocket> => {
  const port = await rawServer(onRequest);
  const { protocols = [], ...rest } = options;
  return new WebSocket(`ws://127.0.0.1:${port}/`, protocols, rest);
};

const RESPONSES: { name: string; answer: (key: string) => string; code: string; protocols?: string[] }[] = [
  {
    name: 'WS-051 NW-072 wrong accept',
    answer: (key) => switching(key, { 'Sec-WebSocket-Accept': acceptOf(`${key}=`) }),
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'NW-072 no accept',
    answer: (key) => switching(key, { 'Sec-WebSocket-Accept': undefined }),
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'two accepts',
    answer: (key) => switching(key, { 'sec-websocket-accept': acceptOf(key) }),
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'the accept of the example in the RFC',
    answer: (key) => switching(key, { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }),
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'NW-072 no Upgrade',
    answer: (key) => switching(key, { Upgrade: undefined }),
    code: 'WS_ERR_INVALID_UPGRADE',
  },
  {
    name: 'NW-072 another Upgrade',
    answer: (key) => switching(key, { Upgrade: 'h2c' }),
    code: 'WS_ERR_INVALID_UPGRADE',
  },
  {
    name: 'a list of Upgrades',
    answer: (key) => switching(key, { Upgrade: 'websocket, h2c' }),
    code: 'WS_ERR_INVALID_UPGRADE',
  },
  {
    name: 'NW-072 no Connection',
    answer: (key) => switching(key, { Connection: undefined }),
    code: 'WS_ERR_INVALID_CONNECTION',
  },
  {
    name: 'NW-072 another Connection',
    answer: (key) => switching(key, { Connection: 'keep-alive' }),
    code: 'WS_ERR_INVALID_CONNECTION',
  },
  {
    name: 'no header at all',
    answer: () => 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    code: 'WS_ERR_INVALID_UPGRADE',
  },
  {
    name: 'WS-051 NW-072 a subprotocol nobody asked for',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': 'one' }),
    code: 'WS_ERR_UNEXPECTED_SUBPROTOCOL',
  },
  {
    name: 'an empty subprotocol',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': '' }),
    code: 'WS_ERR_UNEXPECTED_SUBPROTOCOL',
  },
  {
    name: 'WS-051 NW-072 X-08 no subprotocol though asked',
    answer: (key) => switching(key),
    protocols: ['one'],
    code: 'WS_ERR_MISSING_SUBPROTOCOL',
  },
  {
    name: 'WS-051 another subprotocol',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': 'two' }),
    protocols: ['one'],
    code: 'WS_ERR_INVALID_SUBPROTOCOL',
  },
  {
    name: 'a subprotocol in another case',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': 'One' }),
    protocols: ['one'],
    code: 'WS_ERR_INVALID_SUBPROTOCOL',
  },
  {
    name: 'several subprotocols',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': 'one, two' }),
    protocols: ['one', 'two'],
    code: 'WS_ERR_INVALID_SUBPROTOCOL',
  },
  {
    name: 'an extension that was not offered',
    answer: (key) => switching(key, { 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
    code: 'WS_ERR_UNEXPECTED_EXTENSION',
  },
  {
    name: 'an extension named as in Object.prototype',
    answer: (key) => switching(key, { 'Sec-WebSocket-Extensions': 'constructor' }),
    code: 'WS_ERR_UNEXPECTED_EXTENSION',
  },
  {
    name: 'WS-051 broken extensions',
    answer: (key) => switching(key, { 'Sec-WebSocket-Extensions': 'a;=' }),
    code: 'WS_ERR_INVALID_EXTENSIONS',
  },
  {
    name: 'WS-051 200',
    answer: () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  {
    name: '200 with the headers of a 101',
    answer: (key) => switching(key).replace('101', '200'),
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  { name: '204', answer: () => 'HTTP/1.1 204 No Content\r\n\r\n', code: 'WS_ERR_UNEXPECTED_STATUS' },
  {
    name: '401',
    answer: () => 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n',
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  {
    name: 'a redirect that is not to be followed',
    answer: () => 'HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n',
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  {
    name: '503 without an end',
    answer: () => 'HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\nx',
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  { name: 'garbage', answer: () => '\x16\x03\x01\0\0 garbage', code: 'HPE_INVALID_CONSTANT' },
  { name: 'SSH', answer: () => 'SSH-2.0-OpenSSH_9.2\r\n', code: 'HPE_INVALID_CONSTANT' },
  {
    name: 'too many headers',
    answer: () => `HTTP/1.1 101 Switching Protocols\r\nX: ${'y'.repeat(20000)}`,
    code: 'HPE_HEADER_OVERFLOW',
  },
];

test.each(RESPONSES)(
  '$name: error, then close 1006, and the connection is cut',
  async ({ answer, code, protocols = [] }) => {
    let cut: Promise<unknown> | undefined;
    const websocket = await connectTo(
      ({ key, socket }) => {
        cut = next(socket, 'close');
        socket.write(answer(key), 'latin1');
      },
      { protocols },
    );
    const { events } = await ending(websocket);
    expect(events.filter((event) => event !== 'upgrade')).toEqual([`error ${code}`, 'close 1006']);
    expect(websocket.readyState).toBe(WebSocket.CLOSED);
    await cut;
  },
);

test('WS-051 the text that programs for ws 8 look for', async () => {
  const websocket = await connectTo(({ socket }) => socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n'));
  expect((await ending(websocket)).error?.message).toBe('Unexpected server response: 401');
});

const ACCEPTED = [
  { name: 'other spellings', changes: { Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' } },
  { name: 'other headers', changes: { Server: 'x', 'Set-Cookie': 'a=b', 'X-Long': 'y'.repeat(8000) } },
];

test.each(ACCEPTED)('$name are accepted', async ({ changes }) => {
  const websocket = await opened(await connectTo(({ key, socket }) => socket.write(switching(key, changes))));
  expect(websocket.readyState).toBe(WebSocket.OPEN);
});

test('a response with 1500 other headers is read to its end', async () => {
  const many = Array.from({ length: 1500 }, (_, i) => `a${i}:`).join('\r\n');
  const websocket = await connectTo(({ key, socket }) =>
    socket.write(switching(key).replace('\r\n', `\r\n${many}\r\n`)),
  );
  expect((await opened(websocket)).readyState).toBe(WebSocket.OPEN);
});

test('informational responses are passed over, whatever they say', async () => {
  const websocket = await connectTo(({ key, socket }) => {
    socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(`HTTP/1.1 103 Early Hints\r\nLocation: /x\r\nUpgrade: h2c\r\nSec-WebSocket-Protocol: evil\r\n\r\n`);
    socket.write(switching(key));
  });
  await opened(websocket);
  expect(websocket.protocol).toBe('');
});

test('K-09 upgrade is given the response, before open', async () => {
  const websocket = await connectTo(({ key, socket }) => socket.write(switching(key, { 'Set-Cookie': 'a=b' })));
  const states: unknown[] = [];
  websocket.on('upgrade', (response: IncomingMessage) => {
    states.push(websocket.readyState, response.statusCode, response.headers['set-cookie']);
  });
  await opened(websocket);
  expect(states).toEqual([WebSocket.CONNECTING, 101, ['a=b']]);
});

test.each(['close', 'terminate'] as const)('%s in upgrade gives the connection up', async (method) => {
  let cut: Promise<unknown> | undefined;
  const websocket = await connectTo(({ key, socket }) => {
    cut = next(socket, 'close');
    socket.write(Buffer.concat([Buffer.from(switching(key)), hex`81 01 61`]));
  });
  websocket.on('upgrade', () => websocket[method]());
  const { events, error } = await ending(websocket);
  expect(events).toEqual(['upgrade', 'error Error', 'close 1006']);
  expect(error?.message).toBe('WebSocket was closed before the connection was established');
  await cut;
});

test.each([
  {
    name: 'the 101 is refused',
    changes: { 'Sec-WebSocket-Accept': 'x' },
    listener: () => {},
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  { name: 'upgrade calls close()', changes: {}, listener: (websocket: WebSocket) => websocket.close(), code: 'Error' },
])('a stream that breaks while it is destroyed is no exception: $name', async ({ changes, listener, code }) => {
  const port = await rawServer(({ key, socket }) => socket.write(switching(key, changes)));
  let broken: Promise<unknown> | undefined;
  const websocket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    createConnection: (options) => {
      const socket = connect(options);
      const destroy = socket._destroy.bind(socket);
      socket._destroy = (_error, done) => destroy(null, () => done(new Error('it broke')));
      broken = next(socket, 'close');
      return socket;
    },
  });
  websocket.on('upgrade', () => listener(websocket));
  expect((await ending(websocket)).events).toEqual(['upgrade', `error ${code}`, 'close 1006']);
  await broken;
});

test('frames in the packet of the 101 are delivered after open', async () => {
  const websocket = await connectTo(({ key, socket }) => {
    socket.write(Buffer.concat([Buffer.from(switching(key)), hex`81 02 6869 | 89 00 | 82 01 00`]));
    socket.write(hex`81 01 21`);
  });
  const events: string[] = [];
  websocket.on('open', () => events.push(`open ${websocket.readyState}`));
  websocket.on('ping', () => events.push('ping'));
  await new Promise<void>((resolve) => {
    websocket.on('message', (data, isBinary) => {
      events.push(`${isBinary ? 'binary' : 'text'} ${(data as Buffer).toString('hex')}`);
      if (events.length === 5) resolve();
    });
  });
  expect(events).toEqual(['open 1', 'text 6869', 'ping', 'binary 00', 'text 21']);
  websocket.terminate();
});

test('a close frame in the packet of the 101', async () => {
  const websocket = await connectTo(({ key, socket }) => {
    socket.end(Buffer.concat([Buffer.from(switching(key)), hex`88 02 0fa0`]));
  });
  expect((await ending(websocket)).events).toEqual(['upgrade', 'open', 'close 4000']);
});

test('the 101 and a frame, split at every byte', async () => {
  const port = await rawServer(({ key, socket }) => {
    const bytes = Buffer.concat([Buffer.from(switching(key)), hex`81 02 6869`]);
    const pieces = splits[turn % splits.length]?.(bytes) ?? [bytes];
    writeOneByOne(socket, pieces);
  });
  let turn = 0;
  const length = Buffer.byteLength(switching('x'.repeat(24))) + 4;
  const splits = [...everySplit(new Uint8Array(length))].map((shape) => (bytes: Buffer): Uint8Array[] => {
    let at = 0;
    return shape.map((piece) => bytes.subarray(at, (at += piece.length)));
  });
  for (turn = 0; turn < splits.length; turn++) {
    const websocket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const [data] = (await next(websocket, 'message')) as [Buffer];
    expect(data.toString()).toBe('hi');
    websocket.terminate();
    await websocket.closed;
  }
});

/** Each piece is written when the one before has left, so that they arrive apart. */
function writeOneByOne(socket: Socket, pieces: readonly Uint8Array[]): void {
  socket.setNoDelay();
  const [piece, ...rest] = pieces;
  if (piece !== undefined) socket.write(piece, () => setImmediate(() => writeOneByOne(socket, rest)));
}

test('WS-051 unexpected-response hands the response over and suppresses the error; close follows when it is read', async () => {
  const websocket = await connectTo(({ socket }) => {
    socket.end('HTTP/1.1 401 Unauthorized\r\nX-Reason: none\r\nContent-Length: 5\r\n\r\nsorry');
  });
  const done = ending(websocket);
  let read = '';
  websocket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
    expect(websocket.readyState).toBe(WebSocket.CONNECTING);
    expect(request.method).toBe('GET');
    read += `${response.statusCode} ${String(response.headers['x-reason'])} `;
    response.on('data', (chunk: Buffer) => (read += chunk.toString()));
    response.on('end', () => (read += ' end'));
  });
  expect((await done).events).toEqual(['close 1006']);
  expect(read).toBe('401 none sorry end');
});

const TAKERS: {
  name: string;
  take: (request: ClientRequest, response: IncomingMessage, websocket: WebSocket) => void;
  /** The server ends its response; else it never does. */
  ends?: boolean;
  events: string[];
}[] = [
  { name: 'ignores it', take: () => {}, ends: true, events: ['close 1006'] },
  { name: 'destroys the request', take: (request) => request.destroy(), events: ['close 1006'] },
  { name: 'destroys the response', take: (_, response) => response.destroy(), events: ['close 1006'] },
  {
    name: 'destroys the request with an error',
    take: (request) => request.destroy(new Error('x')),
    events: ['close 1006'],
  },
  { name: 'terminates', take: (_, __, websocket) => websocket.terminate(), events: ['error Error', 'close 1006'] },
  {
    name: 'closes later',
    take: (_, __, websocket) => void setImmediate(() => websocket.close()),
    events: ['error Error', 'close 1006'],
  },
];

test.each(TAKERS)('unexpected-response: a listener that $name', async ({ take, ends = false, events }) => {
  let peer: Socket | undefined;
  const websocket = await connectTo(({ socket }) => {
    peer = socket;
    socket.write('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
  });
  const done = ending(websocket);
  websocket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
    take(request, response, websocket);
    if (ends) peer?.end('sorry'); // a body without a length: it ends with the connection
  });
  expect((await done).events).toEqual(events);
});

test('unexpected-response: a connection that breaks in the body is no exception', async () => {
  const websocket = await connectTo(({ socket }) => {
    socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nsor', () => socket.resetAndDestroy());
  });
  const done = ending(websocket);
  websocket.on('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => response.resume());
  expect((await done).events).toEqual(['close 1006']);
});

const head = (text: string): RegExp => new RegExp(text);
const STEPS: { name: string; act: (request: RawRequest) => void; codes: RegExp }[] = [
  { name: 'after the request', act: ({ socket }) => socket.resetAndDestroy(), codes: head('ECONNRESET') },
  {
    name: 'in the status line',
    act: ({ socket }) => socket.write('HTTP/1', () => socket.resetAndDestroy()),
    codes: head('ECONNRESET|HPE_'),
  },
  {
    name: 'in the headers',
    act: ({ key, socket }) => socket.write(switching(key).slice(0, 60), () => socket.resetAndDestroy()),
    codes: head('ECONNRESET|HPE_'),
  },
  {
    name: 'before the last byte',
    act: ({ key, socket }) => socket.write(switching(key).slice(0, -1), () => socket.resetAndDestroy()),
    codes: head('ECONNRESET|HPE_'),
  },
];

test.each(STEPS)('RST $name: error, then close 1006', async ({ act, codes }) => {
  const { events } = await ending(await connectTo(act));
  expect(events).toEqual([expect.stringMatching(codes), 'close 1006']);
});

test.each(STEPS)('FIN $name: error, then close 1006', async ({ act }) => {
  const websocket = await connectTo((request) => {
    const socket = new Proxy(request.socket, {
      get: (target, name) => {
        if (name === 'resetAndDestroy') return () => target.end();
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    act({ ...request, socket });
  });
  const { events } = await ending(websocket);
  expect(events).toEqual([expect.stringMatching(/^error (ECONNRESET|HPE_)/), 'close 1006']);
});

test('RST right behind the 101: whatever comes first, it ends in close', async () => {
  const websocket = await connectTo(({ key, socket }) => socket.write(switching(key), () => socket.resetAndDestroy()));
  const { events } = await ending(websocket);
  expect(events.at(-1)).toBe('close 1006');
});

test('nobody listens: ECONNREFUSED', async () => {
  const { events } = await ending(new WebSocket('ws://127.0.0.1:1/'));
  expect(events).toEqual(['error ECONNREFUSED', 'close 1006']);
});

test('handshakeTimeout cuts a server that never answers', async () => {
  let cut: Promise<unknown> | undefined;
  const websocket = await connectTo(({ socket }) => void (cut = next(socket, 'close')), { handshakeTimeout: 20 });
  const { events, error } = await ending(websocket);
  expect(events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
  expect(error?.message).toBe('Opening handshake has timed out');
  await cut;
});

test('handshakeTimeout is no idle timeout: a byte at a time does not prolong it', async () => {
  let written = 0;
  const websocket = await connectTo(
    ({ socket }) => {
      const drip = (): void => {
        if (!socket.destroyed) socket.write(written++ === 0 ? 'HTTP/1.1 200 OK\r\nX: ' : 'y', () => setImmediate(drip));
      };
      drip();
    },
    { handshakeTimeout: 200, maxHeaderSize: 1 << 30 },
  );
  expect((await ending(websocket)).events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
  expect(written).toBeGreaterThan(1);
});

test('handshakeTimeout holds for a response that somebody has taken and does not read', async () => {
  const websocket = await connectTo(({ socket }) => socket.write('HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nx'), {
    handshakeTimeout: 20,
  });
  const done = ending(websocket);
  websocket.on('unexpected-response', () => {});
  expect((await done).events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
});

test('handshakeTimeout and timeout have no effect from open on', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const websocket = await connectTo(({ key, socket }) => socket.write(switching(key)), {
    handshakeTimeout: 30_000,
    timeout: 30_000,
  });
  expect(timers()).toBeGreaterThan(before);
  await opened(websocket);
  expect(timers()).toBeLessThanOrEqual(before);
  expect((websocket.socket as Socket).timeout).toBe(0);
});

test('timeout, the idle timeout of http.request, ends a silent handshake', async () => {
  const { events } = await ending(await connectTo(() => {}, { timeout: 20 }));
  expect(events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
});
