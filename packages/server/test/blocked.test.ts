import { expect, test } from '@jest/globals';
import { stopTime } from '@ws/testing/peer';
import { echo, freezable } from './freezable.js';
import { start } from './support.js';

const pass = stopTime();

test('while our event loop is blocked no peer is killed, however short its time', async () => {
  const server = await start({ heartbeat: { interval: 50, timeout: 800 } });
  const { socket, child } = await freezable(server);
  child.kill('SIGSTOP');
  await pass(60); // it is asked
  await pass(1200); // and the time for its answer is up before anybody could read one
  expect(socket.readyState).toBe(1);
  child.kill('SIGCONT');
  expect(await echo(socket, 'still there')).toBe('still there');
});
