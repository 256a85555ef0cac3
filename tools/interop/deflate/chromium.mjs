// Chromium as a client: a page that has the conversation by itself and tells what it saw.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { chromium } from 'playwright-core';
import { CHROMIUM_FLAGS, findChromium } from '../../chromium.mjs';

/** What the page loads. */
const FILES = ['conversation.mjs', 'messages.mjs', 'web-client.mjs'];

/** @returns {Promise<import('./ends.mjs').End>} @throws where there is no Chromium */
export async function startChromium() {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error('Chromium is missing: apt-get install chromium, or set CHROMIUM_PATH');
  }
  const files = createServer((request, response) => {
    const name = FILES.find((file) => request.url === `/${file}`);
    response.setHeader('Content-Type', name === undefined ? 'text/html' : 'text/javascript');
    if (name === undefined) return void response.end('<!doctype html>');
    readFile(new URL(name, import.meta.url)).then(
      (text) => response.end(text),
      () => response.destroy(),
    );
  });
  files.listen(0, '127.0.0.1');
  await once(files, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (files.address());
  const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  return {
    converse: ({ url, seed, count }) => page.evaluate(conversePage, { url, seed, count }),
    async close() {
      await browser.close();
      files.closeAllConnections();
      await new Promise((resolve) => files.close(resolve));
    },
  };
}

/** Runs in the page. @param {{ url: string, seed: string, count: number }} task @returns {Promise<import('./conversation.mjs').Outcome>} */
async function conversePage({ url, seed, count }) {
  const [client, messages] = /** @type {[any, any]} */ (['/web-client.mjs', '/messages.mjs']);
  const { converse } = await import(client);
  const { makeMessages } = await import(messages);
  return converse(WebSocket, url, makeMessages(seed, count));
}
