import type { IncomingMessage } from 'node:http';

/**
 * A request that a program made itself, from `headers` alone, as `injectWS` of @fastify/websocket does: `ws` reads no others, and asks for no Host.
 * The program's object stays as it is.
 */
export function withRawHeaders<Request extends IncomingMessage>(request: Request): Request {
  if (Array.isArray(request.rawHeaders)) return request;
  const headers: Record<string, undefined | number | string | string[]> = { host: 'localhost', ...request.headers };
  const rawHeaders = Object.entries(headers).flatMap(([name, values]) =>
    values === undefined ? [] : [values].flat().flatMap((value) => [name, String(value)]),
  );
  return Object.create(request, { rawHeaders: { value: rawHeaders } }) as Request;
}
