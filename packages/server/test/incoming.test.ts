import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { Incoming, type WebSocket } from '../src/index.js';
import { handshake, opened, peer, portOf, RawPeer, start } from './support.js';

const PIECE = 65_536;
const PIECES = 160;

test.each([
  { name: 'plain', perMessageDeflate: false },
  { name: 'compressed', perMessageDeflate: true },
])(
  'npm ws sends 10 MiB in fragments, $name: a stream that passes in little memory, at the pace of its reader',
  async ({ perMessageDeflate }) => {
    const server = await start({ incoming: 'stream', maxPayload: 0, perMessageDeflate });
    const connected = once(server, 'connection') as Promise<[WebSocket]>;
    const client = await opened(peer(portOf(server), '/', [], { perMessageDeflate }));
    const [socket] = await connected;
    const coming = once(socket, 'incoming') as Promise<[Incoming]>;
    const sent = createHash('sha256');
    for (let i = 0; i < PIECES; i++) {
      const piece = Buffer.alloc(PIECE, `${i} of ${PIECES} `);
      sent.update(piece);
      client.send(piece, { binary: true, fin: i === PIECES - 1, compress: perMessageDeflate });
    }
    const [message] = await coming;
    expect(message).toBeInstanceOf(Incoming);
    expect([message.isBinary, message.compressed]).toEqual([true, perMessageDeflate]);
    const received = createHash('sha256');
    let bytes = 0;
    let most = 0;
    for await (const chunk of message) {
      most = Math.max(most, message.readableLength + chunk.length);
      bytes += chunk.length;
      received.update(chunk);
      if (bytes % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect([bytes, received.digest('hex')]).toEqual([PIECES * PIECE, sent.digest('hex')]);
    expect(most).toBeLessThanOrEqual(4 * PIECE);
    client.close(1000);
    await once(socket, 'close');
  },
);

test('B-36 what a client streams is answered with nothing, not an empty frame even', async () => {
  const server = await start({ incoming: 'stream' });
  const texts: string[] = [];
  server.on('connection', (socket) =>
    socket.on('incoming', (message) => void message.text().then((text) => texts.push(text))),
  );
  const raw = new RawPeer(portOf(server)).write(handshake());
  await raw.until('\r\n\r\n');
  for (const frame of ['018100000000' + '61', '008100000000' + '62', '808000000000', '898000000000'])
    raw.write(Buffer.from(frame, 'hex'));
  await raw.until('\x8a\x00');
  while (texts.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(texts).toEqual(['ab']);
  expect(raw.received.split('\r\n\r\n')[1]).toBe('\x8a\x00');
});
