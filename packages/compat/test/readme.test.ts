import { afterEach, expect, test } from '@jest/globals';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';

const packageFolder = new URL('..', import.meta.url);
const readme = new URL('README.md', packageFolder);

afterEach(stopPrograms);

test('the first example prints what the README says', async () => {
  const [first] = readmePrograms(readme, '# @ws/compat');
  expect(first?.code).toContain("'ws://localhost:8080'");
  const code = first!.code.replace("'ws://localhost:8080'", '`ws://127.0.0.1:${server.address().port}`');
  const program = new Program(packageFolder, code);
  await program.until('HELLO');
  expect(program.lines).toEqual(['HELLO']);
});
