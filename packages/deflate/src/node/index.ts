export { zlibBackend, type ZlibBackend } from './backend.js';
export type { PerMessageDeflateOptions } from './options.js';
export { isUsable as hasFastPath } from './zlib-handle.js';
export type { DeflateTuning, InflateTuning, ZlibOptions } from './zlib-options.js';
