import { expect, test } from '@jest/globals';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';
import { atEnd } from '@ws/testing/peer';
import { join } from './support.js';

test('the example of the README: every message to everybody', async () => {
  atEnd(stopPrograms);
  const packageFolder = new URL('../../', import.meta.url);
  const [example] = readmePrograms(new URL('README.md', packageFolder), '## @ws/compat/wesos');
  const program = new Program(packageFolder, example!.code);
  const all = [await join(await program.port), await join(await program.port)];
  all[0]!.client.send('to all');
  for (const { until } of all) expect(await until(1)).toEqual(['text to all']);
  expect(program.isRunning).toBe(true);
});
