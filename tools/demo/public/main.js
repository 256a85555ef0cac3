import { openChat } from './chat.js';
import { openLoadPanel } from './load-panel.js';

/** @param {string} path */
function socketUrl(path) {
  const url = new URL(path, location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

openChat(socketUrl('/chat'));
openLoadPanel(socketUrl('/echo'));
