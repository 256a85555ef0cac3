import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { WebSocket } from '@ws/connection';
import { OpenSockets } from '../src/open-sockets.js';

test('whoever comes and goes, in any order: the same as a Set', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (all) => {
      const sockets = Array.from({ length: 10 }, () => new WebSocket(null));
      const open = new OpenSockets();
      const oracle = new Set<WebSocket>();
      for (const [comes, n] of all) {
        const socket = sockets[n]!;
        if (!comes) open.delete(socket);
        else if (!oracle.has(socket)) open.add(socket);
        if (comes) oracle.add(socket);
        else oracle.delete(socket);
        expect(open.size).toBe(oracle.size);
        expect(new Set(open)).toEqual(oracle);
      }
    }),
  );
});

test('who leaves while all are gone through does not keep another from being met', () => {
  const sockets = Array.from({ length: 5 }, () => new WebSocket(null));
  const open = new OpenSockets();
  for (const socket of sockets) open.add(socket);
  const met: WebSocket[] = [];
  for (const socket of open) {
    met.push(socket);
    open.delete(socket);
  }
  expect(met).toEqual(sockets);
  expect(open.size).toBe(0);
});

test('a socket of another server is left alone', () => {
  const [one, other] = [new OpenSockets(), new OpenSockets()];
  const [a, b] = [new WebSocket(null), new WebSocket(null)];
  one.add(a);
  other.add(b);
  one.delete(b);
  expect([[...one], [...other]]).toEqual([[a], [b]]);
});

test('what is shown to users is there from when they ask, and follows', () => {
  const open = new OpenSockets();
  const [a, b, c] = [new WebSocket(null), new WebSocket(null), new WebSocket(null)];
  open.add(a);
  open.add(b);
  const { shown } = open;
  expect([...shown]).toEqual([a, b]);
  open.add(c);
  open.delete(a);
  shown.delete(b);
  expect([...open.shown]).toEqual([c]);
  expect(new Set(open)).toEqual(new Set([b, c]));
  expect(open.shown).toBe(shown);
});
