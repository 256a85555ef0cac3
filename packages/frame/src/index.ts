export { CloseCode, isValidCloseCode } from './close-code.js';
export { decodeClosePayload, encodeClosePayload } from './close-payload.js';
export { ProtocolError, type ViolationCode } from './errors.js';
export { decodeHeader, type FrameHead, type FrameHeader, type FrameInit } from './header.js';
export { mask } from './mask.js';
export { isControl, Opcode } from './opcode.js';
export { FrameParser, type FrameHandlers, type FrameParserOptions } from './parser.js';
export { encodeFrame, encodeHeader, headerLength, writeHeader } from './serializer.js';
export { Utf8Validator } from './utf8.js';
