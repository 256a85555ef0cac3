import type { CodecOptions } from '../codec-options.js';
import type { NegotiationOptions } from '../negotiation-options.js';
import type { ZlibOptions } from './zlib-options.js';

/** The option `perMessageDeflate` of servers and clients: those of ws 8, and ours. */
export interface PerMessageDeflateOptions extends NegotiationOptions, CodecOptions, ZlibOptions {}
