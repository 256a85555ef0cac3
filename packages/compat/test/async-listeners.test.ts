import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { WebSocket } from '@ws/client';
import { Program, stopPrograms } from '@ws/testing';

afterEach(stopPrograms);

/** Servers that read a message in an async listener. Those of the other entries: test/ws2/events.test.ts, test/wesos/api.test.ts. */
const SERVERS = {
  'nodejs-websocket': `
    import ws from '@ws/compat/nodejs-websocket';
    ws.createServer((conn) => {
      conn.on('binary', async (message) => {
        for await (const bytes of message) read(bytes);
      });
      conn.on('close', () => console.log('closed'));
    }).listen(3000);`,
  'nodejs-websocket, on its server': `
    import { once } from 'node:events';
    import ws from '@ws/compat/nodejs-websocket';
    ws.createServer()
      .on('connection', async (conn) => {
        conn.on('close', () => console.log('closed'));
        const [message] = await once(conn, 'binary');
        for await (const bytes of message) read(bytes);
      })
      .listen(3000);`,
  websockets: `
    import { createServer } from 'node:http';
    import { Server } from '@ws/compat/websockets';
    const server = new Server().listen(createServer().listen(3000));
    server.on('open', (socket) => {
      socket.on('stream:start', async () => {
        for await (const bytes of socket) read(bytes);
      });
    });
    server.on('close', () => console.log('closed'));`,
  'websockets, on its server': `
    import { createServer } from 'node:http';
    import { Server } from '@ws/compat/websockets';
    const server = new Server().listen(createServer().listen(3000));
    server.on('stream:start', async (socket) => {
      for await (const bytes of socket) read(bytes);
    });
    server.on('close', () => console.log('closed'));`,
};
const READ = `
  process.on('unhandledRejection', (error) => console.log('unhandled', error.message));
  function read(bytes) {
    console.log('read', String(bytes));
    if (String(bytes) === 'own') throw new Error('our own');
  }`;

test.each(Object.entries(SERVERS))(
  '%s: what a peer causes does not end the process, what the program does comes up',
  async (_name, code) => {
    const program = new Program(new URL('../', import.meta.url), code + READ);
    const begin = async (text: string): Promise<WebSocket> => {
      const peer = new WebSocket(`ws://127.0.0.1:${await program.port}`);
      await once(peer, 'open');
      peer.createOutgoing({ binary: true }).write(Buffer.from(text));
      await program.until(`read ${text}`);
      return peer;
    };
    (await begin('cut')).terminate();
    await program.until('closed');
    const other = await begin('own');
    await program.until('unhandled our own');
    other.terminate();
    expect(program.output.split('\n').filter((line) => line.startsWith('unhandled'))).toEqual(['unhandled our own']);
  },
);

test('nodejs-websocket: an answer that comes too late ends nothing', async () => {
  const program = new Program(
    new URL('../', import.meta.url),
    `import { once } from 'node:events';
     import ws from '@ws/compat/nodejs-websocket';
     ws.createServer((conn) => {
       conn.on('text', async (text) => {
         await once(conn, 'close');
         console.log('closed');
         conn.sendText(text);
       });
     }).listen(3000);`,
  );
  for (let n = 0; n < 2; n++) {
    const peer = new WebSocket(`ws://127.0.0.1:${await program.port}`);
    await once(peer, 'open');
    peer.send('a question');
    peer.close();
    await once(peer, 'close');
  }
  await program.until('closed\nclosed\n');
  expect(program.output).toBe('closed\nclosed\n');
});
