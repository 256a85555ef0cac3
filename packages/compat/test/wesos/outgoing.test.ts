import { expect } from '@jest/globals';
import { once } from 'node:events';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PING, TEXT, type Wire } from '@ws/testing/peer';
import { Outgoing, Socket } from '../../src/wesos/index.js';
import { prove } from '../rows.js';
import { outgoingRows } from '../rows/wesos.js';
import { tcpPair } from './support.js';

async function opened(): Promise<{ socket: Socket; wire: Wire }> {
  const { near, wire } = await tcpPair();
  return { socket: new Socket(near), wire };
}

prove(outgoingRows, {
  'WE-040': {
    'a Writable, bound to its Socket': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      expect(outgoing).toBeInstanceOf(Writable);
      await pipeline(Readable.from([Buffer.of(1), Buffer.of(2)]), outgoing);
      expect(await wire.until('8000')).toBe('020101' + '000102' + '8000');
    },
    'without one: a TypeError': () => {
      // @ts-expect-error -- a Socket
      expect(() => new Outgoing()).toThrow(TypeError);
    },
    'X-10 what is begun while it is open waits for its end': async () => {
      const { socket, wire } = await opened();
      const [first, second] = [new Outgoing(socket), new Outgoing(socket)];
      first.write('a');
      second.end('b');
      wire.send(PING); // but a pong goes between the fragments
      await wire.until('8a00');
      first.end('c');
      expect(await wire.until('810162')).toBe('010161' + '8a00' + '800163' + '810162');
    },
    'broken off: the connection is closed with 1011, as the message cannot be taken back': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      outgoing.write('a');
      await wire.until('61');
      outgoing.destroy();
      expect(await wire.until('03f3')).toMatch(/^01016188..03f3/);
    },
    'the connection goes: callbacks are told, and nothing is thrown': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      outgoing.write('a');
      await wire.until('61');
      wire.socket.resetAndDestroy();
      await once(socket, 'end');
      const error = await new Promise((resolve) => outgoing.write('b', resolve));
      expect(error).toMatchObject({ code: 'ERR_STREAM_DESTROYED' });
      const late = await new Promise((resolve) => new Outgoing(socket).write('c', resolve));
      expect(late).toMatchObject({ code: 'WS_ERR_CLOSED' });
    },
    'its source breaks off: it is destroyed, so that nobody takes it for a whole message': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      const source = new Readable({ read() {} });
      source.on('error', () => {});
      source.pipe(outgoing);
      source.push('a');
      await wire.until('61');
      source.destroy(new Error('broken'));
      expect(await wire.until('03f3')).toMatch(/^02016188/);
    },
  },
  'WE-041': {
    'X-21 each write is a fragment, at once; text or binary as the first one is': async () => {
      const { socket, wire } = await opened();
      const text = new Outgoing(socket);
      text.write('a');
      expect(await wire.until('61')).toBe('010161');
      text.write(Buffer.from('b'));
      expect(await wire.until('62')).toBe('010161' + '000162');
      text.end();
      await wire.until('8000');
      const binary = new Outgoing(socket);
      binary.write(Buffer.of(0xff));
      binary.write('b');
      expect(await wire.until('0201ff000162')).toMatch(/80000201ff000162$/);
    },
    'X-15 a string or bytes, else a TypeError': async () => {
      const { socket } = await opened();
      const outgoing = new Outgoing(socket);
      // @ts-expect-error -- a string or bytes
      expect(() => outgoing.write(5)).toThrow('must be of type string');
    },
    'bytes of a text are checked across writes, and never changed': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      const euro = Buffer.from('€');
      outgoing.write('1');
      outgoing.write(euro.subarray(0, 2));
      outgoing.write(euro.subarray(2));
      await wire.until('0001ac');
      const error = await new Promise((resolve) => outgoing.write(Buffer.of(0xff), resolve));
      expect(error).toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
      expect(euro.toString()).toBe('€');
    },
  },
  'WE-042': {
    'X-21 behind writes: the last fragment, with data or empty': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      outgoing.write('a');
      outgoing.end('b');
      expect(await wire.until('800162')).toBe('010161' + '800162');
    },
    'alone: one frame': async () => {
      const { socket, wire } = await opened();
      new Outgoing(socket).end(Buffer.from('x'));
      expect(await wire.until('78')).toBe('820178');
      new Outgoing(socket).end();
      expect(await wire.until('8100')).toBe('820178' + '8100');
    },
  },
  'WE-043': {
    opcode: async () => {
      const { socket, wire } = await opened();
      const text = new Outgoing(socket);
      text.header.opcode = 1;
      text.end(Buffer.from('a'));
      expect(await wire.until('61')).toBe('810161');
      const binary = new Outgoing(socket);
      binary.header = { opcode: 2 };
      binary.write('b');
      binary.end(Buffer.of(0xff));
      expect(await wire.until('ff')).toBe('810161' + '020162' + '8001ff');
    },
    'of an Incoming, for an echo': async () => {
      const { socket, wire } = await opened();
      socket.on('message', (incoming) => {
        const outgoing = new Outgoing(socket);
        outgoing.header.opcode = incoming.header?.opcode;
        incoming.pipe(outgoing);
      });
      wire.send(TEXT, 'Hello');
      expect(await wire.until('8000')).toBe('010548656c6c6f' + '8000');
    },
    'another opcode is an error, and nothing is sent': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      outgoing.header.opcode = 9;
      const error = await new Promise((resolve) => outgoing.write('a', resolve));
      expect(error).toBeInstanceOf(RangeError);
      new Outgoing(socket).end('b');
      expect(await wire.until('62')).toBe('810162');
    },
    'length: one frame, filled by several writes; one byte more is an error': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      outgoing.header.length = 5;
      outgoing.write('He');
      expect(await wire.until('4865')).toBe('81054865');
      outgoing.end('llo');
      expect(await wire.until('6c6c6f')).toBe('810548656c6c6f');
      const long = new Outgoing(socket);
      long.header.length = 1;
      const error = await new Promise((resolve) => long.write('ab', resolve));
      expect(error).toMatchObject({ code: 'WS_ERR_DECLARED_LENGTH' });
    },
    'X-22 masks are by the role, whatever it says': async () => {
      const { socket, wire } = await opened();
      const outgoing = new Outgoing(socket);
      outgoing.header = { masked: true, masking: Buffer.alloc(4), final: false };
      outgoing.end('a');
      expect(await wire.until('61')).toBe('810161');
    },
  },
});
