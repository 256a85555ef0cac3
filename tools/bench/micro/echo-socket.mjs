// A connection without a kernel: chunks go in as a stream's 'data', what it writes goes nowhere.
import { Socket } from 'node:net';
import { encodeFrame, Opcode } from '@ws/frame';
import { WebSocket } from '@ws/connection';

/** Messages of one call: eight chunks of 16 in a turn. */
const CHUNKS = 8;
const PER_CHUNK = 16;
const PER_CALL = CHUNKS * PER_CHUNK;

/**
 * What sockets write goes nowhere, that of this process's own output too if it is a pipe. On the prototype: a socket with methods of its own
 * is no plain one, and is treated with more care.
 * @returns {() => void} makes it as it was
 */
export function writeNowhere() {
  const { _write, _writev } = Socket.prototype;
  Socket.prototype._write = (_chunk, _encoding, callback) => callback();
  Socket.prototype._writev = (_chunks, callback) => callback?.();
  return () => void Object.assign(Socket.prototype, { _write, _writev });
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * @param {string} name @param {Partial<import('@ws/connection').FromOptions>} options
 * @param {(socket: WebSocket) => unknown} listen @param {{ size?: number, isText?: boolean }} [message]
 * @returns {import('./cases.mjs').Case}
 */
export function receiving(name, options, listen, { size = 16, isText = false } = {}) {
  const stream = new Socket();
  const socket = WebSocket.from(stream, { ...options, role: 'server' });
  listen(socket);
  const head = { opcode: isText ? Opcode.Text : Opcode.Binary, maskingKey: 0x12345678 };
  const frame = encodeFrame(head, Buffer.alloc(size, 'a'));
  const wire = Buffer.concat(Array.from({ length: PER_CHUNK }, () => frame));
  const chunk = Buffer.alloc(wire.length);
  return {
    name,
    per: PER_CALL,
    run: async () => {
      for (let count = 0; count < CHUNKS; count++) {
        wire.copy(chunk); // it is unmasked in place, and a text must stay one
        stream.emit('data', chunk);
      }
      await nextTurn(); // a stream tells of its writes in later ticks
      if (socket.readyState !== 1) throw new Error(`${name}: the connection is gone`);
    },
  };
}

/** @param {WebSocket} socket */
export const echo = (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
