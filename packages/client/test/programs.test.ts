// The programs of the README, each as it stands there; the rows (A-…) say what must be seen.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:https';
import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { afterEach, expect, test } from '@jest/globals';
import { encodeClosePayload, encodeFrame, FrameParser, Opcode, type FrameHead } from '@ws/frame';
import { WebSocketServer as OurServer } from '@ws/server';
import { makeCertificate, Program, readmePrograms, stopPrograms } from '@ws/testing';
import { WebSocketServer, type WebSocket as Peer } from 'ws';
import { atEnd, listen, next, rawServer, switching, wsServer } from './peers.js';

const packageFolder = new URL('..', import.meta.url);
const blocks = readmePrograms(new URL('README.md', packageFolder), '## Programs');

afterEach(stopPrograms);

/** Starts the program under the sentence that begins so; `around` is added to it. */
function run(
  intro: string,
  peerPort: number,
  options: ConstructorParameters<typeof Program>[2] = {},
  around = '',
): Program {
  const found = blocks.filter((block) => block.intro.startsWith(intro));
  expect(found).toHaveLength(1);
  return new Program(packageFolder, (found[0]?.code ?? '') + around, { peerPort, ...options });
}

/** A server of ours, the built package, with all that a client of it did. */
async function ourServer(
  options: ConstructorParameters<typeof OurServer>[0],
): Promise<{ port: number; server: OurServer }> {
  const server = new OurServer({ port: 0, host: '127.0.0.1', ...options });
  atEnd(async () => {
    for (const client of server.clients) client.terminate();
    await server[Symbol.asyncDispose]();
  });
  await next(server, 'listening');
  return { port: (server.address() as { port: number }).port, server };
}

test('the programs', () => {
  expect(blocks.map(({ intro }) => intro)).toEqual([
    "With the members of a browser's WebSocket:",
    'All that a server says, in a loop that ends where the server ends it, and throws where the line breaks:',
    'Text, numbers, a message in parts, one that is not compressed, and the moment when they are with the operating system:',
    'A file of any length, as fast as the server takes it:',
    'Subprotocols, the best first:',
    'Who you are, in headers and by a certificate, over an agent of yours:',
    'Ctrl-C says goodbye, and waits half a second for the answer:',
  ]);
  for (const { code } of blocks) expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(20);
});

test('A-34 W3C members; onmessage replaces itself and no listener', async () => {
  const codes: number[] = [];
  const { port } = await wsServer({}, (peer) => {
    peer.on('message', (data) => peer.send(`${String(data)} yourself`));
    peer.on('close', (code) => codes.push(code));
  });
  const program = run('With the members', port);
  expect(await program.ended).toBe(0);
  expect(program.lines).toEqual(['hello yourself', '4000 enough true']);
  const twice = run(
    'With the members',
    port,
    {},
    `socket.on('message', (data, isBinary) => console.log('a listener', isBinary));
     socket.onmessage = ({ type, target }) => console.log(type, target === socket) ?? socket.close();`,
  );
  expect(await twice.ended).toBe(0);
  // An on… member keeps the place among the listeners that it was first set in.
  expect(twice.lines.slice(0, 2).sort()).toEqual(['a listener false', 'message true']);
  expect(twice.lines.slice(2)).toEqual(['1005  true']);
  expect(codes).toEqual([4000, 1005]);
});

test('A-34 onerror, where nobody listens', async () => {
  const program = run('With the members', 1);
  expect(await program.ended).toBe(0);
  expect(program.lines).toEqual([expect.stringContaining('ECONNREFUSED'), '1006  false']);
});

const closeFrame = encodeFrame({ opcode: Opcode.Close }, encodeClosePayload(1000));

test('A-11 A-23 what came in the packet of the 101 is read', async () => {
  const port = await rawServer(({ key, socket }) => {
    const greeting = encodeFrame({ opcode: Opcode.Text }, Buffer.from('welcome'));
    socket.end(Buffer.concat([Buffer.from(switching(key)), greeting, closeFrame]));
  });
  const program = run('All that a server says', port);
  expect(await program.ended).toBe(0);
  expect(program.lines).toEqual(['welcome', 'that was all']);
});

test('A-35 a line that breaks is no end', async () => {
  const { port } = await wsServer({}, (peer) => peer.send('one', () => peer.terminate()));
  const program = run('All that a server says', port);
  expect(await program.ended).toBe(0);
  expect(program.lines).toEqual(['one', 'WS_ERR_CLOSED']);
});

const FLOATS = Buffer.from(new Float32Array([0.5, 1, 2]).buffer).toString('hex');
const SENT = ['a text that is short', '', FLOATS, 'in parts', 'not compressed', 'the last'];
const seen = (data: unknown, isBinary: boolean): string => (data as Buffer).toString(isBinary ? 'hex' : 'utf8');

test.each([
  { what: 'npm ws', deflate: false },
  { what: 'npm ws with deflate', deflate: { threshold: 0 } },
])('A-32 all that was sent arrives, in order: $what', async ({ deflate }) => {
  const got: string[] = [];
  const { port } = await wsServer({ perMessageDeflate: deflate }, (peer) => {
    got.push(peer.extensions);
    peer.on('message', (data, isBinary) => got.push(seen(data, isBinary)));
  });
  const program = run('Text, numbers', port);
  expect(await program.ended).toBe(0);
  expect(program.output).toBe('all sent\n');
  expect(got).toEqual([deflate ? 'permessage-deflate' : '', ...SENT]);
});

test('A-32 all that was sent arrives, in order: our server, every message compressed in one context', async () => {
  const deflate = { threshold: 0, clientNoContextTakeover: false, serverNoContextTakeover: false };
  const { port, server } = await ourServer({ perMessageDeflate: deflate });
  const got: string[] = [];
  server.on('connection', (socket) => socket.on('message', (data, isBinary) => got.push(seen(data, isBinary))));
  expect(await run('Text, numbers', port).ended).toBe(0);
  expect(got).toEqual(SENT);
});

test('A-19 a file of 5 MiB goes out in frames of 512 KiB at least', async () => {
  const film = randomBytes(5 * 1024 * 1024 + 1);
  const heads: FrameHead[] = [];
  const hash = createHash('sha256');
  const port = await rawServer(({ key, socket }) => {
    let current: FrameHead | undefined;
    const parser = new FrameParser(
      { role: 'server' },
      {
        head(head) {
          current = head;
          if (head.opcode < 8) heads.push(head);
        },
        payload: (slice) => void (current!.opcode < 8 && hash.update(slice)),
        frameEnd: () => void (current!.opcode === Opcode.Close && socket.end(closeFrame)),
      },
    );
    socket.removeAllListeners('data').on('data', (chunk: Buffer) => parser.push(chunk));
    socket.write(switching(key));
  });
  const program = run('A file of any length', port, { files: { film } });
  expect(await program.ended).toBe(0);
  expect(heads.map(({ opcode, fin }) => [opcode, fin])).toEqual(
    heads.map((_, i) => [i === 0 ? Opcode.Binary : Opcode.Continuation, i === heads.length - 1]),
  );
  const lengths = heads.map(({ payloadLength }) => payloadLength);
  expect(lengths.slice(0, -1).every((length) => length >= 524_288)).toBe(true);
  expect(lengths.reduce((sum, length) => sum + length)).toBe(film.length);
  expect(hash.digest('hex')).toBe(createHash('sha256').update(film).digest('hex'));
  expect(program.output).toMatch(/^52430\d\d bytes sent\n$/);
});

test('A-20 A-29 what the server chooses is agreed; where it chooses none, or another, connecting fails', async () => {
  const choices: [() => string | false, string][] = [
    [() => 'b', 'we speak b'],
    [() => 'y', 'we speak y'],
    [() => false, 'WS_ERR_MISSING_SUBPROTOCOL'],
    [() => 'z', 'WS_ERR_INVALID_SUBPROTOCOL'],
  ];
  for (const [handleProtocols, output] of choices) {
    const { port } = await wsServer({ handleProtocols });
    const program = run('Subprotocols', port);
    expect(await program.ended).toBe(0);
    expect(program.lines).toEqual([output]);
  }
  for (const [protocols, output] of [
    [['a', 'b', 'c'], 'we speak b'],
    [undefined, 'we speak x'],
  ] as const) {
    const { port } = await ourServer({ protocols });
    const program = run('Subprotocols', port);
    expect(await program.ended).toBe(0);
    expect(program.lines).toEqual([output]);
  }
});

test('A-37 A-21 A-23 what it says of itself is in the request; an authority that nobody knows is an error', async () => {
  const { key, cert } = makeCertificate();
  const own = makeCertificate(['bot']);
  const server = createServer({ key, cert, requestCert: true, rejectUnauthorized: false });
  const wss = new WebSocketServer({ server });
  const connected = new Promise<[Peer, IncomingMessage]>((resolve) => {
    wss.on('connection', (peer, request) => resolve([peer, request]));
  });
  const port = await listen(server);
  const files = { 'ca.pem': cert, 'cert.pem': own.cert, 'key.pem': own.key };
  const program = run('Who you are', port, { files });
  const [peer, { headers, socket, url }] = await connected;
  expect(headers).toMatchObject({
    authorization: 'Bearer 2d8f',
    'x-client': 'bot',
    origin: 'https://app.example.com',
    host: 'feed.example.com',
    'sec-websocket-version': '13',
  });
  expect(url).toBe('/feed');
  const { raw } = (socket as TLSSocket).getPeerCertificate();
  expect(own.cert.replaceAll('\n', '')).toContain(raw.toString('base64'));
  peer.send('HI!!!', () => peer.close());
  expect(await program.ended).toBe(0);
  const stranger = run('Who you are', port, { files: { ...files, 'ca.pem': own.cert } });
  expect(await stranger.ended).toBe(0);
  expect([program.output, stranger.output]).toEqual(['HI!!!\n', 'DEPTH_ZERO_SELF_SIGNED_CERT\n']);
});

const CTRL_C = 'Ctrl-C';

test('A-35 close(4000, reason) is on both ends', async () => {
  const { port, server } = await wsServer();
  const program = run(CTRL_C, port);
  const [peer] = (await next(server, 'connection')) as [Peer];
  peer.ping();
  await next(peer, 'pong'); // it is open there too
  program.kill('SIGINT');
  const [code, reason] = (await next(peer, 'close')) as [number, Buffer];
  expect([code, reason.toString()]).toEqual([4000, 'interrupted']);
  expect(await program.ended).toBe(0);
  expect(program.lines).toEqual(['4000 interrupted local true']);
});

test('A-35 a peer that does not answer is given half a second; one that has not connected, none; a cut is 1006', async () => {
  let open = (): void => {};
  const isOpen = new Promise<void>((resolve) => (open = resolve));
  const mute = await rawServer(({ key, socket, received }) => {
    socket.write(Buffer.concat([Buffer.from(switching(key)), encodeFrame({ opcode: Opcode.Ping }, Buffer.of())]));
    void received(6).then(open);
  });
  const unanswered = run(CTRL_C, mute);
  await isOpen;
  const startedMs = performance.now();
  unanswered.kill('SIGINT');
  expect(await unanswered.ended).toBe(0);
  expect(performance.now() - startedMs).toBeGreaterThan(400);
  expect(unanswered.lines).toEqual(['1006  timeout false']);

  const connecting = run(CTRL_C, await rawServer(() => connecting.kill('SIGINT')));
  expect(await connecting.ended).toBe(0);
  expect(connecting.lines).toEqual(['WebSocket was closed before the connection was established', '1006  local false']);

  const { port } = await wsServer({}, (peer) => setTimeout(() => peer.terminate(), 50));
  const cut = run(CTRL_C, port);
  expect(await cut.ended).toBe(0);
  expect(cut.lines.at(-1)).toBe('1006  transport false');
});
