export type { Backend, Deflated, Deflater, Inflater } from './backend.js';
export type { CodecOptions } from './codec-options.js';
export { DeflateError, type DeflateErrorCode } from './errors.js';
export { PerMessageDeflate, type PerMessageDeflateInit } from './permessage-deflate.js';
export { Window } from './window.js';
