import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureVersion, type TLSSocket } from 'node:tls';
import { afterEach } from '@jest/globals';
import { makeCertificate } from '@ws/testing';

export const certificate = makeCertificate();

const open: TLSSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.destroy();
});

/** Two TLSSockets that are connected to each other, until the test ends. */
export async function tlsPair(maxVersion: SecureVersion = 'TLSv1.3'): Promise<[near: TLSSocket, far: TLSSocket]> {
  const server = createServer({ ...certificate, maxVersion }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const near = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', rejectUnauthorized: false });
  const [[far]] = (await Promise.all([once(server, 'secureConnection'), once(near, 'secureConnect')])) as [
    [TLSSocket],
    unknown,
  ];
  server.close();
  open.push(near, far);
  return [near, far];
}
