import { afterEach, expect, test } from '@jest/globals';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';

afterEach(stopPrograms);

test('the program of the README', async () => {
  const folder = new URL('../../', import.meta.url);
  const [{ code } = { code: '' }] = readmePrograms(new URL('README.md', folder), '## @ws/compat/nodejs-websocket');
  const program = new Program(folder, code);
  expect(await program.ended).toBe(0);
  expect(program.output).toBe('HI!!!\n');
});
