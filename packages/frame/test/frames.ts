import fc from 'fast-check';
import { encodeFrame, type FrameHead, type Opcode } from '../src/index.js';

export interface Frame {
  head: FrameHead;
  payload: Uint8Array;
}

const payloads = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength });

/** Legal frames, the reserved bits among them; control frames follow the rules of §5.5. */
export function frames(masked?: boolean): fc.Arbitrary<Frame> {
  const keys = fc.nat(0xffffffff);
  const maskingKey =
    masked === undefined ? fc.option(keys, { nil: undefined }) : masked ? keys : fc.constant(undefined);
  const data = fc.record({
    opcode: fc.constantFrom<Opcode>(0, 1, 2),
    fin: fc.boolean(),
    rsv: fc.nat(7),
    maskingKey,
    payload: fc.oneof({ weight: 6, arbitrary: payloads(40) }, payloads(400)),
  });
  const control = fc.record({
    opcode: fc.constantFrom<Opcode>(8, 9, 10),
    fin: fc.constant(true),
    rsv: fc.nat(3),
    maskingKey,
    payload: payloads(125),
  });
  return fc
    .oneof({ weight: 3, arbitrary: data }, control)
    .map(({ payload, ...head }) => ({ head: { ...head, payloadLength: payload.length }, payload }));
}

export const wireOf = (list: readonly Frame[]): Uint8Array =>
  Buffer.concat(list.map(({ head, payload }) => encodeFrame(head, payload)));

/** Cuts `bytes` at these places, wherever they fall; a place may come twice, for an empty chunk. */
export function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, i) => bytes.subarray(places[i], to));
}
