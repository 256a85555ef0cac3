import { Opcode } from '@ws/frame';
import { FrameDuplex } from '@ws/frame/stream';
import type { Carrier } from './carrier.js';

/** A byte stream: a FrameDuplex writes what it is told, and gives all messages as they come. */
export class StreamCarrier extends FrameDuplex implements Carrier {
  readonly core = this;
  streams = true; // in any case
  readonly waitsForReader = true;
  readonly endsByErrors = true;

  send(message: Uint8Array, binary: boolean): void {
    this.writeHead({ opcode: binary ? Opcode.Binary : Opcode.Text }).writeEnd(message);
  }
}
