import { createServer } from 'node:http';
import { WebSocketServer, type ServerOptions } from '../src/index.js';
import { manage, portOf, start, startHttp } from './support.js';

/** The three ways to get at requests. */
export const MODES = ['port', 'server', 'noServer'] as const;
export type Mode = (typeof MODES)[number];

/** A server in one of them, and where it is. */
export async function startAs(
  mode: Mode,
  options: Partial<ServerOptions> = {},
): Promise<{ server: WebSocketServer; port: number }> {
  if (mode === 'port') {
    const server = await start(options);
    return { server, port: portOf(server) };
  }
  const http = await startHttp(createServer());
  if (mode === 'server')
    return { server: manage(new WebSocketServer({ server: http, ...options })), port: portOf(http) };
  const server = manage(new WebSocketServer({ noServer: true, ...options }));
  http.on('upgrade', (request, socket, head) => {
    server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client, request));
  });
  return { server, port: portOf(http) };
}
