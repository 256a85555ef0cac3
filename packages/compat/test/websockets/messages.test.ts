import { expect } from '@jest/globals';
import { finished } from 'node:stream/promises';
import { Program, stopPrograms } from '@ws/testing';
import { BINARY, CLOSE, CONTINUATION, frame, handshake, next, PING, shake, TEXT, Wire } from '@ws/testing/peer';
import { prove } from '../rows.js';
import { messageRows } from '../rows/websockets.js';
import { Client, join, joinRaw, start, wrap } from './support.js';

prove(messageRows, {
  'BK-050': {
    'wire: text, and binary': async () => {
      const { server, port } = await start();
      const wire = await Wire.open(port);
      const [socket] = server.sockets;
      expect(socket!.send('hi')).toBe(socket);
      socket!.send(Buffer.of(1));
      expect(await wire.take(7)).toBe('81026869' + '820101');
    },
    'X-15 numbers and others throw': async () => {
      const { socket, wire } = wrap();
      for (const wrong of [5, {}, null]) expect(() => socket.send(wrong as never)).toThrow(TypeError);
      socket.send('hi').send(Buffer.of(1));
      expect(await wire.take(7)).toBe('81026869' + '820101');
    },
    'X-09 too late it does nothing': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      client.socket.terminate();
      await next(server, 'close');
      expect(socket.send('late').ping('late').close()).toBe(socket);
    },
  },
  'BK-051': async () => {
    const { server, port } = await start();
    const { client } = await join(server, port);
    await join(server, port);
    const left = next(server, 'close');
    client.socket.close();
    await left;
    await join(server, port);
    expect(server.sockets.map(({ id }) => id)).toEqual([1, 2]);
    const [one, two] = [wrap().socket, wrap().socket];
    expect(two.id).toBe(one.id + 1);
  },
  'BK-052': {
    'B-43 each message to all, the end of one source is nothing to the server': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      const { client: other, socket: second } = await join(server, port);
      expect(socket.pipe(server)).toBe(server);
      second.pipe(server, { end: true });
      client.socket.send('one');
      client.socket.send('');
      await other.until(2);
      const left = next(server, 'close');
      client.socket.close();
      await left;
      other.socket.send('two');
      expect(await other.until(3)).toEqual(['one', '', 'two']);
      server.write('three');
      server.end();
      expect((await other.until(4))[3]).toEqual(Buffer.from('three'));
    },
    'B-41 while nobody takes what was sent, the sender waits; then all is there': async () => {
      const { server, port } = await start({ slowConsumer: false });
      const wire = await Wire.open(port);
      wire.socket.pause();
      const [socket] = server.sockets;
      socket!.pipe(server);
      const one = frame(BINARY, Buffer.alloc(60_000, 7));
      for (let n = 0; n < 600; n++) wire.write(one);
      const [core] = server.core.clients;
      for (let before = -1; core!.bytesReceived > before;) {
        before = core!.bytesReceived;
        for (let n = 0; n < 100; n++) await new Promise((resolve) => setImmediate(resolve));
      }
      expect(core!.bytesReceived).toBeLessThan(300 * one.length);
      const got = [wire.received.length];
      wire.socket.removeAllListeners('data').on('data', (chunk) => (got[0]! += chunk.length));
      wire.socket.resume();
      while (got[0]! < 600 * 60_004) await next(wire.socket, 'data');
      expect(got).toEqual([600 * 60_004]);
    },
    'unpipe, of one and of all': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      for (const unpipe of [() => socket.unpipe(server), () => socket.unpipe()]) {
        socket.pipe(server);
        expect(unpipe()).toBe(socket);
        client.socket.send('to nobody');
        const pong = next(client.socket, 'pong');
        client.socket.ping();
        await pong;
      }
      server.broadcast('end');
      expect(await client.until(1)).toEqual(['end']);
    },
    'from a byte stream, and to another stream': async () => {
      const { server, port } = await start();
      const { client } = await join(server, port);
      const { socket, wire } = wrap();
      socket.pipe(server);
      wire.send(TEXT, 'from afar');
      expect(await client.until(1)).toEqual(['from afar']);
      const { socket: reader, wire: far } = wrap();
      const { socket: target, wire: out } = wrap();
      reader.pipe(target);
      far.send(TEXT, 'through');
      expect(await out.take(9)).toBe(`0107${Buffer.from('through').toString('hex')}`);
      reader.unpipe(target);
    },
  },
  'BK-053': {
    'of a connection': async () => {
      const { server, port } = await start();
      const wire = await Wire.open(port);
      const [socket] = server.sockets;
      expect(socket!.ping()).toBe(socket);
      socket!.ping('a');
      expect(() => socket!.ping(Buffer.alloc(126))).toThrow(RangeError);
      expect(() => socket!.close(1006)).toThrow(RangeError);
      expect(socket!.close('bye')).toBe(socket);
      expect(await wire.take(12)).toBe('8900' + '890161' + '880503e8' + Buffer.from('bye').toString('hex'));
    },
    'of a byte stream': async () => {
      const { socket, wire } = wrap();
      socket.ping().ping('a');
      expect(() => socket.ping(Buffer.alloc(126))).toThrow(RangeError);
      expect(() => socket.close(1006)).toThrow(RangeError);
      socket.close(4000, 'x');
      expect(await wire.take(10)).toBe('8900' + '890161' + '88030fa078');
      wire.send(CLOSE, Buffer.from('0fa078', 'hex'));
      wire.socket.end();
      expect(await next(socket, 'close')).toEqual([4000, 'x']);
    },
    'without a code the frame is empty, and 1005 is told': async () => {
      const { socket, wire } = wrap();
      socket.close();
      expect(await wire.take(2)).toBe('8800');
      wire.send(CLOSE);
      wire.socket.end();
      expect(await next(socket, 'close')).toEqual([1005, '']);
    },
  },
  'BK-054': {
    'each on the socket, and on the server with the socket behind the first argument': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      const names = ['message', 'pong', 'stream:start', 'stream:end', 'close'] as const;
      const own: unknown[][] = [];
      const ofServer: unknown[][] = [];
      for (const name of names) {
        socket.on(name as 'message', (...told: unknown[]) => own.push([name, ...told]));
        server.on(name as 'message', (...told: unknown[]) => ofServer.push([name, ...told]));
      }
      client.socket.send('hi');
      await next(server, 'message');
      client.socket.pong('p');
      await next(server, 'pong');
      client.socket.send(Buffer.alloc(20_000));
      await next(server, 'stream:end');
      client.socket.close(1000, 'bye');
      await next(socket, 'close');
      const info = { direction: 'received', data: Buffer.from('p') };
      expect(own).toEqual([
        ['message', 'hi'],
        ['pong', 'p', info],
        ['stream:start'],
        ['stream:end'],
        ['close', 1000, 'bye'],
      ]);
      expect(ofServer).toEqual([
        ['message', 'hi', socket],
        ['pong', 'p', socket, info],
        ['stream:start', socket],
        ['stream:end', socket],
        ['close', 1000, socket, 'bye'],
      ]);
    },
    'the same on a byte stream': async () => {
      const { socket, wire } = wrap({ maxFramePayload: 30_000, streamThreshold: 4 });
      const messages: unknown[] = [];
      socket.on('message', (message) => messages.push(message));
      wire.send(TEXT, 'longer');
      await next(socket, 'message');
      let streamed = '';
      socket.on('stream:start', () => {
        messages.push('stream');
        socket.on('data', (chunk) => (streamed += String(chunk)));
      });
      wire.send(BINARY, 'long', { fin: false });
      wire.send(PING);
      wire.send(CONTINUATION, 'er');
      await next(socket, 'stream:end');
      wire.send(BINARY, 'shrt');
      await next(socket, 'message');
      expect(messages).toEqual(['longer', 'stream', Buffer.from('shrt')]);
      expect(streamed).toBe('longer');
    },
    'B-06 a message in fragments has the limit of a frame': async () => {
      const { socket, wire } = wrap({ maxFramePayload: 1000 });
      socket.on('message', () => wire.send(TEXT, 'never'));
      const failed = next(socket, 'error');
      wire.send(BINARY, Buffer.alloc(600), { fin: false });
      wire.send(CONTINUATION, Buffer.alloc(600), { fin: false });
      expect(await failed).toMatchObject([{ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' }]);
      expect(await wire.take(4)).toBe('880203f1');
      expect(socket.destroyed).toBe(true);
    },
    'with no limit to a frame there is none to a message': async () => {
      const { socket, wire } = wrap({ maxFramePayload: 0 });
      wire.send(BINARY, Buffer.alloc(600), { fin: false });
      wire.send(CONTINUATION, 'end');
      expect(await next(socket, 'message')).toEqual([Buffer.concat([Buffer.alloc(600), Buffer.from('end')])]);
    },
    'a listener that throws stops nothing': async () => {
      const program = new Program(
        new URL('../../', import.meta.url),
        `import { createServer } from 'node:http';
         import { Server } from '@ws/compat/websockets';
         process.on('uncaughtException', (error) => console.log('caught', error.message));
         const http = createServer().listen(3000);
         const server = new Server().listen(http);
         server.on('message', (message, socket) => {
           socket.send('again ' + message);
           throw new Error('mine ' + message);
         });`,
      );
      const client = new Client(await program.port);
      await next(client.socket, 'open');
      client.socket.send('a');
      client.socket.send('b');
      expect(await client.until(2)).toEqual(['again a', 'again b']);
      await program.until('caught mine a');
      await program.until('caught mine b');
      await stopPrograms();
    },
    'nor does one that throws at the end of what comes': async () => {
      const program = new Program(
        new URL('../../', import.meta.url),
        `import { createServer } from 'node:http';
         import { Server } from '@ws/compat/websockets';
         const caught = [];
         process.on('uncaughtException', (error, origin) => caught.push(origin + ' ' + error.message));
         const http = createServer().listen(3000);
         const server = new Server().listen(http);
         server.on('open', (socket) => {
           socket.on('readable', () => { throw new Error('mine') });
           socket.once('finish', () => console.log(caught.join()));
         });`,
      );
      const client = new Client(await program.port);
      await next(client.socket, 'open');
      client.socket.send('a');
      client.socket.close();
      await program.until('uncaughtException mine,uncaughtException mine');
      await stopPrograms();
    },
    'the end of what comes is told of before that of what goes': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      const order: string[] = [];
      for (const name of ['end', 'finish'] as const) socket.on(name, () => order.push(name));
      socket.on('data', (chunk) => order.push(String(chunk)));
      client.socket.send('a');
      client.socket.close();
      await next(socket, 'close');
      expect(order).toEqual(['a', 'end', 'finish']);
    },
    'what comes to one that is destroyed has no end': async () => {
      const { server, port } = await start();
      const { wire, socket } = await joinRaw(server, port);
      wire.send(TEXT, 'the first part', { fin: false });
      const whole = finished(socket, { writable: false });
      socket.destroy();
      await expect(whole).rejects.toHaveProperty('code', 'ERR_STREAM_PREMATURE_CLOSE');
    },
  },
  // The helper was private: what it did on the wire is the core's, which checks the whole of RFC 6455 §4.2.1.
  'BK-055': async () => {
    const { port } = await start();
    expect((await shake(port)).headers['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    expect((await shake(port, handshake({ 'Sec-WebSocket-Key': '' }))).status).toBe(400);
  },
});
