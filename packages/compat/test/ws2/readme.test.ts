import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';
import { opened, ws8 } from './support.js';

afterEach(stopPrograms);

test('the example of the README', async () => {
  const [example] = readmePrograms(new URL('../../README.md', import.meta.url), '## @ws/compat/ws2');
  const program = new Program(new URL('../../', import.meta.url), example?.code ?? '');
  const client = await opened(ws8(await program.port, [], {}, '/chat'));
  client.send('hello');
  expect(String((await once(client, 'message'))[0])).toBe('/chat says hello');
  client.send(Buffer.from('hello'));
  const [code, reason] = await once(client, 'close');
  expect([code, String(reason)]).toEqual([1003, 'text only']);
});
