/** More load panels than this at once measure each other, not the server. */
const MAX_PANELS = 32;

/**
 * Sends every message back as it came. A peer that does not read what comes back is not read from either, so the
 * queue of one connection stays near the high-water mark.
 * @param {import('@ws/server').WebSocketServer} server
 */
export function serveEcho(server) {
  server.on('connection', (socket) => {
    socket.on('error', () => {}); // the close that follows says it all
    if (server.clients.size > MAX_PANELS) return socket.close(1013, 'too many load panels, try again later');
    socket.on('drain', () => socket.resume());
    socket.on('message', (data, isBinary) => {
      const message = /** @type {Buffer} */ (data); // as `binaryType` is not changed
      if (!socket.send(message, { binary: isBinary })) socket.pause();
    });
  });
}
