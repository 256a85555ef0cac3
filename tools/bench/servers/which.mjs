// Which build of our packages a process runs: this checkout's, or that of the baseline that it is measured beside.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const packages = process.env['BENCH_PACKAGES'];

/** What to import. @param {'server' | 'client'} name */
export const ours = (name) =>
  packages === undefined
    ? import.meta.resolve(`@ws/${name}`)
    : pathToFileURL(path.join(packages, name, 'dist/esm/index.js')).href;
