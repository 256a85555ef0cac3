// What counting costs: the same echo of 16 B without limits, and with each of them far from being reached.
import { MemoryBudget, Meter } from '@ws/connection';
import { echo, receiving } from './echo-socket.mjs';

const MANY = { rate: 1e12, burst: 1e12 };
const meter = new Meter();

/** @type {import('./cases.mjs').Cases} */
export const cases = [
  receiving('none', { maxPayload: false }, echo),
  receiving('maxPayload', { maxPayload: 1 << 20 }, echo),
  receiving('rate of messages', { rateLimit: { messages: MANY } }, echo),
  receiving('rate of bytes', { rateLimit: { bytes: MANY } }, echo),
  receiving(
    'times',
    { messageTimeout: 120_000, idleTimeout: 120_000, heartbeat: { interval: 30_000, timeout: 30_000 } },
    echo,
  ),
  receiving('memory', { memoryLimit: new MemoryBudget(1 << 30) }, echo),
  receiving('meter', { meter }, echo),
  { name: 'Meter.message alone', run: () => meter.message(1000) },
];
