import { expect, test } from '@jest/globals';
import { echo, freezable } from './freezable.js';
import { start } from './support.js';

/** Of peers that are alive, however slow their machine. */
const PATIENT = { interval: 20, timeout: 60_000 };
const DEAD = { code: 1006, wasClean: false, initiator: 'timeout', error: { code: 'WS_ERR_HEARTBEAT_TIMEOUT' } };

test('a peer that is frozen is noticed, one that is merely silent is not', async () => {
  const server = await start({ heartbeat: PATIENT });
  const [frozen, silent] = [await freezable(server), await freezable(server)];
  expect(await echo(frozen.socket, 'alive')).toBe('alive');
  frozen.child.kill('SIGSTOP');
  frozen.socket.limits.update({ heartbeat: { timeout: 500 } });
  expect(await frozen.socket.closed).toMatchObject({ ...DEAD, bytesUnsent: 0 });
  expect(silent.socket.readyState).toBe(1);
  expect(silent.socket.latency).toBeGreaterThanOrEqual(0);
  expect(await echo(silent.socket, 'still there')).toBe('still there');
});

test('one that is frozen while much is on its way to it is noticed too', async () => {
  const server = await start({ heartbeat: PATIENT, slowConsumer: false });
  const { socket, child } = await freezable(server);
  expect(await echo(socket, 'alive')).toBe('alive');
  child.kill('SIGSTOP');
  socket.limits.update({ heartbeat: { timeout: 200 } });
  socket.send(Buffer.alloc(50_000_000));
  const info = await socket.closed;
  expect(info).toMatchObject(DEAD);
  expect(info.bytesUnsent).toBeGreaterThan(0);
});

test('one that was frozen for less than the timeout goes on', async () => {
  const server = await start({ heartbeat: PATIENT });
  const { socket, child } = await freezable(server);
  expect(await echo(socket, 'before')).toBe('before');
  child.kill('SIGSTOP');
  const other = await freezable(server); // meanwhile
  expect(await echo(other.socket, 'alive')).toBe('alive');
  child.kill('SIGCONT');
  expect(await echo(socket, 'after')).toBe('after');
});

test('a socket that we do not read is not judged', async () => {
  const server = await start({ heartbeat: PATIENT });
  const [paused, frozen] = [await freezable(server), await freezable(server)];
  paused.socket.pause();
  frozen.child.kill('SIGSTOP');
  for (const { socket } of [paused, frozen]) socket.limits.update({ heartbeat: { timeout: 500 } });
  expect(await frozen.socket.closed).toMatchObject(DEAD);
  expect(paused.socket.readyState).toBe(1);
  paused.socket.limits.update({ heartbeat: PATIENT });
  paused.socket.resume();
  expect(await echo(paused.socket, 'still there')).toBe('still there');
});

test('what is on unless it is switched off', async () => {
  const [usual, bare] = [await start(), await start({ heartbeat: false, messageTimeout: 0 })];
  const { limits } = (await freezable(usual)).socket;
  expect([limits.heartbeat, limits.messageTimeout]).toEqual([{ interval: 30_000, timeout: 30_000 }, 120_000]);
  expect([limits.idleTimeout, limits.maxLifetime, limits.minProgressRate, limits.rateLimit]).toEqual(
    Array(4).fill(false),
  );
  const off = (await freezable(bare)).socket.limits;
  expect([off.heartbeat, off.messageTimeout]).toEqual([false, false]);
});

test('limits after the login, for one connection alone', async () => {
  const server = await start({ maxPayload: 10 });
  const [guest, member] = [await freezable(server), await freezable(server)];
  member.socket.limits.update({ maxPayload: 1000 });
  expect(await echo(member.socket, 'x'.repeat(1000))).toBe('x'.repeat(1000));
  guest.socket.send('x'.repeat(11)); // comes back
  expect(await guest.socket.closed).toMatchObject({ initiator: 'limit', sent: { code: 1009 } });
});
