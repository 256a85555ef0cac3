// Runs in the thread of module.register: what is loaded out of packages/*/dist is counted, and perhaps broken first.
import type { LoadHook } from 'node:module';
import { instrument } from './instrument.js';
import type { PlantedFault } from '../faults.js';

let fault: PlantedFault | undefined;

export function initialize(data: { readonly fault: PlantedFault | undefined }): void {
  ({ fault } = data);
}

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  if (!url.includes('/packages/') || !url.includes('/dist/esm/') || loaded.format !== 'module') return loaded;
  const source = String(loaded.source);
  const { code, literals } = instrument(url.endsWith(fault?.file ?? '\0') ? broken(source) : source, url);
  return { ...loaded, source: `${code}\nglobalThis[Symbol.for('ws.fuzz')].learn(${JSON.stringify(literals)});` };
};

/** @throws where the place is not found, or twice: the fault must be one, and the same for ever */
function broken(source: string): string {
  if (fault === undefined) return source;
  const parts = source.split(fault.find);
  if (parts.length !== 2) throw new Error(`fault ${fault.name}: found ${parts.length - 1} times in ${fault.file}`);
  return parts.join(fault.replace);
}
