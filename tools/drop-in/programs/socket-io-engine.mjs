// socket.io as it is installed, with its own `ws`; only the server is handed another engine, by its option `wsEngine`.
import { openInstall } from '../install.mjs';
import { everyWay } from './socket-io.mjs';

/** Whose `ws` is the engine: the install's own. */
export const users = [[]];

/** @param {import('../install.mjs').Install} install */
export async function run({ cjs }) {
  const ws = cjs('ws').Server;
  const plain = await openInstall('with-ws');
  return everyWay({
    Server: plain.cjs('socket.io').Server,
    io: (await plain.esm('socket.io-client')).io,
    ws,
    engine: { wsEngine: ws },
  });
}

export { expected } from './socket-io.mjs';
