import { expect, test } from '@jest/globals';
import { runModule } from './child.js';

const run = (program: string): ReturnType<typeof runModule> => runModule(PRELUDE + program);

const PRELUDE = `
import { createHash } from 'node:crypto';
import { createServer } from 'node:net';
import { WebSocket } from '@ws/client';
/** Answers the handshake, then sends the bytes and does what is asked. */
function serve(bytes, then, use) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (request) => {
      const [, key] = /sec-websocket-key: (.*)\\r/i.exec(request.toString());
      const accept = createHash('sha1').update(key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
      const head = 'HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n';
      socket.write(Buffer.concat([Buffer.from(head), Buffer.from(bytes, 'hex')]), () => then(socket));
    });
  }).listen(0, '127.0.0.1', () => use('ws://127.0.0.1:' + server.address().port + '/', server));
}
`;

test.each([
  { name: 'a reserved opcode', bytes: '8300', then: '(socket) => socket.end()' },
  { name: 'a masked frame', bytes: '818100000000ff', then: '(socket) => socket.end()' },
  { name: 'invalid UTF-8', bytes: '8101ff', then: '(socket) => socket.end()' },
  { name: 'a bad close code', bytes: '88020001', then: '(socket) => socket.end()' },
  { name: 'half a frame and FIN', bytes: '8105', then: '(socket) => socket.end()' },
  { name: 'RST', bytes: '', then: '(socket) => socket.resetAndDestroy()' },
])('after open, $name with no listener at all: the process lives and closed resolves', async ({ bytes, then }) => {
  const { output, status } = await run(`
    serve('${bytes}', ${then}, async (url, server) => {
      const socket = new WebSocket(url);
      const info = await socket.closed;
      console.log('code', info.code, 'clean', info.wasClean);
      server.close();
    });
  `);
  expect(output).toBe('code 1006 clean false\n');
  expect(status).toBe(0);
});

test('a failed connect with no listener is an unhandled error, as in ws 8; close follows all the same', async () => {
  const unhandled = await run(`new WebSocket('ws://127.0.0.1:1/');`);
  expect(unhandled.output).toContain('ECONNREFUSED');
  expect(unhandled.status).toBe(1);
  const caught = await run(`
    process.on('uncaughtException', (error) => console.log('uncaught', error.code));
    new WebSocket('ws://127.0.0.1:1/').on('close', (code) => console.log('close', code));
  `);
  expect(caught).toEqual({ output: 'uncaught ECONNREFUSED\nclose 1006\n', status: 0 });
});

test('an open connection keeps the process alive, a closed one does not', async () => {
  const { output, status } = await run(`
    serve('8101618800', (socket) => socket.end(), (url, server) => {
      server.unref();
      const socket = new WebSocket(url, { handshakeTimeout: 600_000 });
      socket.on('message', (data) => console.log(String(data)));
      socket.on('close', (code) => console.log('close', code));
      socket.on('close', () => server.close());
    });
  `);
  expect(output).toBe('a\nclose 1005\n');
  expect(status).toBe(0);
});

test('an open connection keeps neither request nor response', async () => {
  const { output } = await run(`
    import { setFlagsFromString } from 'node:v8';
    import { runInNewContext } from 'node:vm';
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc');
    serve('', (socket) => {}, async (url, server) => {
      const held = {};
      const socket = new WebSocket(url, { headers: { a: 'b' }, finishRequest: (request) => {
        held.request = new WeakRef(request);
        request.end();
      } });
      socket.on('upgrade', (response) => (held.response = new WeakRef(response)));
      await new Promise((resolve) => socket.on('open', resolve));
      for (let i = 0; i < 100 && (held.request.deref() || held.response.deref()); i++) {
        await new Promise(setImmediate);
        collect();
      }
      console.log(held.request.deref(), held.response.deref(), socket.readyState);
      socket.terminate();
      server.close();
    });
  `);
  expect(output).toBe('undefined undefined 1\n');
});

test('import and require give the same class', async () => {
  const { output } = await run(`
    import { createRequire } from 'node:module';
    console.log(createRequire(import.meta.url)('@ws/client').WebSocket === WebSocket);
  `);
  expect(output).toBe('true\n');
});
