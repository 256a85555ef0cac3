import { describe, expect, test } from '@jest/globals';
import { fetchRuntime, notice } from '../src/hosts.mjs';
import { expectedDeflate } from '../src/deflate-smoke.mjs';
import { expectedFrame, expectedHandshake, expectedNegotiation, expectedProtocol } from '../src/portable/expected.mjs';
import { expectedWebsocket } from '../src/websocket-smoke.mjs';

const [deno, bun] = await Promise.all([fetchRuntime('deno'), fetchRuntime('bun')]);
const RUNTIMES = [
  {
    name: 'Deno',
    runtime: deno,
    hasFastPath: false,
    args: ['run', '--no-lock', '--no-config', '--node-modules-dir=manual', '--allow-all'],
  },
  { name: 'Bun', runtime: bun, hasFastPath: true, args: ['--no-install'] },
];

describe.each(RUNTIMES)('$name', ({ name, runtime, hasFastPath, args }) => {
  if (runtime.run === undefined) notice(`${name} is missing: ${runtime.missing}; 1 test was skipped`);

  // Without the runtime there is nothing to test; the notice says so.
  (runtime.run === undefined ? test.skip : test)(
    'the portable entries, WebSocket over a Duplex, and permessage-deflate',
    async () => {
      const output = await runtime.run?.([...args, 'src/main.mjs']);
      expect(JSON.parse(output ?? '')).toEqual({
        frame: expectedFrame,
        handshake: expectedHandshake,
        negotiation: expectedNegotiation,
        protocol: expectedProtocol,
        websocket: expectedWebsocket,
        deflate: expectedDeflate(hasFastPath),
      });
    },
    60_000,
  );
});
