import { duplexPair, type Duplex } from 'node:stream';
import { FrameDuplex, type FrameDuplexOptions } from '../../src/stream/index.js';

/** What a FrameDuplex said, in a form that does not depend on where its input was cut. */
export interface Said {
  /** Opcodes of the heads, in order; FIN is `!`. */
  heads: string;
  /** Payload of each message that ended, as text; what came of the last one is behind them. */
  messages: string[];
  rest: string;
  controls: string[];
  ended: boolean;
  error: string | undefined;
  close: [number, string] | undefined;
}

export function record(duplex: FrameDuplex): Said {
  const said: Said = {
    heads: '',
    messages: [],
    rest: '',
    controls: [],
    ended: false,
    error: undefined,
    close: undefined,
  };
  duplex.on('head', ({ opcode, fin }) => (said.heads += `${opcode.toString(16)}${fin ? '!' : ''} `));
  duplex.on('data', (chunk: Buffer) => (said.rest += chunk.toString('latin1')));
  duplex.on('messageEnd', () => {
    said.messages.push(said.rest);
    said.rest = '';
  });
  duplex.on('ping', (payload) => said.controls.push(`ping ${payload.toString()}`));
  duplex.on('pong', (payload) => said.controls.push(`pong ${payload.toString()}`));
  duplex.on('closing', (code, reason) => said.controls.push(`close ${code} ${reason}`));
  duplex.on('end', () => (said.ended = true));
  duplex.on('error', (error: Error & { code?: string }) => (said.error = error.code ?? error.message));
  duplex.on('close', (...info) => (said.close = info));
  return said;
}

export interface Bench {
  duplex: FrameDuplex;
  /** The other end of the source, as bytes. */
  peer: Duplex;
  /** What the peer has received, in hexadecimal. */
  wire(): string;
}

/** Two ends in memory; each half of one keeps 16 KiB for the other, where versions of Node have defaults of their own. */
export const pair = (): [Duplex, Duplex] => duplexPair({ highWaterMark: 0x4000 });

/** A FrameDuplex on one end of a pair in memory, and the bare other end. */
export function bench(options: FrameDuplexOptions = { role: 'any' }): Bench {
  const [source, peer] = pair();
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  return {
    duplex: new FrameDuplex(source, options),
    peer,
    wire: () => Buffer.concat(chunks).toString('hex'),
  };
}

/** Everything that is under way in memory has arrived. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

/** The end of `duplex`, however it comes; our half ends with the peer's. */
export function closed(duplex: FrameDuplex): Promise<void> {
  duplex.once('end', () => duplex.end());
  return new Promise((resolve) => {
    duplex.once('close', () => resolve());
  });
}
