import { FrameDuplex, StreamError, type Frame, type FrameDuplexOptions, type OutgoingHead } from '@ws/frame/stream';
import { ProtocolError, type FrameHead } from '@ws/frame';
import { PassThrough } from 'node:stream';

const options: FrameDuplexOptions = { role: 'any', maxFramePayload: 1000 };
const head: OutgoingHead = { opcode: 1, maskingKey: 1 };
const duplex = new FrameDuplex(new PassThrough(), options); // a source that gives back what it is given
const heads: string[] = [];
duplex.on('head', ({ opcode, payloadLength }: FrameHead) => heads.push(`${opcode} ${payloadLength}`));
duplex.on('error', (error: Error) => {
  throw error instanceof ProtocolError || error instanceof StreamError ? new Error(error.code) : error;
});
duplex.writeHead(head).end('hello');
void (async () => {
  for await (const frame of duplex.frames()) await show(frame);
  if (heads.join() !== '1 5') throw new Error(`heads ${heads.join()}`);
})();

async function show({ payload }: Frame): Promise<void> {
  for await (const slice of payload) if (slice.toString() !== 'hello') throw new Error('payload');
}
