import { expect, test } from '@jest/globals';
import { stopTime } from '@ws/testing/peer';
import { WebSocket } from '../src/index.js';
import { echo, freezable } from './freezable.js';

const pass = stopTime();

test('while our event loop is blocked the server is not given up', async () => {
  const { child, connect } = await freezable();
  const socket = await connect({ heartbeat: { interval: 50, timeout: 800 } });
  child.kill('SIGSTOP');
  await pass(60); // it is asked
  await pass(1200); // and the time for its answer is up before anybody could read one
  expect(socket.readyState).toBe(WebSocket.OPEN);
  child.kill('SIGCONT');
  expect(await echo(socket, 'still there')).toBe('still there');
});
