import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';

/**
 * For programs that have to be told their port: one of 127.0.0.1 that was free a moment ago, and none of those that the system gives to clients and to
 * whoever asks for any: another one may get such a one meanwhile, and who connects to it again and again, while nobody listens, is connected to itself one day.
 */
export async function freePort(): Promise<number> {
  const firstOfClients = parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1'), 10);
  const server = createServer();
  do server.listen(randomInt(1024, firstOfClients), '127.0.0.1');
  while (!(await once(server, 'listening').catch(() => undefined)));
  const { port } = server.address() as AddressInfo;
  await promisify(server.close.bind(server))();
  return port;
}
