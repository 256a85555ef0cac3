// chrome-remote-interface drives a real Chromium over its WebSocket; the page in it talks to a WebSocketServer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHROMIUM_FLAGS, findChromium } from '../../chromium.mjs';
import { listen, stop } from './parts.mjs';

export const users = [['chrome-remote-interface']];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const CDP = cjs('chrome-remote-interface');
  const { WebSocketServer } = cjs('ws');
  const http = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<title>page</title>'),
  );
  const server = new WebSocketServer({ server: http, perMessageDeflate: { threshold: 100 } });
  const extensions = new Set();
  server.on('connection', (/** @type {any} */ socket) => {
    extensions.add(socket.extensions);
    socket.on('message', (/** @type {Buffer} */ data, /** @type {boolean} */ binary) => socket.send(data, { binary }));
  });
  const origin = `127.0.0.1:${await listen(http)}`;

  const profile = mkdtempSync(join(tmpdir(), 'drop-in-'));
  const chromium = spawn(
    findChromium() ?? 'chromium',
    [...CHROMIUM_FLAGS, '--headless', '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const ended = once(chromium, 'close'); // of its child processes too, which have its stderr
  try {
    const port = await debuggingPort(chromium.stderr);
    const client = await CDP({ host: '127.0.0.1', port, local: true });
    const evaluate = async (/** @type {string} */ expression) => {
      const { result, exceptionDetails } = await client.Runtime.evaluate({
        expression,
        awaitPromise: true,
        returnByValue: true,
      });
      return exceptionDetails === undefined ? result.value : exceptionDetails.exception.description.split('\n')[0];
    };
    await Promise.all([client.Page.enable(), client.Runtime.enable()]);
    const loaded = client.Page.loadEventFired();
    await client.Page.navigate({ url: `http://${origin}/` });
    await loaded;
    const logged = client.Runtime.consoleAPICalled();
    const title = await evaluate('console.log("größe"), document.title');
    const { args } = await logged;
    const sum = (await Promise.all(Array.from({ length: 50 }, (_, at) => evaluate(`${at} + 1`)))).reduce(
      (a, b) => a + b,
    );
    const long = (await evaluate('"x".repeat(3_000_000)')).length;
    const sent = await evaluate(`${JSON.stringify('y'.repeat(1_000_000))}.length`);
    const thrown = await evaluate('nothing.there');
    const unknown = await client.send('No.such').catch((/** @type {any} */ { response }) => response.code);
    const page = await evaluate(`(${String(inPage)})(${JSON.stringify(`ws://${origin}/`)})`);
    await client.close();

    const second = await CDP({ host: '127.0.0.1', port, local: true });
    const disconnected = once(second, 'disconnect');
    chromium.kill('SIGKILL');
    await disconnected;
    return { title, logged: args[0].value, sum, long, sent, thrown, unknown, page, extensions: [...extensions] };
  } finally {
    chromium.kill('SIGKILL');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 });
    await new Promise((resolve) => server.close(resolve));
    await stop(http);
  }
}

/** @param {import('node:stream').Readable} output */
async function debuggingPort(output) {
  for await (const line of createInterface({ input: output })) {
    const found = /DevTools listening on ws:\/\/[^:]+:(\d+)/.exec(line);
    if (found !== null) return Number(found[1]);
  }
  throw new Error('Chromium ended before it listened');
}

/** What the page does with its own WebSocket; its text goes there. @param {string} url */
async function inPage(url) {
  const socket = new WebSocket(url);
  socket.binaryType = 'arraybuffer';
  await new Promise((resolve) => (socket.onopen = resolve));
  const lengths = [];
  for (const data of ['text', 'größe'.repeat(20_000), new Uint8Array(200_000).fill(7)]) {
    const back = new Promise(
      (/** @type {(data: any) => void} */ resolve) => (socket.onmessage = (event) => resolve(event.data)),
    );
    socket.send(data);
    const received = await back;
    lengths.push(typeof received === 'string' ? received.length : received.byteLength);
  }
  socket.close(3000, 'done');
  const { code, reason, wasClean } = await new Promise(
    (/** @type {(event: CloseEvent) => void} */ resolve) => (socket.onclose = resolve),
  );
  return { lengths, extensions: socket.extensions, code, reason, wasClean };
}

export const expected = {
  title: 'page',
  logged: 'größe',
  sum: 1275,
  long: 3000000,
  sent: 1000000,
  thrown: 'ReferenceError: nothing is not defined',
  unknown: -32601,
  page: {
    lengths: [4, 100000, 200000],
    extensions: 'permessage-deflate',
    code: 3000,
    reason: 'done',
    wasClean: true,
  },
  extensions: ['permessage-deflate'],
};
