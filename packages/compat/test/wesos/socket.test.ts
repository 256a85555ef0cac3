import { expect } from '@jest/globals';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket, type CloseInfo } from '@ws/connection';
import { BINARY, CLOSE, CONTINUATION, frame, MASKING_KEY, PING, TEXT, Wire } from '@ws/testing/peer';
import { Incoming, Socket } from '../../src/wesos/index.js';
import { prove } from '../rows.js';
import { incomingRows, socketRows } from '../rows/wesos.js';
import { nextText, start, tcpPair } from './support.js';

/** A Socket over a bare TCP connection, and its events, each on a line. */
async function recorded(): Promise<{ socket: Socket; wire: Wire; events: string[] }> {
  const { near, wire } = await tcpPair();
  const socket = new Socket(near);
  const events: string[] = [];
  socket.on('ping', (data) => events.push(`ping ${data.toString('hex')}`));
  socket.on('close', (code, reason) => events.push(`close ${code} ${reason}`));
  socket.on('end', () => events.push('end'));
  return { socket, wire, events };
}

const hex = (bytes: string): Buffer => Buffer.from(bytes, 'hex');

prove(socketRows, {
  'WE-020': {
    'X-18 over the TCP socket of an upgrade, as a server: it wants masked frames': async () => {
      const { socket, wire } = await recorded();
      expect(socket).toBeInstanceOf(Readable);
      const message = nextText(socket);
      wire.send(TEXT, 'Hello');
      expect(await message).toBe('Hello');
      wire.write(hex('8100'));
      expect(await wire.until('03ea')).toMatch(/^88..03ea/);
    },
    'X-22 as a client: it wants bare frames, and masks its own': async () => {
      const { near, wire } = await tcpPair();
      const socket = new Socket(near, { role: 'client' });
      const message = nextText(socket);
      wire.write(hex('810548656c6c6f'));
      expect(await message).toBe('Hello');
      wire.write(hex('8900'));
      expect(await wire.until('8a80')).toHaveLength(12);
    },
    'with the bytes that came behind the request': async () => {
      const { near } = await tcpPair();
      expect(await nextText(new Socket(near, { head: frame(TEXT, 'early') }))).toBe('early');
    },
    'over a WebSocket of the core': async () => {
      const { near, wire } = await tcpPair();
      const webSocket = WebSocket.from(near, { role: 'server' });
      const socket = new Socket(webSocket);
      expect(socket.webSocket).toBe(webSocket);
      wire.send(TEXT, 'Hello');
      expect(await nextText(socket)).toBe('Hello');
    },
    'what is no stream, or has one already': async () => {
      const { near } = await tcpPair();
      expect(() => new Socket({} as never)).toThrow(TypeError);
      const first = new Socket(near);
      expect(() => new Socket(near)).toThrow(TypeError);
      first.destroy();
    },
  },
  'WE-021': {
    'X-01 X-30 one Incoming for each message, whatever its frames': async () => {
      const { socket, wire } = await recorded();
      const headers: unknown[] = [];
      const texts: Promise<string>[] = [];
      socket.on('message', (incoming, ...rest: unknown[]) => {
        expect([incoming, rest]).toEqual([expect.any(Incoming), []]);
        headers.push(incoming.header);
        texts.push(text(incoming));
      });
      wire.write(
        Buffer.concat([
          frame(TEXT, 'in ', { fin: false }),
          frame(PING, 'p'),
          frame(CONTINUATION, 'parts'),
          frame(BINARY, 'b'),
        ]),
      );
      while (texts.length < 2) await turn();
      expect(await Promise.all(texts)).toEqual(['in parts', 'b']);
      expect(socket.readableLength).toBe(0); // nothing is kept for a reader that there is not
      const masking = Buffer.alloc(4);
      masking.writeUInt32BE(MASKING_KEY);
      expect(headers).toEqual([
        { final: false, masked: true, opcode: 1, length: 3, masking },
        { final: true, masked: true, opcode: 2, length: 1, masking },
      ]);
    },
    once: async () => {
      const { socket, wire } = await recorded();
      const got: Promise<string>[] = [];
      socket.once('message', (incoming) => got.push(text(incoming)));
      wire.write(Buffer.concat([frame(TEXT, 'first'), frame(TEXT, 'second'), frame(PING)]));
      await wire.until('8a00');
      expect(await Promise.all(got)).toEqual(['first']);
    },
    'nobody listens nor reads: dropped, and the connection goes on': async () => {
      const { socket, wire } = await recorded();
      for (let n = 0; n < 50; n++) wire.send(TEXT, 'x'.repeat(125));
      wire.send(PING);
      await wire.until('8a00');
      const message = nextText(socket);
      wire.send(TEXT, 'heard');
      expect(await message).toBe('heard');
    },
    'read as a stream, it gives the same': async () => {
      const { socket, wire } = await recorded();
      const both: unknown[] = [];
      socket.on('message', (incoming) => both.push(incoming));
      socket.on('data', (incoming) => both.push(incoming));
      wire.send(TEXT, 'once');
      while (both.length < 2) await turn();
      expect(both[0]).toBe(both[1]);
      expect(await text(both[0] as Incoming)).toBe('once');
    },
    'piped to any other Writable, as objects, and not any more': async () => {
      const { socket, wire } = await recorded();
      const written: unknown[] = [];
      const target = new Writable({ objectMode: true, write: (item, _, next) => next(void written.push(item)) });
      expect(socket.pipe(target)).toBe(target);
      wire.send(TEXT, 'a');
      while (written.length === 0) await turn();
      expect(written).toEqual([expect.any(Incoming)]);
      for (const stop of [() => socket.unpipe(target), () => socket.unpipe()]) {
        stop();
        await wire.take();
        wire.send(TEXT, 'b').send(PING);
        await wire.until('8a00');
        expect(written).toHaveLength(1);
        socket.pipe(target);
      }
    },
    'a message that is not read holds up the connection, and no memory': async () => {
      const { socket, wire } = await recorded();
      const kept: Incoming[] = [];
      socket.on('message', (incoming) => kept.push(incoming));
      for (let n = 0; n < 2000; n++) wire.send(BINARY, Buffer.alloc(125));
      while (wire.socket.writableLength > 0) await turn();
      for (let n = 0; n < 50; n++) await turn();
      expect(kept.length).toBeLessThan(200);
      const read: Incoming[] = [];
      const readAll = (incoming: Incoming): void => void incoming.resume().on('end', () => read.push(incoming));
      kept.forEach(readAll);
      socket.on('message', readAll);
      while (read.length < 2000) await turn();
      expect(read).toHaveLength(kept.length);
    },
    'text is checked: 1007, and the Incoming fails': async () => {
      const { socket, wire } = await recorded();
      const [[incoming]] = await Promise.all([once(socket, 'message'), Promise.resolve(wire.send(TEXT, hex('61ff')))]);
      await expect(text(incoming)).rejects.toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
      expect(await wire.until('03ef')).toMatch(/^88..03ef/);
    },
  },
  'WE-022': {
    'X-03 at the Close frame of the peer, with its code and reason': async () => {
      const { wire, events } = await recorded();
      wire.send(CLOSE, Buffer.concat([hex('0fa0'), Buffer.from('bye')]));
      expect(await wire.until('88050fa0627965')).toBe('88050fa0627965');
      expect(events[0]).toBe('close 4000 bye');
    },
    'without a code: 1005': async () => {
      const { wire, events } = await recorded();
      wire.send(CLOSE);
      await wire.rest();
      while (events.length < 2) await turn();
      expect(events).toEqual(['close 1005 ', 'end']);
    },
    'in answer to ours: when it comes': async () => {
      const { socket, wire, events } = await recorded();
      socket.webSocket.close(1000, 'ours');
      await wire.until('88');
      expect(events).toEqual([]);
      wire.send(CLOSE, hex('03e8'));
      await once(socket, 'end');
      expect(events).toEqual(['close 1000 ', 'end']);
    },
  },
  'WE-023': {
    'X-02 with the bytes, behind the answer': async () => {
      const { socket, wire, events } = await recorded();
      socket.on('ping', () => socket.webSocket.send('heard'));
      wire.send(PING, hex('00ff'));
      expect(await wire.until('8105')).toMatch(/^8a0200ff8105/);
      expect(events).toEqual(['ping 00ff']);
    },
  },
  'WE-024': {
    'close, then end': async () => {
      const { socket, wire, events } = await recorded();
      wire.send(CLOSE, hex('03e9'));
      await once(socket, 'end');
      await wire.rest();
      await turn();
      expect(events).toEqual(['close 1001 ', 'end']);
    },
    'cut: end alone, and once': async () => {
      const { socket, wire, events } = await recorded();
      wire.socket.resetAndDestroy();
      await once(socket, 'end');
      await turn();
      expect(events).toEqual(['end']);
    },
    'behind the messages that its reader has not taken; at once for one who has let go': async () => {
      const { socket, wire, events } = await recorded();
      const messages: unknown[] = [];
      const read = (incoming: Incoming): void => void messages.push(incoming);
      socket.on('data', read).pause();
      wire.write(Buffer.concat([frame(TEXT, 'a'), frame(TEXT, 'b'), frame(CLOSE)]));
      await wire.rest();
      await turn();
      expect(events).toEqual(['close 1005 ']);
      socket.resume();
      await once(socket, 'end');
      expect(messages).toHaveLength(2);

      const other = await recorded();
      other.socket.on('data', read).pause();
      other.wire.send(TEXT, 'a');
      while (other.socket.readableLength === 0) await turn();
      other.socket.off('data', read);
      other.wire.socket.resetAndDestroy();
      await once(other.socket, 'end');
      expect(messages).toHaveLength(2);
    },
    'a close listener that throws keeps none from coming': async () => {
      const { socket } = await recorded();
      socket.on('close', () => {
        throw new Error('mine');
      });
      const ended = once(socket, 'end');
      const info = { received: { code: 1000, reason: '' } } as CloseInfo;
      expect(() => socket.webSocket.emit('close', 1000, Buffer.alloc(0), info)).toThrow('mine');
      await ended;
    },
    'destroy() cuts': async () => {
      const { socket, wire, events } = await recorded();
      socket.destroy();
      await wire.rest();
      while (events.length === 0) await turn();
      expect(events).toEqual(['end']);
    },
    'what broke it is told where somebody listens': async () => {
      const { socket, wire } = await recorded();
      const told = once(socket, 'error');
      wire.write(hex('8300'));
      expect((await told)[0]).toMatchObject({ code: 'WS_ERR_INVALID_OPCODE' });
    },
  },
});

/** All of it, as text, of bytes that are written in pieces. */
async function parsed(pieces: Iterable<Uint8Array>, incoming = new Incoming()): Promise<string> {
  const all = text(incoming);
  for (const piece of pieces) if (!incoming.write(piece)) await Promise.race([once(incoming, 'drain'), all]);
  incoming.end();
  return all;
}

prove(incomingRows, {
  'WE-030': {
    'bytes of frames are written to it, and payload is read, however they are cut': async () => {
      const frames = Buffer.concat([
        frame(TEXT, 'in ', { fin: false }),
        frame(PING, 'p'),
        frame(CONTINUATION, 'parts'),
        frame(TEXT, 'the next one'),
      ]);
      const incoming = new Incoming();
      const headers: unknown[] = [];
      incoming.on('header', (header) => headers.push(header));
      expect(await parsed([frames], incoming)).toBe('in parts');
      expect(headers).toEqual([expect.objectContaining({ final: false, opcode: 1, length: 3 })]); // of the first frame alone
      expect(await parsed(Array.from(frames, (byte) => Buffer.of(byte)))).toBe('in parts');
    },
    'what follows the message is dropped, be it what it may': async () => {
      const incoming = new Incoming();
      const chunks: string[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(String(chunk)));
      const ended = once(incoming, 'end');
      incoming.write(Buffer.concat([frame(TEXT, 'a'), frame(TEXT, 'b'), hex('ffff')]));
      await ended;
      expect(chunks).toEqual(['a']);
      await new Promise((resolve) => incoming.write(hex('ff'), resolve));
      expect(incoming.errored).toBe(null);
    },
    'the header is told before the payload is there': async () => {
      const incoming = new Incoming();
      expect(incoming.header).toBeUndefined();
      const told = once(incoming, 'header');
      incoming.write(hex('8105'));
      const expected = { final: true, masked: false, opcode: 1, length: 5, masking: Buffer.alloc(0) };
      expect((await told)[0]).toEqual(expected);
      expect(incoming.header).toEqual(expected);
      incoming.end('Hello');
      expect(await text(incoming)).toBe('Hello');
    },
    'of a message, behind its event': async () => {
      const { socket, wire } = await recorded();
      const told = new Promise<Incoming>((resolve) => {
        socket.on('message', (incoming) => {
          incoming.on('header', (header) => {
            expect([header, incoming.readableDidRead]).toEqual([incoming.header, false]);
            resolve(incoming);
          });
        });
      });
      wire.send(BINARY, 'x');
      expect((await told).writable).toBe(false);
    },
    'reserved bits and opcodes, a length of 2^63, text that is none: errors, thrown at nobody': async () => {
      for (const [bytes, code] of [
        ['c100', 'WS_ERR_UNEXPECTED_RSV_1'],
        ['8300', 'WS_ERR_INVALID_OPCODE'],
        ['8000', 'WS_ERR_INVALID_OPCODE'],
        ['827f8000000000000000', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH'],
        ['8101ff', 'WS_ERR_INVALID_UTF8'],
        ['0101', 'WS_ERR_INCOMPLETE_MESSAGE'],
      ]) {
        await expect(parsed([hex(bytes!)])).rejects.toMatchObject({ code });
        const unheard = new Incoming();
        unheard.end(hex(bytes!)).resume();
        while (!unheard.destroyed) await turn();
      }
      const unmasked = parsed([hex('8100')], new Incoming({ role: 'server' }));
      await expect(unmasked).rejects.toMatchObject({ code: 'WS_ERR_EXPECTED_MASK' });
    },
    'long payloads wait for their reader': async () => {
      const incoming = new Incoming();
      const length = 2_000_000;
      const header = Buffer.alloc(10);
      header.writeUInt16BE(0x827f);
      header.writeBigUInt64BE(BigInt(length), 2);
      incoming.write(header);
      const piece = Buffer.alloc(50_000, 'x');
      let written = 0;
      while (incoming.write(piece)) {
        written += piece.length;
        await turn();
      }
      written += piece.length;
      expect(written).toBeLessThan(500_000);
      let read = 0;
      incoming.on('data', (chunk: Buffer) => (read += chunk.length));
      const ended = once(incoming, 'end');
      while (written < length) {
        if (!incoming.write(piece)) await once(incoming, 'drain');
        written += piece.length;
      }
      await ended;
      expect(read).toBe(length);
    },
    'destroyed: the rest of the message is dropped, and the connection goes on': async () => {
      const { port, server } = await start();
      const opened = once(server, 'open');
      const wire = await Wire.open(port);
      const [socket] = await opened;
      wire.send(TEXT, 'unwanted', { fin: false });
      const [incoming] = await once(socket, 'message');
      incoming.destroy();
      const next = nextText(socket);
      wire.send(CONTINUATION, 'rest').send(TEXT, 'wanted');
      expect(await next).toBe('wanted');
    },
  },
  'WE-031': async () => {
    const { socket, wire } = await recorded();
    const chunks: string[] = [];
    socket.on('message', (incoming) => {
      incoming.on('readable', () => {
        for (let chunk; (chunk = incoming.read()) !== null;) chunks.push(String(chunk));
      });
    });
    wire.send(TEXT, 'first', { fin: false });
    while (chunks.length < 1) await turn();
    wire.send(CONTINUATION, 'second');
    while (chunks.length < 2) await turn();
    expect(chunks).toEqual(['first', 'second']);
  },
  'WE-032': async () => {
    const { socket, wire } = await recorded();
    wire.send(TEXT, 'Hello');
    const [incoming] = (await once(socket, 'message')) as [Incoming];
    let ended = false;
    incoming.on('end', () => (ended = true));
    for (let n = 0; n < 20; n++) await turn();
    expect(ended).toBe(false); // nobody has read it
    const heard = once(incoming, 'end');
    incoming.resume();
    await heard;
    wire.send(TEXT);
    const [empty] = (await once(socket, 'message')) as [Incoming];
    expect(await text(empty)).toBe('');
  },
});
