import { expect, test } from '@jest/globals';
import { WebSocket } from '../src/index.js';
import { echo, freezable } from './freezable.js';

test('a server that is frozen is noticed; without a heartbeat, or while we do not read, it is not', async () => {
  const { child, connect } = await freezable();
  const patient = { heartbeat: { interval: 50, timeout: 60_000 } };
  const [socket, paused, plain] = [await connect(patient), await connect(patient), await connect({})];
  expect(await echo(socket, 'alive')).toBe('alive');
  expect(await echo(paused, 'alive')).toBe('alive');
  paused.pause();
  child.kill('SIGSTOP');
  for (const { limits } of [socket, paused]) limits.update({ heartbeat: { timeout: 500 } });
  expect(await socket.closed).toMatchObject({
    code: 1006,
    initiator: 'timeout',
    error: { code: 'WS_ERR_HEARTBEAT_TIMEOUT' },
  });
  expect([paused.readyState, plain.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN]);
  paused.limits.update(patient);
  child.kill('SIGCONT');
  paused.resume();
  expect(await echo(paused, 'still there')).toBe('still there');
  expect([plain.latency, plain.limits.heartbeat, plain.limits.messageTimeout]).toEqual([undefined, false, false]);
});

test('idleTimeout says goodbye, and the server hears it', async () => {
  const { connect } = await freezable();
  const socket = await connect({ idleTimeout: 50 });
  expect(await socket.closed).toMatchObject({
    code: 1001,
    wasClean: true,
    initiator: 'timeout',
    error: { code: 'WS_ERR_IDLE_TIMEOUT' },
  });
});

test('limits can be changed while it is open', async () => {
  const { connect } = await freezable();
  const socket = await connect({ maxPayload: 10 });
  socket.limits.update({ maxPayload: 1000 });
  expect(await echo(socket, 'x'.repeat(1000))).toBe('x'.repeat(1000));
  socket.send('x'.repeat(1001));
  expect(await socket.closed).toMatchObject({ initiator: 'limit', sent: { code: 1009 } });
});
