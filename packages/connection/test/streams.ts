import { once, type EventEmitter } from 'node:events';
import { createServer, connect, type AddressInfo, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { encodeFrame, FrameParser, type FrameHead, type Opcode } from '@ws/frame';
import { WebSocket, type CloseInfo, type FromOptions } from '../src/index.js';

/** Two TCP sockets that are connected to each other. */
export async function tcpPair(): Promise<[near: Socket, far: Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', allowHalfOpen: true });
  const [far] = (await once(server, 'connection')) as [Socket];
  if (near.connecting) await once(near, 'connect');
  server.close();
  spoilLentMemory(near);
  spoilLentMemory(far);
  return [near, far];
}

/** What a connection still has of memory that was lent to it, for one read, it finds spoilt. */
function spoilLentMemory(socket: Socket): void {
  const symbol = callbackSymbol(socket);
  let callback: ((byteLength: number, memory: Buffer) => unknown) | null = null;
  Object.defineProperty(socket, symbol, {
    configurable: true,
    get: () => callback,
    set(given: NonNullable<typeof callback>) {
      callback = function (this: Socket, byteLength, memory) {
        try {
          return given.call(this, byteLength, memory);
        } finally {
          memory.fill(0xee);
        }
      };
    },
  });
}

/** Where Node keeps who is told of what is read, if somebody wants it in memory of his own. */
export const callbackSymbol = (socket: Socket): symbol =>
  Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'kBufferCb')!;

/** A Duplex that records what is written to it, and reads what the test pushes. */
export class Recorder extends Duplex {
  readonly written: Buffer[] = [];
  /** Calls of write, each of which may carry several frames. */
  writes = 0;
  /** While set, writes are not completed: their callbacks wait here. */
  stalled: (() => void)[] | undefined;

  constructor(options: ConstructorParameters<typeof Duplex>[0] = {}) {
    super({ read: () => undefined, ...options });
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.writes++;
    const copy = Buffer.allocUnsafeSlow(chunk.length); // not in the pool, which holds what a connection keeps
    copy.set(chunk);
    this.written.push(copy);
    if (this.stalled) this.stalled.push(callback);
    else callback();
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', callback);
  }

  get bytes(): Buffer {
    return Buffer.concat(this.written);
  }
}

export interface Frame extends FrameHead {
  readonly payload: Buffer;
}

/** Parses whole frames out of `bytes`. */
export function framesOf(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  let payload: Buffer[] = [];
  let current: FrameHead | undefined;
  const parser = new FrameParser(
    { allowedRsv: 7, preserveInput: true },
    {
      head: (head) => (current = head),
      payload: (slice) => payload.push(Buffer.from(slice)),
      frameEnd() {
        frames.push({ ...current!, payload: Buffer.concat(payload) });
        payload = [];
      },
    },
  );
  parser.push(bytes);
  return frames;
}

export const clientFrame = (
  opcode: Opcode,
  payload: string | Uint8Array,
  head: { fin?: boolean; rsv?: number } = {},
): Buffer => Buffer.from(encodeFrame({ opcode, maskingKey: 0x0a0b0c0d, ...head }, Buffer.from(payload)));

/** A server's WebSocket over a recording stream. */
export function recorded(options: Partial<FromOptions> = {}): { socket: WebSocket; stream: Recorder } {
  const stream = new Recorder();
  return { socket: WebSocket.from(stream, { role: 'server', ...options }), stream };
}

export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** All arguments of the next event. */
export const event = (emitter: EventEmitter, name: string): Promise<unknown[]> => once(emitter, name);

/** Names and arguments of the events of a socket from now on. */
export function record(socket: WebSocket, names: readonly string[]): unknown[][] {
  const events: unknown[][] = [];
  for (const name of names) socket.on(name as 'message', (...args: unknown[]) => events.push([name, ...args]));
  return events;
}

export const summary = ({ code, wasClean, initiator }: CloseInfo): unknown[] => [code, wasClean, initiator];
