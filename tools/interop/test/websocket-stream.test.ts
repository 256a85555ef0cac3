import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chromium, type Browser, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../chromium.mjs';
import { startPeer } from '../websocket-stream/peer.mjs';
import { SCENARIOS, type runScenario } from '../websocket-stream/scenarios.mjs';

/** Where ours differs from Chromium 150, on purpose: what Chromium says, and what we say. */
const DIFFERENCES: Readonly<Record<string, readonly (readonly [theirs: string, ours: string])[]>> = {
  // The signal's reason, as everywhere in Node; a reason that is no error is the cause of Node's AbortError.
  'a signal with a reason': [
    ['opened rejects AbortError DOM 20', 'opened rejects RangeError'],
    ['closed rejects AbortError DOM 20', 'closed rejects RangeError'],
  ],
  'a signal with a reason that is no error': [
    ['opened rejects AbortError DOM 20', 'opened rejects AbortError'],
    ['closed rejects AbortError DOM 20', 'closed rejects AbortError'],
  ],
  // A page has a base address; our SyntaxErrors have a code; one subprotocol need not stand in a list.
  'what the constructor refuses': [
    ['no argument throws TypeError', 'no argument throws SyntaxError'],
    ['no URL gives "nothing"', 'no URL throws SyntaxError'],
    ['ftp throws SyntaxError DOM 12', 'ftp throws SyntaxError'],
    ['fragment throws SyntaxError DOM 12', 'fragment throws SyntaxError'],
    ['twice the same protocol throws SyntaxError DOM 12', 'twice the same protocol throws SyntaxError'],
    ['no token throws SyntaxError DOM 12', 'no token throws SyntaxError'],
    ['protocols is a string throws TypeError', 'protocols is a string gives "nothing"'],
  ],
  // The reason of the Close frame after a fault is each one's own.
  'the peer breaks the protocol': [['peer: close 1002 Unknown opcode', 'peer: close 1002']],
};

let peer: Awaited<ReturnType<typeof startPeer>>;
let browser: Browser;
let page: Page;
const source = readFileSync(new URL('../websocket-stream/scenarios.mjs', import.meta.url), 'utf8');
let ours: Record<string, string[]>;

beforeAll(async () => {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error('Chromium is missing: apt-get install chromium, or set CHROMIUM_PATH');
  peer = await startPeer();
  browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${peer.port}/`);
  const program = fileURLToPath(new URL('../websocket-stream/run-ours.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [program, `ws://127.0.0.1:${peer.port}/`]);
  ours = JSON.parse(stdout) as typeof ours;
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await peer?.close();
});

/** What the stream shows, then how the peer saw it. */
async function withPeer(id: string, lines: readonly string[]): Promise<string[]> {
  const log = await peer.log(id);
  return [...lines, ...log.map((line) => `peer: ${line}`)].map((line) => line.trim());
}

async function inChromium(name: string): Promise<string[]> {
  const lines = await page.evaluate(
    async ({ code, scenario, base }) => {
      const address = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
      const module = (await import(address)) as { runScenario: typeof runScenario };
      const { WebSocketStream, WebSocketError } = globalThis as unknown as Record<string, unknown>;
      const url = (path: string): string =>
        `${base}${path}${path.includes('?') ? '&' : '?'}id=chromium${encodeURIComponent(scenario)}`;
      return module.runScenario(scenario, { WebSocketStream, WebSocketError, url });
    },
    { code: source, scenario: name, base: `ws://127.0.0.1:${peer.port}/` },
  );
  return withPeer(`chromium${name}`, lines);
}

test.each(Object.keys(SCENARIOS))(
  '%s',
  async (name) => {
    let theirs = await inChromium(name);
    for (const [said, expected] of DIFFERENCES[name] ?? []) {
      expect(theirs).toContain(said);
      theirs = theirs.map((line) => (line === said ? expected : line));
    }
    expect(await withPeer(`ours${name}`, ours[name] ?? [])).toEqual(theirs);
    expect(theirs.length).toBeGreaterThan(0);
  },
  15_000,
);
