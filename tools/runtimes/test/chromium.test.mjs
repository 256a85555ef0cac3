import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../chromium.mjs';
import { notice, serveFiles } from '../src/hosts.mjs';
import { expectedFrame, expectedHandshake, expectedNegotiation, expectedProtocol } from '../src/portable/expected.mjs';

const executablePath = findChromium();
if (executablePath === undefined)
  notice('Chromium is missing (apt-get install chromium, or set CHROMIUM_PATH): 3 tests were skipped');
// Without a browser there is nothing to test; the notice says so.
const browserTest = executablePath === undefined ? test.skip : test;

/** @type {import('playwright-core').Browser | undefined} */
let browser;
/** @type {import('node:http').Server | undefined} */
let server;
/** @type {Awaited<ReturnType<typeof import('../src/page/page.mjs').results>>} */
let results;

beforeAll(async () => {
  if (executablePath === undefined) return;
  server = await serveFiles();
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  const page = await browser.newPage();
  const errors = /** @type {string[]} */ ([]);
  page.on('pageerror', ({ message }) => errors.push(message));
  page.on('requestfailed', (request) => errors.push(request.url()));
  await page.goto(`http://127.0.0.1:${port}/src/page/index.html`);
  results = await page.evaluate(async () => (await import(/** @type {any} */ ('/src/page/page.mjs'))).results());
  expect(errors).toEqual([]);
}, 60_000);

afterAll(async () => {
  await browser?.close();
  if (server === undefined) return;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

const addressed = { frame: expectedFrame, handshake: expectedHandshake, negotiation: expectedNegotiation };
const expected = { ...addressed, protocol: expectedProtocol };

browserTest('a page, by an import map', () => {
  expect(results.page).toEqual(expected);
});

browserTest('a Web Worker, by address', () => {
  expect(results.worker).toEqual(addressed);
});

browserTest('a Web Worker, as a bundle', () => {
  expect(results.bundledWorker).toEqual(expected);
});
