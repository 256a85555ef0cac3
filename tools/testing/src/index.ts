export { makeCertificate, type Certificate } from './certificate.js';
export { FakeClock } from './clock.js';
export { hex } from './hex.js';
export { CODE_LENGTH_ORDER, DISTANCES, InflateError, Inflater, LENGTHS, type Range } from './inflate.js';
export { Program, readmePrograms, stopPrograms, type Block } from './program.js';
export { everySplit } from './splits.js';
