import { createHash } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { FrameReader } from '../src/decoder.js';
import type { EndpointServer, EndpointSocket, Peer } from '../src/endpoint.js';

// A peer with every fault of a first attempt: it echoes well, answers pings and close frames, and checks nothing.

function encode(opcode: number, payload: Uint8Array, masked: boolean): Buffer {
  const length = payload.length;
  const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  header[0] = 0x80 | opcode;
  header[1] = (masked ? 0x80 : 0) | (length < 126 ? length : length < 65_536 ? 126 : 127);
  if (header.length === 4) header.writeUInt16BE(length, 2);
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2);
  // With a key of zeros the payload stays as it is.
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0), payload]);
}

class NaiveSocket extends EventEmitter implements EndpointSocket {
  readyState = 1;
  readonly protocol = '';
  readonly extensions = '';
  readonly #tcp: Socket;
  readonly #masks: boolean;
  readonly #reader = new FrameReader();
  #done = 0;
  #parts: Buffer[] = [];
  #type = 0;
  #closeCode = 1006;
  #reason: Buffer = Buffer.alloc(0);

  constructor(tcp: Socket, masks: boolean) {
    super();
    this.#tcp = tcp;
    this.#masks = masks;
    tcp.on('close', () => {
      this.readyState = 3;
      this.emit('close', this.#closeCode, this.#reason);
    });
  }

  start(head: Buffer): void {
    setImmediate(() => this.read(head));
    this.#tcp.on('data', (chunk: Buffer) => this.read(chunk));
  }

  protected read(chunk: Buffer): void {
    this.#reader.push(chunk);
    for (; this.#done < this.#reader.frames.length && this.readyState === 1; this.#done++) {
      const { opcode, fin, payload } = this.#reader.frames[this.#done] ?? {
        opcode: 0,
        fin: true,
        payload: Buffer.alloc(0),
      };
      if (opcode === 9) {
        this.emit('ping', payload);
        this.#tcp.write(encode(10, payload, this.#masks));
      } else if (opcode === 10) {
        this.emit('pong', payload);
      } else if (opcode === 8) {
        this.#closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
        this.#reason = payload.subarray(2);
        this.readyState = 2;
        this.#tcp.end(encode(8, payload, this.#masks));
      } else {
        if (opcode !== 0) this.#type = opcode;
        this.#parts.push(payload);
        if (fin) this.emit('message', Buffer.concat(this.#parts.splice(0)), this.#type === 2);
      }
    }
  }

  send(data: unknown, { binary }: { binary: boolean }): void {
    this.#tcp.write(encode(binary ? 2 : 1, data as Uint8Array, this.#masks));
  }

  close(code = 1000, reason = ''): void {
    this.#tcp.write(encode(8, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)]), this.#masks));
  }

  terminate(): void {
    this.#tcp.destroy();
  }
}

class NaiveServer extends EventEmitter implements EndpointServer {
  readonly clients = new Set<NaiveSocket>();
  readonly #tcp: Server;

  constructor() {
    super();
    this.#tcp = createServer((tcp) => this.#accept(tcp));
    this.#tcp.listen(0, '127.0.0.1', () => this.emit('listening'));
  }

  #accept(tcp: Socket): void {
    tcp.on('error', () => {});
    tcp.once('data', (chunk: Buffer) => {
      const end = chunk.indexOf('\r\n\r\n');
      const key = /Sec-WebSocket-Key: (\S+)/.exec(chunk.toString('latin1', 0, end))?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      tcp.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
      const socket = new NaiveSocket(tcp, false);
      socket.start(chunk.subarray(end + 4));
      this.clients.add(socket);
      this.emit('connection', socket);
    });
  }

  address(): unknown {
    return this.#tcp.address();
  }

  close(done: () => void): void {
    this.#tcp.close(() => done());
  }
}

class NaiveClient extends NaiveSocket {
  constructor(address: string) {
    const { hostname, port, host, pathname } = new URL(address);
    const tcp = connect(Number(port), hostname);
    super(tcp, true);
    this.readyState = 0;
    tcp.on('error', () => {});
    tcp.write(
      `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    tcp.once('data', (chunk: Buffer) => {
      this.readyState = 1;
      this.emit('open');
      this.start(chunk.subarray(chunk.indexOf('\r\n\r\n') + 4));
    });
  }
}

export const naivePeer: Peer = {
  name: 'naive',
  WebSocketServer: NaiveServer,
  WebSocket: NaiveClient,
  handshakeCodes: true,
};
