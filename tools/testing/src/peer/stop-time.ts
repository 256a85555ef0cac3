import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, jest } from '@jest/globals';

const REAL = [
  'Date',
  'clearImmediate',
  'clearInterval',
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
] as const;

/**
 * Time stands still for the library, in the whole test file, until it is told to pass; sockets and other processes take as long as they take. Time that
 * passes at once is to the library one in which its event loop had no turn.
 * @returns lets so many ms pass; what is due then has been done when it resolves
 */
export function stopTime(): (ms: number) => Promise<void> {
  let now = performance.now();
  performance.now = () => now;
  afterAll(() => {
    Reflect.deleteProperty(performance, 'now'); // that of its class is there again
  });
  jest.useFakeTimers({ doNotFake: [...REAL] });
  return async (ms) => {
    await turn(); // as with real timers, what has arrived by now is read before what they put off is done
    now += ms;
    jest.advanceTimersByTime(ms);
    await turn();
  };
}
