import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

// Where glibc has the heap: elsewhere there is nothing to keep.
const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
const hasGlibc = header.glibcVersionRuntime !== undefined;

const BLOCKS = 16;
/**
 * Each round's blocks are larger than all before: glibc by itself has its bound follow them, and never reach them. Those below the 128 KiB that it begins
 * with come from its heap, and are kept or not as that happens to end.
 */
const SIZES = Array.from({ length: 10 }, (_, round) => 2 ** 20 + round * 65_536);
const PAGES = (BLOCKS * SIZES.reduce((a, b) => a + b)) / 4096;

/** Page faults of that, where all blocks of a round are filled and then freed together. */
function faults(hasConnection: boolean, env: Record<string, string> = {}): number {
  const program = `
    import { createServer, connect } from 'node:net';
    import { once } from 'node:events';
    import { setImmediate } from 'node:timers/promises';
    import { WebSocket } from '@ws/connection';
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const near = connect(listener.address().port, '127.0.0.1');
    const [far] = await once(listener, 'connection');
    const socket = ${hasConnection} ? WebSocket.from(far, { role: 'server' }) : undefined;
    for (let round = 0; round < 4; round++) { gc(); await setImmediate(); }
    const before = process.resourceUsage().minorPageFault;
    for (const size of ${JSON.stringify(SIZES)}) {
      let blocks = Array.from({ length: ${BLOCKS} }, () => new Uint8Array(size).fill(1));
      blocks = undefined;
      gc();
    }
    console.log(process.resourceUsage().minorPageFault - before);
    process.exit();`;
  const args = ['--expose-gc', '--single-threaded-gc', '--input-type=module', '-e', program];
  const cwd = new URL('..', import.meta.url);
  return Number(execFileSync(process.execPath, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8' }));
}

test('memory that was freed is used again, from the first connection on', () => {
  const withOne = faults(true);
  if (!hasGlibc) return expect(withOne).toBeGreaterThanOrEqual(0);
  expect(faults(false)).toBeGreaterThan(0.8 * PAGES); // what there is to save
  expect(withOne).toBeLessThan(0.2 * PAGES);
});

test('a bound that is set in the environment stays', () => {
  const env = { MALLOC_TRIM_THRESHOLD_: '131072', MALLOC_MMAP_THRESHOLD_: '131072' };
  expect(faults(true, env)).toBeGreaterThan(hasGlibc ? 0.8 * PAGES : -1);
});
