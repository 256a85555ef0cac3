// Runs in the thread of module.register: what is loaded out of packages/*/dist is counted, and perhaps broken first.
import { readFileSync } from 'node:fs';
import { SourceMap, type LoadHook, type SourceMapPayload } from 'node:module';
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
  const { code, literals } = instrument(fault === undefined ? source : broken(source, url, fault), placesIn(url));
  return { ...loaded, source: `${code}\nglobalThis[Symbol.for('ws.fuzz')].learn(${JSON.stringify(literals)});` };
};

/** Places as `frame/parser.ts:17`: what is loaded is made of many sources, and its source map knows which. */
function placesIn(url: string): (line: number, column: number) => string {
  const map = new SourceMap(JSON.parse(readFileSync(new URL(`${url}.map`), 'utf8')) as SourceMapPayload);
  const inPackages = (file: string): string => file.slice(file.indexOf('/packages/') + 10);
  return (line, column) => {
    const entry = map.findEntry(line - 1, column);
    if (!('originalSource' in entry)) return `${inPackages(url)}:${line}`; // what the bundler adds
    const file = inPackages(new URL(entry.originalSource, url).pathname);
    return `${file.replace('/src/', '/')}:${entry.originalLine + 1}`;
  };
}

/** @throws where the place is not found, or twice: the fault must be one, and the same for ever */
function broken(source: string, url: string, { name, file, find, replace }: PlantedFault): string {
  const [folder = '', path = ''] = file.split('/src/');
  const begin = url.includes(`/packages/${folder}/dist/`) ? source.lastIndexOf(`// src/${path}\n`) : -1;
  if (begin === -1) return source;
  const next = source.indexOf('\n// src/', begin);
  const end = next === -1 ? source.length : next;
  const parts = source.slice(begin, end).split(find);
  if (parts.length !== 2) throw new Error(`fault ${name}: found ${parts.length - 1} times in ${file}`);
  return source.slice(0, begin) + parts.join(replace) + source.slice(end);
}
