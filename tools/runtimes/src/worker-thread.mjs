import { parentPort } from 'node:worker_threads';
import { deflateSmoke } from './deflate-smoke.mjs';
import { run } from './portable/installed.mjs';
import { websocketSmoke } from './websocket-smoke.mjs';

parentPort?.postMessage(JSON.stringify({ ...run(), websocket: await websocketSmoke(), deflate: await deflateSmoke() }));
