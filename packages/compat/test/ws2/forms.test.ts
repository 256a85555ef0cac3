import { afterEach, expect, test } from '@jest/globals';
import { Program, stopPrograms } from '@ws/testing';

afterEach(stopPrograms);

const PACKAGE = new URL('../../', import.meta.url);

/** A program that prints the value of `expression`. */
async function printed(code: string): Promise<unknown> {
  const program = new Program(PACKAGE, code);
  expect([await program.ended, program.lines.length]).toEqual([0, 1]);
  return JSON.parse(program.output);
}

test('import and require give the same class', async () => {
  const code = `
    import { createRequire } from 'node:module';
    import imported, { Server, WebSocket } from '@ws/compat/ws2';
    const required = createRequire(import.meta.url)('@ws/compat/ws2');
    const server = required.Server({ noServer: true });
    console.log(JSON.stringify([
      imported === WebSocket, imported.Server === Server, typeof required, required.name,
      Object.getOwnPropertyNames(required.prototype).join() === Object.getOwnPropertyNames(imported.prototype).join(),
      required === imported || !process.features.require_module, server instanceof required.Server, required.CLOSED,
    ]));`;
  expect(await printed(code)).toEqual([true, true, 'function', 'WebSocket', true, true, true, 3]);
});

test('the CommonJS form by itself', async () => {
  const file = JSON.stringify(new URL('dist/cjs/ws2/index.js', PACKAGE).pathname);
  const code = `
    import { createRequire } from 'node:module';
    const WebSocket = createRequire(import.meta.url)(${file});
    const server = WebSocket.Server({ port: 8080 }, () => {
      const client = new WebSocket('ws://127.0.0.1:' + server.address().port);
      client.on('message', (data, flags) => { console.log(JSON.stringify([data, flags, client instanceof WebSocket])); server.close(); });
    });
    server.on('connection', (socket) => socket.send('hello'));`;
  expect(await printed(code)).toEqual(['hello', { masked: false }, true]);
});
