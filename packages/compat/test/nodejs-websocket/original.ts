import { createRequire } from 'node:module';
import type ws from '../../src/nodejs-websocket/index.js';

type Module = Pick<typeof ws, 'connect' | 'createServer' | 'setBinaryFragmentation' | 'setMaxBufferLength'>;

/** nodejs-websocket itself, where the benchmarks have it. */
export const original = createRequire(new URL('../../../../tools/bench/package.json', import.meta.url))(
  'nodejs-websocket',
) as Module;
