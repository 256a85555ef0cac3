// Programs that nobody has thought of see the same with `ws` and with the adapter, at either end.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Library, Ours, Reference, World } from './differential.js';
import { randomProgram, type RandomProgram } from './random-program.js';
import { runRandom } from './run-random.js';

async function seen(client: Library, server: Library, program: RandomProgram): Promise<unknown> {
  const world = new World(client, server);
  try {
    return await runRandom(world, program);
  } finally {
    await world.end();
  }
}

// The seed is fixed: where faults and cuts meet, a few programs in ten thousand see what is a matter of time, also with `ws` alone.
test('random programs see the same', async () => {
  const property = fc.asyncProperty(randomProgram, async (program) => {
    const expected = await seen(Reference, Reference, program);
    const told = {
      server: await seen(Reference, Ours, program),
      client: await seen(Ours, Reference, program),
      both: await seen(Ours, Ours, program),
    };
    expect(told).toEqual({ server: expected, client: expected, both: expected });
  });
  await fc.assert(property, { numRuns: 200, seed: 8 });
}, 60_000);
