// What the page says of TLS in several processes: who comes back to another one resumes its session where all have the same keys.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import { connect } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocketServer } from '@ws/server';
import { makeCertificate } from '@ws/testing';

/** @type {(() => unknown)[]} */
const started = [];
afterEach(async () => {
  for (const stop of started.splice(0).toReversed()) await stop();
});

const certificate = makeCertificate();

/** @param {import('node:https').ServerOptions} options */
async function serve(options) {
  const https = createServer({ ...certificate, ...options }).listen(0, '127.0.0.1');
  started.push(() => https.close());
  const server = new WebSocketServer({ server: https });
  started.push(() => server[Symbol.asyncDispose]());
  await once(https, 'listening');
  return /** @type {import('node:net').AddressInfo} */ (https.address()).port;
}

/** A connection that is upgraded, and the ticket that it gets. @param {number} port @param {Uint8Array} [session] */
async function visit(port, session) {
  const given = session === undefined ? {} : { session: Buffer.from(session) };
  const socket = connect({ port, host: '127.0.0.1', ca: certificate.cert, ...given });
  const ticket = once(socket, 'session');
  const head = ['GET / HTTP/1.1', 'Host: localhost', 'Upgrade: websocket', 'Connection: Upgrade'];
  const key = ['Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  socket.write([...head, ...key, '\r\n'].join('\r\n'));
  expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 101 /);
  const isResumed = socket.isSessionReused();
  const [next] = isResumed ? [session] : await ticket;
  socket.destroy();
  return { isResumed, ticket: next };
}

test.each([
  { keys: 'the same keys', options: [{ ticketKeys: randomBytes(48) }], isResumed: true },
  { keys: 'keys of their own', options: [{}, {}], isResumed: false },
])('two servers with $keys', async ({ options: [first = {}, second = first], isResumed }) => {
  const [one, other] = await Promise.all([serve(first), serve(second)]);
  const { ticket } = await visit(one);
  expect(await visit(one, ticket)).toMatchObject({ isResumed: true });
  expect(await visit(other, ticket)).toMatchObject({ isResumed });
});
