export { TAIL, type Backend, type ContextHolder, type Deflated, type Deflater, type Inflater } from './backend.js';
export type { CodecOptions } from './codec-options.js';
export { DeflateError, type DeflateErrorCode } from './errors.js';
export type { NegotiationOptions } from './negotiation-options.js';
export {
  answer,
  checkAnswer,
  offer,
  type DeflateElement,
  type DeflateParameters,
  type ParameterList,
} from './parameters.js';
export { PerMessageDeflate, type PerMessageDeflateInit } from './permessage-deflate.js';
export { Window } from './window.js';
