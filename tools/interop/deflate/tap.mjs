// A TCP relay that sees what goes over the wire: the handshake's header fields, and which messages are compressed.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A message on the wire, frame headers included. @typedef {{ compressed: boolean, wireBytes: number }} WireMessage */

const HEAD_END = '\r\n\r\n';

/** One direction of one connection. */
class Direction {
  /** The request or the response, up to its empty line. */
  head = '';
  /** @type {WireMessage[]} */
  messages = [];
  #isHeadComplete = false;
  #pending = Buffer.alloc(0);
  #payloadLeft = 0;

  /** Value of Sec-WebSocket-Extensions; empty without it. */
  get extensions() {
    return /^sec-websocket-extensions:[ \t]*(.*)$/im.exec(this.head)?.[1]?.trim() ?? '';
  }

  /** @param {Buffer} chunk */
  push(chunk) {
    let rest = chunk;
    if (!this.#isHeadComplete) {
      const text = this.head + chunk.toString('latin1');
      const end = text.indexOf(HEAD_END);
      this.head = end < 0 ? text : text.slice(0, end);
      if (end < 0) return;
      this.#isHeadComplete = true;
      rest = Buffer.from(text.slice(end + HEAD_END.length), 'latin1');
    }
    this.#readFrames(rest);
  }

  /** @param {Buffer} chunk */
  #readFrames(chunk) {
    let rest = this.#pending.length > 0 ? Buffer.concat([this.#pending, chunk]) : chunk;
    for (;;) {
      const taken = Math.min(this.#payloadLeft, rest.length);
      this.#payloadLeft -= taken;
      rest = rest.subarray(taken);
      const frame = this.#payloadLeft === 0 ? readHeader(rest) : undefined;
      if (frame === undefined) break;
      this.#note(frame);
      this.#payloadLeft = frame.payloadLength;
      rest = rest.subarray(frame.headerLength);
    }
    this.#pending = Buffer.from(rest);
  }

  /** @param {Frame} frame */
  #note({ opcode, compressed, headerLength, payloadLength }) {
    if (opcode >= 8) return;
    if (opcode !== 0) this.messages.push({ compressed, wireBytes: 0 });
    const message = this.messages.at(-1);
    if (message !== undefined) message.wireBytes += headerLength + payloadLength;
  }
}

/** @typedef {{ opcode: number, compressed: boolean, headerLength: number, payloadLength: number }} Frame */

/** @param {Buffer} bytes @returns {Frame | undefined} undefined: it is not whole yet */
function readHeader(bytes) {
  if (bytes.length < 2) return undefined;
  const [first, second] = [bytes.readUInt8(0), bytes.readUInt8(1)];
  const length7 = second & 0x7f;
  const headerLength = 2 + (length7 === 127 ? 8 : length7 === 126 ? 2 : 0) + (second & 0x80 ? 4 : 0);
  if (bytes.length < headerLength) return undefined;
  const payloadLength =
    length7 === 127 ? Number(bytes.readBigUInt64BE(2)) : length7 === 126 ? bytes.readUInt16BE(2) : length7;
  return { opcode: first & 0x0f, compressed: (first & 0x40) !== 0, headerLength, payloadLength };
}

/**
 * Relays the connections of a new port to `port`, both on the loopback interface.
 * @param {number} port
 */
export async function startTap(port) {
  const tap = { port: 0, toServer: new Direction(), toClient: new Direction(), close };
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    tap.toServer = new Direction();
    tap.toClient = new Direction();
    relay(client, connect({ port, host: '127.0.0.1', allowHalfOpen: true }), tap.toServer, tap.toClient);
  });

  /** @param {import('node:net').Socket} client @param {import('node:net').Socket} upstream @param {Direction} there @param {Direction} back */
  function relay(client, upstream, there, back) {
    for (const [from, to, direction] of /** @type {const} */ ([
      [client, upstream, there],
      [upstream, client, back],
    ])) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('data', (chunk) => direction.push(chunk));
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  }

  function close() {
    for (const socket of sockets) socket.destroy();
    server.close();
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  tap.port = /** @type {import('node:net').AddressInfo} */ (server.address()).port;
  return tap;
}
