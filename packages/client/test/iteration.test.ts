import { expect, test } from '@jest/globals';
import { ClosedError, createWebSocketStream, WebSocket } from '../src/index.js';
import { rawServer, switching, wsServer } from './peers.js';

test('a loop that begins while connecting gets what comes with the 101, and ends with the connection', async () => {
  const port = await rawServer(({ key, socket }) => {
    const wire = Buffer.concat([Buffer.from(switching(key)), Buffer.from('8101618101628200880203e8', 'hex')]);
    socket.end(wire);
  });
  const seen: unknown[] = [];
  for await (const message of new WebSocket(`ws://127.0.0.1:${port}`)) seen.push(message);
  expect(seen).toEqual(['a', 'b', Buffer.alloc(0)]);
});

test('a connection that fails: the loop throws that error, a stream is destroyed with it, and nothing is uncaught', async () => {
  const port = await rawServer(({ socket }) => socket.end('HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n'));
  const loop = async (): Promise<void> => {
    for await (const message of new WebSocket(`ws://127.0.0.1:${port}`)) expect(message).toBeUndefined();
  };
  await expect(loop()).rejects.toMatchObject({ code: 'WS_ERR_UNEXPECTED_STATUS' });
  const duplex = createWebSocketStream(new WebSocket(`ws://127.0.0.1:${port}`));
  const error = await new Promise((resolve) => duplex.on('error', resolve));
  expect(error).toMatchObject({ code: 'WS_ERR_UNEXPECTED_STATUS' });
});

test('a server of ws that closes with an error, or is left', async () => {
  const { url } = await wsServer({}, (peer) => {
    peer.send('only');
    peer.close(1011, 'broken');
  });
  const iterator = new WebSocket(url)[Symbol.asyncIterator]();
  expect(await iterator.next()).toEqual({ done: false, value: 'only' });
  const error = await iterator.next().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ClosedError);
  expect(error).toMatchObject({ info: { code: 1011, reason: 'broken', initiator: 'remote' } });

  const closed = new Promise((resolve) => {
    void wsServer({}, (peer) => {
      peer.on('close', (code) => resolve(code));
      for (let i = 0; i < 1000; i++) peer.send('x'.repeat(1000));
    }).then(async ({ url: other }) => {
      for await (const message of new WebSocket(other)) if (message) break;
    });
  });
  expect(await closed).toBe(1000);
});
