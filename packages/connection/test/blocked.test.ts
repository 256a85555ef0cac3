import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { stopTime } from '@ws/testing/peer';
import { WebSocket } from '../src/index.js';
import { nextTurn, tcpPair } from './streams.js';

const pass = stopTime();

test('a stall of the event loop, the peer in the same process, kills nobody', async () => {
  const [nearStream, farStream] = await tcpPair();
  const near = WebSocket.from(nearStream, { role: 'server', heartbeat: { interval: 10, timeout: 10 } });
  const far = WebSocket.from(farStream, { role: 'client' });
  for (let n = 0; n < 5; n++) {
    const pinged = once(far, 'ping');
    const { bytesReceived, bytesSent } = near;
    while (near.bytesSent === bytesSent) await pass(10);
    await pinged; // the answer is on its way
    await pass(60);
    expect(near.readyState).toBe(WebSocket.OPEN);
    while (near.bytesReceived === bytesReceived) await nextTurn();
  }
  far.send('still there');
  expect(`${(await once(near, 'message'))[0]}`).toBe('still there');
  for (const socket of [near, far]) socket.terminate();
});
