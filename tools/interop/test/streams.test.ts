import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { endAll, Program, type ImportLines } from './program.js';

afterEach(endAll);

const OURS: ImportLines = {
  "import WebSocket, { createWebSocketStream } from 'ws';":
    "import { WebSocket, createWebSocketStream } from '@ws/client';",
  "import { WebSocketServer } from 'ws';": "import { WebSocketServer } from '@ws/server';",
};

/** What each case prints. */
async function run(imports: ImportLines): Promise<Map<string, string[]>> {
  const program = Program.start('streams.mjs', imports);
  await once(program.child, 'close');
  expect(program.child.exitCode).toBe(0);
  const cases = new Map<string, string[]>();
  let lines: string[] = [];
  for (const line of program.lines) {
    if (line.startsWith(' ')) lines.push(line.trim());
    else cases.set(line, (lines = []));
  }
  return cases;
}

test('createWebSocketStream: 26 cases print what they print on ws', async () => {
  const [theirs, ours] = [await run({}), await run(OURS)];
  expect(ours).toEqual(theirs);
  expect(ours.size).toBe(26);
  for (const lines of ours.values()) expect(lines.length).toBeGreaterThan(0);
}, 60_000);
