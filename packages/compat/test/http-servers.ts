import { createServer, type Server as HttpServer } from 'node:http';
import { WebSocketServer, type ServerOptions } from '@ws/server';
import { atEnd, portOf, startHttp } from '@ws/testing/peer';

/** An http server with a page. */
export const startPages = (): Promise<HttpServer> =>
  startHttp(createServer((_request, response) => void response.end('page')));

/** A server of the core on an http server of its own. */
export async function startCore(
  options: ServerOptions = {},
  setUp?: (server: WebSocketServer) => unknown,
): Promise<{ server: WebSocketServer; port: number }> {
  const http = await startPages();
  const server = new WebSocketServer({ server: http, ...options });
  setUp?.(server);
  atEnd(() => {
    for (const socket of server.clients) socket.terminate();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return { server, port: portOf(http) };
}
