import { decodeHeader, encodeFrame, FrameParser, Opcode, ProtocolError, type FrameHead } from '@ws/frame';

const frames: string[] = [];
const parser = new FrameParser(
  { role: 'server' },
  { frame: (head: FrameHead, payload) => frames.push(`${head.opcode} ${payload.length}`) },
);
const frame: Uint8Array = encodeFrame({ opcode: Opcode.Binary, maskingKey: 0x01020304 }, new Uint8Array(300));
parser.push(frame);
if (frames.join() !== '2 300') throw new Error(`parsed ${frames.join()}`);

const header = decodeHeader(encodeFrame({ opcode: Opcode.Text }, new Uint8Array(3)));
if (header?.byteLength !== 2) throw new Error('decodeHeader');
try {
  new FrameParser({ role: 'client' }, {}).push(frame);
  throw new Error('a masked frame was accepted');
} catch (error) {
  if (!(error instanceof ProtocolError) || error.code !== 'WS_ERR_UNEXPECTED_MASK') throw error;
}
