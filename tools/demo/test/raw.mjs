// Requests byte for byte, where a client library would tidy them up.
import { connect } from 'node:net';

/**
 * @param {string} url of the page
 * @param {string} text
 * @returns {Promise<string>} all that came until the server closed
 */
export function exchange(url, text) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.end(text, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1');
    socket.on('data', (/** @type {string} */ data) => (answer += data));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
  });
}

/**
 * @param {string} url of the page
 * @param {string} path
 * @param {string} [more] header lines
 */
export function upgradeText(url, path, more = '') {
  const { host } = new URL(url);
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${more}\r\n`
  );
}

/**
 * A WebSocket peer that never answers anything: neither a ping nor a close frame.
 * @param {string} url of the page
 * @param {string} path
 */
export function connectMute(url, path) {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  let bytes = Buffer.alloc(0);
  /** @type {Promise<Buffer>} all bytes behind the head of the handshake */
  const received = new Promise((resolve) => {
    socket.on('close', () => resolve(bytes.subarray(bytes.indexOf('\r\n\r\n') + 4)));
  });
  socket.on('error', () => {}); // cut off, as it deserves
  /** @type {Promise<void>} */
  const open = new Promise((resolve, reject) => {
    socket.on('data', (data) => {
      bytes = Buffer.concat([bytes, data]);
      if (!bytes.includes('\r\n\r\n')) return;
      if (bytes.subarray(0, 12).equals(Buffer.from('HTTP/1.1 101'))) resolve();
      else reject(new Error(bytes.toString('latin1')));
    });
  });
  socket.write(upgradeText(url, path));
  return { socket, open, received };
}
