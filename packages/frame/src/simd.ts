/**
 * Masks `[at, end)` of a memory, but for the last bytes that are no whole word, and puts it at `to`, which is not behind `at`; `word` is the key as a
 * little-endian word.
 */
export type MaskWords = (to: number, at: number, end: number, word: number) => void;

/** The little of WebAssembly that is needed; not every runtime has it, and a page's Content-Security-Policy may forbid it. */
interface WebAssemblyLike {
  readonly Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
}

const PAGE = 65_536;

/**
 * One import, the memory `e.m`, and one export:
 *
 *     (func (export "x") (param $to i32) (param $at i32) (param $end i32) (param $word i32) (local $key v128)
 *       (local.set $key (i32x4.splat (local.get $word)))
 *       (block (loop
 *         (br_if 1 (i32.gt_u (i32.add (local.get $at) (i32.const 64)) (local.get $end)))
 *         (v128.store (local.get $to) (v128.xor (v128.load (local.get $at)) (local.get $key)))  ;; and offset=16, 32, 48
 *         (local.set $at (i32.add (local.get $at) (i32.const 64)))
 *         (local.set $to (i32.add (local.get $to) (i32.const 64)))
 *         (br 0)))
 *       (block (loop  ;; the same by 4 bytes
 *         (br_if 1 (i32.gt_u (i32.add (local.get $at) (i32.const 4)) (local.get $end)))
 *         (i32.store (local.get $to) (i32.xor (i32.load (local.get $at)) (local.get $word)))
 *         (local.set $at (i32.add (local.get $at) (i32.const 4)))
 *         (local.set $to (i32.add (local.get $to) (i32.const 4)))
 *         (br 0))))
 */
function moduleBytes(): Uint8Array {
  const step = [0, 16, 32, 48].flatMap((offset) =>
    [
      [0x20, 0, 0x20, 1, 0xfd, 0, 0, offset], // v128.load; any alignment
      [0x20, 4, 0xfd, 0x51], // v128.xor
      [0xfd, 0x0b, 0, offset], // v128.store
    ].flat(),
  );
  const wordStep = [0x20, 0, 0x20, 1, 0x28, 0, 0, 0x20, 3, 0x73, 0x36, 0, 0]; // i32.load, i32.xor, i32.store
  /** `by`: a constant as it is encoded. */
  const loop = (by: number[], work: number[]): number[] =>
    [
      [0x02, 0x40, 0x03, 0x40], // block, loop
      [0x20, 1, 0x41, ...by, 0x6a, 0x20, 2, 0x4b, 0x0d, 1], // i32.const, i32.add, i32.gt_u, br_if
      work,
      [0x20, 1, 0x41, ...by, 0x6a, 0x21, 1],
      [0x20, 0, 0x41, ...by, 0x6a, 0x21, 0],
      [0x0c, 0, 0x0b, 0x0b], // br
    ].flat();
  const body = [
    [1, 1, 0x7b], // $key
    [0x20, 3, 0xfd, 0x11, 0x21, 4], // i32x4.splat
    loop([0xc0, 0], step),
    loop([4], wordStep),
    [0x0b],
  ].flat();
  const sections = [
    section(1, [1, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 0]), // (i32, i32, i32, i32) => ()
    section(2, [1, 1, 0x65, 1, 0x6d, 2, 0, 1]),
    section(3, [1, 0]),
    section(7, [1, 1, 0x78, 0, 0]),
    section(10, [1, ...sizeOf(body), ...body]),
  ];
  return Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]);
}

const section = (id: number, content: number[]): number[] => [id, ...sizeOf(content), ...content];

/** A length in LEB128, of two bytes whether it needs them or not. */
const sizeOf = ({ length }: number[]): number[] => [(length & 0x7f) | 0x80, length >> 7];

let compiled: object | undefined;

/** Memory of its own, in whole pages, and what masks in it. @returns undefined where there is no such thing here */
export function simdMemory(byteLength: number): { bytes: Uint8Array; maskWords: MaskWords } | undefined {
  try {
    const WebAssembly = (globalThis as { WebAssembly?: WebAssemblyLike }).WebAssembly;
    if (WebAssembly === undefined) return undefined;
    compiled ??= new WebAssembly.Module(moduleBytes());
    const pages = Math.ceil(byteLength / PAGE);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const { exports } = new WebAssembly.Instance(compiled, { e: { m: memory } });
    return { bytes: new Uint8Array(memory.buffer, 0, byteLength), maskWords: (exports as { x: MaskWords }).x };
  } catch {
    return undefined; // no SIMD, not allowed, or no address space left
  }
}
