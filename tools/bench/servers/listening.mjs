// What a server does that has not the API of `ws`: it listens on loopback and answers the parent.
import { answerParent } from './control.mjs';

export const MOST_BYTES = 100 * 1024 * 1024;

/** @param {import('node:net').Server} server */
export function listen(server) {
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
    process.send?.({ port });
  });
  answerParent();
}
