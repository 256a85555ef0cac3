// A client with the browsers' WebSocket: undici's, or the one of the page that imports this file.
import { Conversation } from './conversation.mjs';

/** @typedef {import('./conversation.mjs').Outcome} Outcome */

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * @param {typeof globalThis.WebSocket} WebSocket
 * @param {string} url
 * @param {readonly import('./messages.mjs').Message[]} messages
 * @returns {Promise<Outcome>}
 */
export function converse(WebSocket, url, messages) {
  return new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.binaryType = 'arraybuffer';
    const conversation = new Conversation(messages, ({ binary, bytes }) =>
      socket.send(binary ? bytes : decoder.decode(bytes)),
    );
    socket.onopen = () => conversation.start();
    socket.onmessage = ({ data }) => {
      const binary = typeof data !== 'string';
      conversation.receive(binary, binary ? new Uint8Array(data) : encoder.encode(data));
      if (conversation.isOver) socket.close(1000);
    };
    socket.onclose = ({ code, wasClean }) => {
      const error = wasClean && code === 1000 ? {} : { error: `closed with ${code}${wasClean ? '' : ', not cleanly'}` };
      resolve({ ...conversation.outcome, ...error, extensions: socket.extensions });
    };
  });
}
