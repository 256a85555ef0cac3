// Sends known bytes, and compares what comes back. Between the two nothing is kept: what is generated is generated when there is room for it.
import { Readable, pipeline } from 'node:stream';
import { answerParent } from '../servers/control.mjs';
import { Content } from './content.mjs';

/** @typedef {import('../lib/streams.mjs').StreamTask} StreamTask */

const task = /** @type {StreamTask} */ (JSON.parse(process.argv[2] ?? '{}'));
const { bytes, chunk, perMessageDeflate } = task;
const address = `ws://127.0.0.1:${task.port}`;
const UNLIMITED = { maxPayload: 0, maxFragments: 0, maxBufferedChunks: 0 };
const content = new Content(task.content);

let generated = 0;
let received = 0;
let messages = 0;
let pieces = 0;
/** @type {{ stop: () => void, goOn: () => void } | undefined} what reads, where it can pause */
let reader;
let { pauseAt = Infinity } = task;

/** @param {unknown} error */
function fail(error) {
  process.send?.({ failed: error instanceof Error ? String(error.stack) : String(error) });
}

/** @param {unknown} error of a pipeline */
const failIf = (error) => {
  if (error) fail(error);
};

/** The next bytes to send; undefined: that was all. */
function generate() {
  if (generated === bytes) return undefined;
  const next = content.at(generated, Math.min(chunk, bytes - generated));
  generated += next.length;
  return next;
}

const source = () =>
  new Readable({
    highWaterMark: chunk,
    read() {
      this.push(generate() ?? null);
    },
  });

/** @param {Buffer} piece */
function check(piece) {
  content.check(received, piece);
  received += piece.length;
  pieces++;
  if (received >= pauseAt) {
    pauseAt = Infinity;
    reader?.stop();
    process.send?.({ paused: true, generated, received });
  }
  if (received > bytes) fail(new Error(`${received} bytes came back of ${bytes}`));
}

/** All is back, compared. */
function finish() {
  if (received !== bytes) fail(new Error(`the message ended at ${received} bytes of ${bytes}`));
  else process.send?.({ finished: true, generated, received, messages, pieces });
}

/** @param {Readable} readable */
function read(readable) {
  reader = { stop: () => void readable.pause(), goOn: () => void readable.resume() };
  readable.on('data', check);
  readable.on('error', fail);
}

async function connectOurs() {
  const { createWebSocketStream, WebSocket } = await import('@ws/client');
  const incoming = task.mode === 'stream' ? 'stream' : 'buffer';
  const socket = new WebSocket(address, { ...UNLIMITED, incoming, perMessageDeflate });
  socket.on('error', fail);
  await new Promise((resolve) => socket.on('open', () => resolve(undefined)));
  if (task.mode === 'stream') {
    socket.on('incoming', (message) => {
      messages++;
      read(message);
      message.on('end', finish);
    });
    return () => pipeline(source(), socket.createOutgoing({ binary: true }), failIf);
  }
  if (task.mode === 'duplex') return () => useDuplex(createWebSocketStream(socket));
  reader = { stop: () => socket.pause(), goOn: () => socket.resume() };
  socket.on('message', (data) => {
    messages++;
    check(/** @type {Buffer} */ (data));
    if (received === bytes) finish();
  });
  const send = () => {
    for (let next = generate(); next !== undefined; next = generate()) if (!socket.send(next)) return;
  };
  socket.on('drain', send);
  return send;
}

async function connectWs() {
  const { createWebSocketStream, WebSocket } = await import('ws');
  const socket = new WebSocket(address, { maxPayload: 0, perMessageDeflate });
  socket.on('error', fail);
  await new Promise((resolve) => socket.on('open', () => resolve(undefined)));
  return () => useDuplex(createWebSocketStream(socket));
}

/** @param {import('node:stream').Duplex} duplex */
function useDuplex(duplex) {
  read(duplex);
  duplex.on('data', () => {
    if (received === bytes) finish();
  });
  source().pipe(duplex, { end: false }); // the end would close the connection before all of it is back
}

const start = task.library === 'ws' ? await connectWs() : await connectOurs();
process.on('message', (/** @type {string} */ command) => {
  if (command === 'start') start();
  else if (command === 'progress') process.send?.({ generated, received });
  else if (command === 'go-on') reader?.goOn();
});
answerParent();
process.send?.({ port: task.port });
