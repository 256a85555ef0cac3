import type { IncomingMessage } from 'node:http';

/** Such a program may give a number. */
type Value = undefined | number | string | string[];

/**
 * A request that a program made itself, from `headers` alone, as `injectWS` of @fastify/websocket does: `ws` reads no others, and asks for no Host.
 * The program's object stays as it is.
 */
export function withRawHeaders<Request extends IncomingMessage>(request: Request): Request {
  if (Array.isArray(request.rawHeaders)) return request;
  const rawHeaders = Object.entries<Value>({ host: 'localhost', ...request.headers }).flatMap(([name, values = []]) =>
    [values].flat().flatMap((value) => [name, String(value)]),
  );
  return Object.create(request, { rawHeaders: { value: rawHeaders } }) as Request;
}
