// What this folder's package.json installs, as CommonJS and as an ES module.
import { createRequire } from 'node:module';

export const cjs = createRequire(import.meta.url);
export const esm = (/** @type {string} */ name) => import(name);
