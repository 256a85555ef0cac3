// A server of npm `ws` for the scenarios; tells how each connection ended.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

/** Serves an empty page, and WebSockets that do what their path says. */
export async function startPeer() {
  /** @type {Map<string, { lines: string[], ended: Promise<unknown> }>} */
  const logs = new Map();
  const http = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end('<!doctype html><title>WebSocketStream</title>');
  });
  const server = new WebSocketServer({
    noServer: true,
    handleProtocols: (protocols) => ['a', 'b'].find((name) => protocols.has(name)) ?? false,
  });
  http.on('upgrade', (request, socket, head) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    socket.on('error', () => undefined);
    if (pathname === '/hang') return;
    if (pathname === '/refuse') return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
    server.handleUpgrade(request, socket, head, (peer) => {
      const lines = /** @type {string[]} */ ([]);
      logs.set(searchParams.get('id') ?? '', { lines, ended: once(peer, 'close') });
      peer.on('error', () => undefined);
      peer.on('message', (data, isBinary) => {
        lines.push(`message ${isBinary ? data.toString('hex') : JSON.stringify(String(data))}`);
        peer.send(data, { binary: isBinary });
      });
      peer.on('close', (code, reason) => lines.push(`close ${code} ${String(reason)}`));
      for (const text of searchParams.getAll('say')) peer.send(text);
      if (pathname === '/close') {
        const code = searchParams.get('code');
        peer.close(code === null ? undefined : Number(code), searchParams.get('reason') ?? '');
      }
      if (pathname === '/cut') setTimeout(() => peer.terminate(), 20);
      if (pathname === '/broken') socket.write(Buffer.from('8300', 'hex'));
    });
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());
  return {
    port,
    /**
     * What the connection with this id did; waits for its end.
     * @param {string} id
     */
    async log(id) {
      const log = logs.get(id);
      await log?.ended;
      return log?.lines ?? [];
    },
    async close() {
      for (const peer of server.clients) peer.terminate();
      http.closeAllConnections();
      http.close();
    },
  };
}
