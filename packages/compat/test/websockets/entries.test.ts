import { afterEach, expect, test } from '@jest/globals';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';
import { Client } from './support.js';

const FOLDER = new URL('../../', import.meta.url);

afterEach(stopPrograms);

test('import and require give the same classes', async () => {
  const program = new Program(
    FOLDER,
    `import { createRequire } from 'node:module';
     import { Server, Socket } from '@ws/compat/websockets';
     import * as all from '@ws/compat/websockets';
     const websockets = createRequire(import.meta.url)('@ws/compat/websockets');
     console.log(websockets.Server === Server, websockets.Socket === Socket, Object.keys(all).sort().join());`,
  );
  expect(await program.ended).toBe(0);
  expect(program.output).toBe('true true Server,Socket,default\n');
});

test('the program of the README runs, with import and with require', async () => {
  const [block] = readmePrograms(new URL('README.md', FOLDER), '## @ws/compat/websockets');
  const required = block!.code.replace(/import (.*) from ('[^']*');/g, 'const $1 = require($2);');
  expect(required).toContain('= require(');
  for (const code of [
    block!.code,
    `import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\n${required}`,
  ]) {
    const program = new Program(FOLDER, code);
    const client = new Client(await program.port);
    expect(await client.until(1)).toEqual(['hello']);
    client.socket.send('hi');
    expect(await client.until(2)).toEqual(['hello', '0 says hi']);
    client.socket.close(4000);
    await program.until('0 left: 4000');
  }
});
