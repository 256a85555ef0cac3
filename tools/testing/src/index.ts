export { makeCertificate, type Certificate } from './certificate.js';
export { FakeClock } from './clock.js';
export { hex } from './hex.js';
export { everySplit } from './splits.js';
