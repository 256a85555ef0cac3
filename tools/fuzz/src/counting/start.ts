import { register } from 'node:module';
import type { PlantedFault } from '../faults.js';
import { Counters } from './counters.js';

/** From here on every module of the packages is counted as it is loaded: to be called before the first of them is. */
export function startCounting(fault: PlantedFault | undefined): Counters {
  const counters = new Counters();
  Object.assign(globalThis, { [Symbol.for('ws.fuzz')]: counters });
  register(new URL('loader.js', import.meta.url), { data: { fault } });
  return counters;
}
