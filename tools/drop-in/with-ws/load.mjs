// What this folder's package.json installs, as an ES module and as a CommonJS one.
import { createRequire } from 'node:module';

export const require = createRequire(import.meta.url);
export const load = (/** @type {string} */ name) => import(name);
