export { FakeClock } from './clock.js';
export { hex } from './hex.js';
export { everySplit } from './splits.js';
