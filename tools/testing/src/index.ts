export { makeCertificate, type Certificate } from './certificate.js';
export { FakeClock } from './clock.js';
export { freePort } from './free-port.js';
export { collectGarbage } from './garbage.js';
export { HeldClock } from './held-clock.js';
export { hex } from './hex.js';
export {
  CODE_LENGTH_ORDER,
  CUT_SHORT,
  DISTANCES,
  InflateError,
  Inflater,
  LENGTHS,
  TOO_LONG,
  type Range,
} from './inflate.js';
export { Program, readmePrograms, stopPrograms, type Block } from './program.js';
export { everySplit } from './splits.js';
