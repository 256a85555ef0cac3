import { rawServer, switching, type RawRequest } from './peers.js';

export const redirectTo = (location: string, status = 302): string =>
  `HTTP/1.1 ${status} Elsewhere\r\nLocation: ${location}\r\nContent-Length: 3\r\n\r\nbye`;

/** A server that opens every connection and notes what arrived. */
export async function destination(path?: string): Promise<{ port: number; seen: RawRequest[] }> {
  const seen: RawRequest[] = [];
  const port = await rawServer((request) => {
    seen.push(request);
    request.socket.write(switching(request.key));
  }, path);
  return { port, seen };
}

export const SECRETS = {
  Authorization: 'Bearer secret',
  Cookie: 'session=secret',
  'Proxy-Authorization': 'Basic secret',
  'X-Other': 'kept',
};

/** Names of the headers that only the first host may have, and that arrived. */
export const leaked = ({ headers }: RawRequest): string[] =>
  ['authorization', 'cookie', 'proxy-authorization'].filter((name) => headers.has(name));
export const ALL = ['authorization', 'cookie', 'proxy-authorization'];
