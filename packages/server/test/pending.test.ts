import { expect, test } from '@jest/globals';
import { Socket } from 'node:net';
import { Pending, type PendingUpgrade } from '../src/pending.js';

const upgrade = (): PendingUpgrade => ({ refuse: () => {} });

test('the oldest silent connection makes room once it has waited a second; until then nobody does', () => {
  let ms = 0;
  const pending = new Pending(3, () => ms);
  const evicted: Socket[] = [];
  pending.evict = ({ socket }) => evicted.push(socket);
  const add = (socket: Socket): boolean => pending.addSilent(socket) !== undefined;
  const [a, b, c, d] = [new Socket(), new Socket(), new Socket(), new Socket()];
  expect([add(a), add(b), pending.addWaiting(upgrade())]).toEqual([true, true, true]);
  ms = 1000;
  expect([add(c), pending.addWaiting(upgrade()), evicted]).toEqual([false, false, []]);
  ms = 1001;
  expect([add(c), evicted]).toEqual([true, [a]]);
  expect([pending.addWaiting(upgrade()), evicted]).toEqual([true, [a, b]]);
  expect([add(d), [...pending.silent], pending.size]).toEqual([false, [c], 3]);
});

test('handshakes that wait for user code make no room', () => {
  let ms = 0;
  const pending = new Pending(1, () => ms);
  const one = upgrade();
  expect(pending.addWaiting(one)).toBe(true);
  ms = 60_000;
  expect([pending.addWaiting(upgrade()), pending.addSilent(new Socket())]).toEqual([false, undefined]);
  pending.deleteWaiting(one);
  expect(pending.size).toBe(0);
});

test('0 is no limit', () => {
  const pending = new Pending(0);
  for (let i = 0; i < 2000; i++) pending.addWaiting(upgrade());
  expect(pending.size).toBe(2000);
});
