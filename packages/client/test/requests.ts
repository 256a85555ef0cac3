import { WebSocket, type ClientOptions } from '../src/index.js';
import { opened, rawServer, switching, type RawRequest } from './peers.js';

/** Connects, and gives the request as it arrived. */
export async function requestOf(
  make: (port: number) => WebSocket,
  answer: (request: RawRequest) => string = ({ key }) => switching(key),
): Promise<RawRequest> {
  let seen: RawRequest | undefined;
  const port = await rawServer((request) => {
    seen = request;
    request.socket.write(answer(request));
  });
  await opened(make(port));
  if (seen === undefined) throw new Error('no request was seen');
  return seen;
}

export const withOptions = (options: ClientOptions): Promise<RawRequest> =>
  requestOf((port) => new WebSocket(`ws://127.0.0.1:${port}/`, options));

/** Connects to a server that does as told. */
export const connectTo = async (
  onRequest: (request: RawRequest) => void,
  options: ClientOptions & { protocols?: string[] } = {},
): Promise<WebSocket> => {
  const port = await rawServer(onRequest);
  const { protocols = [], ...rest } = options;
  return new WebSocket(`ws://127.0.0.1:${port}/`, protocols, rest);
};
