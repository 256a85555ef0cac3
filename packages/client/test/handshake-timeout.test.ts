import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { stopTime } from '@ws/testing/peer';
import { WebSocket } from '../src/index.js';
import { ending, rawServer, switching } from './peers.js';
import { redirectTo } from './redirects.js';
import { connectTo } from './requests.js';

const pass = stopTime();

test('handshakeTimeout forgives an answer that came in time, and was read too late because this process was busy', async () => {
  const websocket = await connectTo(
    ({ socket, key }) => {
      socket.write(switching(key));
      void pass(50);
    },
    { handshakeTimeout: 20 },
  );
  await once(websocket, 'open');
  expect(websocket.readyState).toBe(websocket.OPEN);
  websocket.terminate();
});

test('handshakeTimeout is no idle timeout: a byte at a time does not prolong it', async () => {
  let written = 0;
  const websocket = await connectTo(
    ({ socket }) => {
      const drip = async (): Promise<void> => {
        while (!socket.destroyed) {
          socket.write(written++ === 0 ? 'HTTP/1.1 200 OK\r\nX: ' : 'y');
          await pass(10);
        }
      };
      void drip();
    },
    { handshakeTimeout: 200, maxHeaderSize: 1 << 30 },
  );
  expect((await ending(websocket)).events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
  expect(written).toBeGreaterThan(1);
});

test('handshakeTimeout starts anew with each redirect, and holds for the last', async () => {
  const port = await rawServer(({ socket }, count) => {
    void pass(count <= 3 ? 400 : 500).then(() => {
      if (count <= 3) socket.write(redirectTo('/again'));
    });
  });
  const websocket = new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true, handshakeTimeout: 500 });
  expect((await ending(websocket)).events).toEqual([
    'redirect',
    'redirect',
    'redirect',
    'error WS_ERR_HANDSHAKE_TIMEOUT',
    'close 1006',
  ]);
});
