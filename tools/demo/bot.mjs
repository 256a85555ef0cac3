// A bot in the room, over a real connection like everybody else's.
import { WebSocket } from '@ws/client';
import { createReplies } from './replies.mjs';

const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 10_000;
/** Names greeted once; a reload is no reason to greet again. */
const MAX_GREETED = 500;

/**
 * @param {{ url: string, botKey: string, name?: string, log: (line: string) => void }} options
 * @returns {{ stop: () => void }}
 */
export function startBot({ url, botKey, name = 'Pip', log }) {
  const reply = createReplies(name);
  /** @type {Set<string>} */
  const greeted = new Set();
  let stopped = false;
  let retryMs = RETRY_FIRST_MS;
  /** @type {NodeJS.Timeout | undefined} */
  let retryTimer;
  let socket = connect();

  return {
    stop() {
      stopped = true;
      clearTimeout(retryTimer);
      socket.close(1001, 'the bot is going away');
    },
  };

  function connect() {
    const ws = new WebSocket(url, { handshakeTimeout: 5_000, maxPayload: 256 * 1024 });
    ws.on('open', () => ws.send(JSON.stringify({ type: 'join', name, key: botKey })));
    ws.on('message', (data, isBinary) => {
      if (!isBinary) hear(String(data));
    });
    ws.on('error', (error) => {
      if (!stopped) log(`bot: ${error.message}`);
    });
    ws.on('close', () => {
      if (stopped) return;
      retryTimer = setTimeout(() => (socket = connect()), retryMs);
      retryMs = Math.min(RETRY_LAST_MS, 2 * retryMs);
    });
    return ws;
  }

  /** @param {string} json from our own server, so it is what room.mjs says it is */
  function hear(json) {
    const message = JSON.parse(json);
    if (message.type === 'welcome') retryMs = RETRY_FIRST_MS;
    if (message.type === 'joined' && !message.who.bot) greet(message.who.name);
    if (message.type === 'said' && !message.from.bot) say(reply(message.text, message.from.name));
  }

  /** @param {string} who */
  function greet(who) {
    if (greeted.has(who) || greeted.size >= MAX_GREETED) return;
    greeted.add(who);
    say(`Welcome, ${who}! I am ${name}, a bot. Say hello, or try /help.`);
  }

  /** @param {string | undefined} text */
  function say(text) {
    if (text !== undefined && socket.readyState === socket.OPEN) socket.send(JSON.stringify({ type: 'say', text }));
  }
}
