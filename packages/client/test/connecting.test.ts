import { Agent } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket, type ClientOptions } from '../src/index.js';
import { ending, opened, rawServer, wsServer } from './peers.js';
import { requestOf, withOptions } from './requests.js';

test('WS-049 A-37 localAddress and localPort', async () => {
  const { socket } = await withOptions({ localAddress: '127.0.0.2' });
  expect(socket.remoteAddress).toBe('127.0.0.2');
});

test('lookup and family', async () => {
  const asked: unknown[] = [];
  const { headers } = await requestOf(
    (port) =>
      new WebSocket(`ws://name.example:${port}/`, {
        family: 4,
        lookup: (host, options, callback) => {
          asked.push(host, options.family);
          if (options.all === true) callback(null, [{ address: '127.0.0.1', family: 4 }]);
          else callback(null, '127.0.0.1', 4);
        },
      }),
  );
  expect(asked).toEqual(['name.example', 4]);
  expect(headers.get('host')?.[0]).toMatch(/^name\.example:\d+$/);
});

test('WS-043 A-37 agent: its connection carries the handshake and then belongs to nobody else', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { url, server } = await wsServer();
  const websocket = await opened(new WebSocket(url, { agent }));
  // maxSockets is 1: a second one could not open if the first still counted.
  const second = await opened(new WebSocket(url, { agent }));
  expect(server.clients.size).toBe(2);
  expect(Object.keys(agent.sockets)).toEqual([]);
  websocket.terminate();
  second.terminate();
  await Promise.all([websocket.closed, second.closed]);
  agent.destroy();
});

test.each([false as const, undefined])('WS-043 agent: %j', async (agent) => {
  const { line } = await withOptions({ agent });
  expect(line).toBe('GET / HTTP/1.1');
});

test('createConnection gets the options of the connection and makes the stream', async () => {
  let given: object = {};
  const { line } = await requestOf(
    (port) =>
      new WebSocket('ws://name.example:81/x', {
        createConnection: (options) => {
          given = options;
          return connect(port, '127.0.0.1');
        },
      }),
  );
  expect(line).toBe('GET /x HTTP/1.1');
  expect(given).toMatchObject({ host: 'name.example', port: 81 });
});

test('net.connect is a createConnection', async () => {
  const { line } = await withOptions({ createConnection: connect });
  expect(line).toBe('GET / HTTP/1.1');
});

test('createConnection may hand its stream over later', async () => {
  const { line } = await requestOf(
    (port) =>
      new WebSocket('ws://name.example/', {
        createConnection: (_options, callback) => {
          const socket = connect(port, '127.0.0.1', () => callback(null, socket));
          return undefined;
        },
      }),
  );
  expect(line).toBe('GET / HTTP/1.1');
});

const BROKEN_CONNECTORS: { name: string; createConnection: ClientOptions['createConnection']; message: RegExp }[] = [
  {
    name: 'throws',
    createConnection: () => {
      throw new Error('no way');
    },
    message: /no way/,
  },
  {
    name: 'reports an error',
    createConnection: (_, callback) => void setImmediate(() => callback(new Error('no luck'), undefined as never)),
    message: /no luck/,
  },
  { name: 'returns a number', createConnection: (() => 5) as never, message: /createConnection/ },
  {
    name: 'gives nothing',
    createConnection: (_, callback) => void setImmediate(() => callback(null)),
    message: /createConnection/,
  },
  {
    name: 'gives a number',
    createConnection: (_, callback) => void setImmediate(() => callback(null, 5 as never)),
    message: /createConnection/,
  },
];

test.each(BROKEN_CONNECTORS)(
  'createConnection that $name ends in error and close',
  async ({ createConnection, message }) => {
    const { error, code } = await ending(new WebSocket('ws://name.example/', { createConnection }));
    expect(error?.message).toMatch(message);
    expect(code).toBe(1006);
  },
);

test('finishRequest gets the request and the socket, and may send it later', async () => {
  let isLate = false;
  let websocket: WebSocket | undefined;
  let given: unknown;
  const { headers } = await requestOf((port) => {
    websocket = new WebSocket(`ws://127.0.0.1:${port}/`, {
      finishRequest: (request, socket) => {
        given = socket;
        expect(request.getHeader('X-Before')).toBe('1');
        request.once('socket', (stream) =>
          stream.once('connect', () => {
            isLate = true;
            request.setHeader('X-Port', String(stream.localPort));
            request.removeHeader('X-Before');
            request.end();
          }),
        );
      },
      headers: { 'X-Before': '1' },
    });
    return websocket;
  });
  expect(isLate).toBe(true);
  expect(given).toBe(websocket);
  expect(headers.has('x-before')).toBe(false);
  expect(headers.get('x-port')?.[0]).toMatch(/^\d+$/);
});

test('finishRequest that throws throws at the call, and nothing is sent', async () => {
  const port = await rawServer(() => {
    throw new Error('a request was sent');
  });
  const finishRequest = (): never => {
    throw new Error('not today');
  };
  expect(() => new WebSocket(`ws://127.0.0.1:${port}/`, { finishRequest })).toThrow('not today');
});

test('finishRequest may close the socket, or destroy the request', async () => {
  const port = await rawServer(() => {
    throw new Error('a request was sent');
  });
  const url = `ws://127.0.0.1:${port}/`;
  const closed = await ending(new WebSocket(url, { finishRequest: (_, websocket) => websocket.close() }));
  expect(closed.error?.message).toBe('WebSocket was closed before the connection was established');
  const destroyed = await ending(new WebSocket(url, { finishRequest: (request) => request.destroy() }));
  expect(destroyed.events).toEqual(['error ECONNRESET', 'close 1006']);
  const gone = await ending(new WebSocket(url, { finishRequest: (request) => void request.emit('close') }));
  expect(gone.events).toEqual(['error WS_ERR_REQUEST_CLOSED', 'close 1006']);
});
