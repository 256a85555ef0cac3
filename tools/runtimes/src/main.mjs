// Runs everything in the runtime that was started with this file; prints the outcome as one line of JSON.
import { deflateSmoke } from './deflate-smoke.mjs';
import { run } from './portable/installed.mjs';
import { websocketSmoke } from './websocket-smoke.mjs';

console.log(JSON.stringify({ ...run(), websocket: await websocketSmoke(), deflate: await deflateSmoke() }));
