// The programs of the README, each as it stands there; the rows (A-…) say what must be seen.
import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { get } from 'node:http';
import { encodeFrame, Opcode } from '@ws/frame';
import { makeCertificate } from '@ws/testing';
import { WebSocket as PeerSocket } from 'ws';
import { blocks, inbox, run } from './programs.js';
import { closeLater, handshake, opened, parseAnswer, peer, RawPeer, refused, shake } from './support.js';

const frame = (opcode: Opcode, payload: string | Uint8Array, maskingKey?: number): Uint8Array =>
  encodeFrame({ opcode, ...(maskingKey === undefined ? {} : { maskingKey }) }, Buffer.from(payload));

const PRINTER = 'All that happens';

test('the programs', () => {
  expect(blocks.map(({ intro }) => intro)).toEqual([
    'All that happens on a connection, printed; text comes back in capitals:',
    'Over TLS, with a certificate of yours:',
    'Beside pages, several on one http server:',
    'The same where you decide who gets a request:',
    'Admission by a token that is looked up, and a cookie for who is let in:',
    'No more than four at a time:',
    'Subprotocols:',
    'Uploads of any length go to disk as they come:',
    'Whole messages, read no faster than the disk writes:',
    'A stop that leaves nobody alone in mid-sentence:',
    'A chat: who comes says a name first:',
    'All that comes on stdin, as it comes, is one message to those who are there when it begins:',
    'Messages of any length pass to everybody as they come, from several clients at a time:',
  ]);
  for (const { code } of blocks) expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
});

test('A-17 A-11 A-12 A-15 screams back, greets, answers a ping first; each line is printed once, in order', async () => {
  const program = run(PRINTER);
  const client = peer(await program.port);
  const { until } = inbox(client);
  await opened(client);
  client.send('hi');
  client.send(Buffer.of(1, 2));
  client.ping('x');
  expect(await until(5)).toEqual(['speak up', 'HI!!!', 'binary 0102', 'pong x', 'still here']);
  client.close(1000);
  await program.until('left');
  expect(program.lines).toEqual(['0 is here', '0 sent hi', '0 sent <Buffer 01 02>', '0 left with 1000']);
});

test('A-11 A-23 the greeting is there with the 101, whatever the peer sent with its request', async () => {
  const raw = new RawPeer(await run(PRINTER).port);
  raw.socket.write(Buffer.concat([Buffer.from(handshake()), frame(Opcode.Text, 'early', 7)]));
  await raw.until('EARLY!!!');
  const { status, body } = parseAnswer(raw.received);
  expect([status, body]).toEqual([101, '\x81\x08speak up\x81\x08EARLY!!!']);
});

test('A-23 a handshake that lacks a header is answered and closed', async () => {
  const { status } = await shake(await run(PRINTER).port, handshake({ 'Sec-WebSocket-Key': undefined }));
  expect(status).toBe(400);
});

test('A-13 each way to leave has its code, each connection its number', async () => {
  const program = run(PRINTER);
  const port = await program.port;
  const leave: ((client: PeerSocket) => void)[] = [
    (client) => client.close(1000),
    (client) => client.close(4001),
    (client) => client.close(),
    (client) => client.terminate(),
  ];
  for (const [i, act] of leave.entries()) {
    act(await opened(peer(port)));
    await program.until(`${i} left`);
  }
  const left = program.lines.filter((line) => line.includes('left'));
  expect(left).toEqual(['0 left with 1000', '1 left with 4001', '2 left with 1005', '3 left with 1006']);
});

test('A-14 each fault ends in its code, and in no other connection', async () => {
  const program = run(PRINTER);
  const port = await program.port;
  const other = peer(port);
  const { until } = inbox(other);
  await until(1);
  const faults: [Uint8Array, number, string][] = [
    [frame(Opcode.Text, 'unmasked'), 1002, 'WS_ERR_EXPECTED_MASK'],
    [frame(Opcode.Text, Buffer.of(0xff), 1), 1007, 'WS_ERR_INVALID_UTF8'],
    [frame(Opcode.Binary, Buffer.alloc(65_537), 1), 1009, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
  ];
  for (const [i, [bytes, closeCode, error]] of faults.entries()) {
    const raw = new RawPeer(port).write(handshake());
    await raw.until('speak up');
    const received = (await raw.write(bytes).closed).split('speak up')[1] ?? '';
    expect([received[0], Buffer.from(received, 'latin1').readUInt16BE(2)]).toEqual(['\x88', closeCode]);
    await program.until(`${i + 1} left`);
    expect(program.lines.slice(-3)).toEqual([
      `${i + 1} is here`,
      `${i + 1} broke a rule: ${error}`,
      `${i + 1} left with 1006`,
    ]);
  }
  other.send('unharmed');
  expect((await until(2))[1]).toBe('UNHARMED!!!');
});

test('A-21 screams over TLS; a certificate that the client cannot check is an error there', async () => {
  const { key, cert } = makeCertificate(['127.0.0.1']);
  const program = run('Over TLS', { files: { 'key.pem': key, 'cert.pem': cert } });
  const port = await program.port;
  const client = new PeerSocket(`wss://127.0.0.1:${port}/`, { ca: cert });
  closeLater(() => client.terminate());
  await opened(client);
  client.send('hi');
  expect(String((await once(client, 'message'))[0])).toBe('HI!!!');
  const stranger = new PeerSocket(`wss://127.0.0.1:${port}/`);
  const [error] = await once(stranger, 'error');
  expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  expect([program.isRunning, program.output]).toEqual([true, '']);
});

test('A-09 each path has its server, pages are served, an unknown path is refused', async () => {
  const port = await run('Beside pages').port;
  for (const path of ['/chat', '/news', '/news?query']) {
    const { until } = inbox(peer(port, path));
    expect(await until(1)).toEqual([`this is ${path.split('?')[0]}`]);
  }
  const [page] = await once(get({ port, host: '127.0.0.1', path: '/chat' }), 'response');
  expect(await new Response(page).text()).toBe('a page');
  expect((await refused(peer(port, '/'))).status).toBe(400); // as ws 8
});

test('A-30 the same by an upgrade handler; an open connection is handed over, and no listener is left behind', async () => {
  const program = run(
    'The same where',
    {},
    `chat.handleUpgrade = function (request, socket, head, callback) {
       WebSocketServer.prototype.handleUpgrade.call(this, request, socket, head, (client) => {
         console.log(client.readyState, http.listenerCount('upgrade'), chat.listenerCount('connection'));
         client.on('close', () => console.log(['error', 'close', 'end', 'data'].map((name) => socket.listenerCount(name)).join()));
         callback(client, request);
       });
     };`,
  );
  const port = await program.port;
  for (const path of ['/chat', '/news', '/chat']) {
    const client = peer(port, path);
    const { until } = inbox(client);
    expect(await until(1)).toEqual([`this is ${path}`]);
    client.close();
    await once(client, 'close');
  }
  expect((await refused(peer(port, '/elsewhere'))).status).toBe(404);
  expect(program.lines.filter((_, i) => i % 2 === 0)).toEqual(['1 1 0', '1 1 0']);
  expect(program.lines[1]).toBe(program.lines[3]);
});

test('A-28 A-31 who is known gets in and has a cookie, who is not gets 403', async () => {
  const program = run('Admission');
  const port = await program.port;
  const client = peer(port, '/', [], { headers: { Authorization: 'Bearer 2d8f' } });
  const { until } = inbox(client);
  const [response] = await once(client, 'upgrade');
  expect(response.headers['set-cookie']).toEqual(['a=b']);
  expect(await until(1)).toEqual(['hello, Ann']);
  const { status, phrase } = await refused(peer(port));
  expect([status, phrase]).toEqual([403, 'No']);
  const gone = new RawPeer(port).write(handshake());
  gone.socket.destroy();
  await gone.closed;
  expect([program.isRunning, program.output]).toEqual([true, '']);
});

test('A-31 a line that would be two is refused, with 500', async () => {
  const program = run('Admission', {}, `server.on('headers', (headers) => headers.push('X: a\\r\\nY: b'));`);
  const headers = { Authorization: 'Bearer 2d8f' };
  expect((await refused(peer(await program.port, '/', [], { headers }))).status).toBe(500);
  expect([program.isRunning, program.output]).toEqual([true, '']);
});

test('A-07 B-27 four are in and stay in, the fifth gets 503; one leaves, and the next is in', async () => {
  const program = run('No more than four');
  const port = await program.port;
  const five = Array.from({ length: 5 }, () => peer(port));
  const outcomes = await Promise.allSettled(
    five.map((client) =>
      Promise.race([
        opened(client),
        refused(client).then(({ status, headers }) =>
          Promise.reject(new Error(`${status} ${headers['retry-after'] as string}`)),
        ),
      ]),
    ),
  );
  const reasons = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [(outcome.reason as Error).message] : [],
  );
  expect(reasons).toEqual(['503 5']);
  const inside = five.filter((client) => client.readyState === PeerSocket.OPEN);
  expect(inside).toHaveLength(4);
  inside[0]?.close();
  await once(inside[0]!, 'close');
  await opened(peer(port));
  expect((await refused(peer(port))).status).toBe(503);
  expect(inside.slice(1).map(({ readyState }) => readyState)).toEqual([1, 1, 1]);
  expect([program.isRunning, program.output]).toEqual([true, '']);
});

test('A-20 A-29 the first of the client that the server speaks is agreed; none, and the client is told so', async () => {
  const program = run('Subprotocols');
  const port = await program.port;
  expect((await opened(peer(port))).protocol).toBe('');
  expect((await opened(peer(port, '/', ['x', 'y', 'b', 'a']))).protocol).toBe('b');
  const [error] = await once(peer(port, '/', ['x']), 'error');
  expect(error.message).toBe('Server sent no subprotocol');
  await program.until('of x:');
  expect(program.lines).toEqual(['of none: none', 'of x,y,b,a: b', 'of x: none']);
});
