import { expect, test } from '@jest/globals';
import { Socket } from 'node:net';
import { Pending, type PendingUpgrade } from '../src/pending.js';

const upgrade = (): PendingUpgrade => ({ refuse: () => {} });

test('the oldest silent connection makes room once it has waited a second; until then nobody does', () => {
  let ms = 0;
  const pending = new Pending(3, () => ms);
  const evicted: Socket[] = [];
  pending.evict = (socket) => evicted.push(socket);
  const [a, b, c, d] = [new Socket(), new Socket(), new Socket(), new Socket()];
  expect([pending.addSilent(a), pending.addSilent(b), pending.addWaiting(upgrade())]).toEqual([true, true, true]);
  ms = 1000;
  expect([pending.addSilent(c), pending.addWaiting(upgrade()), evicted]).toEqual([false, false, []]);
  ms = 1001;
  expect([pending.addSilent(c), evicted]).toEqual([true, [a]]);
  expect([pending.addWaiting(upgrade()), evicted]).toEqual([true, [a, b]]);
  expect([pending.addSilent(d), [...pending.silent], pending.size]).toEqual([false, [c], 3]);
});

test('handshakes that wait for user code make no room', () => {
  let ms = 0;
  const pending = new Pending(1, () => ms);
  const one = upgrade();
  expect(pending.addWaiting(one)).toBe(true);
  ms = 60_000;
  expect([pending.addWaiting(upgrade()), pending.addSilent(new Socket())]).toEqual([false, false]);
  pending.deleteWaiting(one);
  expect(pending.size).toBe(0);
});

test('0 is no limit', () => {
  const pending = new Pending(0);
  for (let i = 0; i < 2000; i++) pending.addWaiting(upgrade());
  expect(pending.size).toBe(2000);
});
