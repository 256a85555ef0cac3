// The few globals the portable core assumes; every runtime that has WebSocket or WebAssembly has them.
declare class TextEncoder {
  encode(text: string): Uint8Array;
}
declare function queueMicrotask(callback: () => void): void;
