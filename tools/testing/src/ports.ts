// Loaded before a program of a README (`node --import`), so that it runs as it stands: its fixed ports become free ones.
import { Server, Socket, type AddressInfo } from 'node:net';
import { collectGarbage } from './garbage.js';

type Listen = (this: Server, first: unknown, ...rest: unknown[]) => Server;
type Connect = (this: Socket, ...args: unknown[]) => Socket;

/** Port of the peer, in place of the one that the program connects to. */
const peerPort = Number(process.env['PROGRAM_PEER_PORT'] ?? 0);

const listen = Server.prototype.listen as Listen;
Server.prototype.listen = function (this: Server, first: unknown, ...rest: unknown[]) {
  this.once('listening', () => process.send?.({ port: (this.address() as AddressInfo).port }));
  const given = typeof first === 'object' ? first : {};
  return listen.call(this, { ...given, port: 0, host: '127.0.0.1' }, ...rest);
} as typeof Server.prototype.listen;

const connect = Socket.prototype.connect as Connect;
Socket.prototype.connect = function (this: Socket, ...args: unknown[]) {
  if (peerPort === 0) return connect.apply(this, args);
  const [first] = args;
  // Node's own functions hand over their arguments in one list, options first.
  if (!Array.isArray(first)) return connect.call(this, { ...(first as object), port: peerPort }, ...args.slice(1));
  first[0] = { ...(first[0] as object), port: peerPort };
  return connect.call(this, first);
};

process.on('message', () => {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  process.send?.({ kept: heapUsed + external });
});
process.channel?.unref();
