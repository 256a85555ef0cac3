// The server under test: checks what comes, answers every message with one of its own, and tells how each connection ended.
import { WebSocketServer } from '@ws/server';
import { End } from '../lib/end.mjs';
import { footing, Held, watchStalls } from '../lib/leaks.mjs';
import { Checker, messageOf } from '../lib/messages.mjs';
import { leak, spoiler } from '../lib/sabotage.mjs';
import { endingOf, idOf, serverReading } from '../lib/scenario.mjs';

/** @typedef {import('../lib/scenario.mjs').Settings} Settings */

const held = new Held();
const stalls = watchStalls();
let accepted = 0;
let open = 0;
/** Of all connections that have ended. */
const totals = { messagesReceived: 0, messagesSent: 0, bytesReceived: 0, bytesSent: 0 };
/** @type {Record<string, Record<string, number>>} */
const closed = {};
/** @type {WebSocketServer | undefined} */
let server;

/** @param {object} message */
const tell = (message) => void process.send?.(message, () => undefined); // who asked may be gone

process.on('message', (/** @type {any} */ { type, settings, sabotage }) => {
  if (type === 'start') start(settings, sabotage);
  if (type === 'footing') void footing(held).then((value) => tell({ type, footing: value }));
  if (type === 'report') tell({ type, open, stalls, accepted, totals, closed, metrics: server?.metrics() });
});
process.on('disconnect', () => process.exit());

/** @param {Settings} settings @param {import('../lib/sabotage.mjs').Sabotage | undefined} sabotage */
function start(settings, sabotage) {
  const { interval, timeout, closeTimeout, handshakeTimeout } = settings.times;
  const made = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    backlog: 2048,
    heartbeat: sabotage === 'no-heartbeat' ? false : { interval, timeout },
    closeTimeout,
    handshakeTimeout,
    perMessageDeflate: { serverNoContextTakeover: 'as-offered', clientNoContextTakeover: false, threshold: 256 },
  });
  server = made;
  made.on('connection', (socket, request) => {
    const id = idOf(request.url ?? '');
    accepted++;
    open++;
    held.add(socket);
    leak(sabotage, socket);
    socket.once('close', (_code, _reason, info) => count(socket.stats, info));
    if (id === undefined) return socket.close(4101); // its path was damaged on the way
    serve(settings, sabotage, socket, id);
  });
  made.on('listening', () => {
    const address = made.address();
    tell({ type: 'ready', port: typeof address === 'object' ? address?.port : 0 });
  });
}

/** @param {Settings} settings @param {import('../lib/sabotage.mjs').Sabotage | undefined} sabotage @param {import('@ws/server').WebSocket} socket @param {number} id */
function serve(settings, sabotage, socket, id) {
  const { seed, largest } = settings;
  const ending = endingOf(settings, id);
  const spoil = spoiler(sabotage);
  let replies = 0;
  const answer = () => {
    for (const reply of spoil(messageOf(seed, id, 'down', replies++, largest))) end.send(reply);
  };
  const end = new End(socket, id, new Checker(seed, id, 'up', largest), answer, (record) => {
    tell({ type: 'server', record });
  });
  end.opened();
  end.read(serverReading(settings, id));
  const timer = setTimeout(() => {
    if (ending.by === 'server' && ending.how === 'close') end.close(ending.code);
    else if (ending.by === 'server') end.terminate();
  }, ending.afterMs);
  socket.once('close', () => clearTimeout(timer));
}

/** @param {import('@ws/server').SocketStats} stats @param {import('@ws/server').CloseInfo} info */
function count(stats, { initiator, sent, received }) {
  open--;
  for (const name of /** @type {(keyof typeof totals)[]} */ (Object.keys(totals))) totals[name] += stats[name];
  const codes = (closed[initiator] ??= {});
  const code = (initiator === 'remote' ? received : sent)?.code ?? 1006; // of the initiator's Close frame
  codes[code] = (codes[code] ?? 0) + 1;
}
