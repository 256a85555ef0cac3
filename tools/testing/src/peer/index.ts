export { atEnd } from './at-end.js';
export {
  BINARY,
  CLOSE,
  CONTINUATION,
  firstFrame,
  frame,
  framesOf,
  MASKING_KEY,
  PING,
  PONG,
  TEXT,
  type Frame,
  type FrameOptions,
} from './frame.js';
export {
  acceptOf,
  fields,
  GOOD,
  KEY,
  parseAnswer,
  handshake,
  switching,
  type Answer,
  type Head,
  type Headers,
} from './http.js';
export { listen, next, portOf, startHttp } from './loopback.js';
export { stopTime } from './stop-time.js';
export { listenSwitching, listenWire, shake, Wire, type Visit } from './wire.js';
