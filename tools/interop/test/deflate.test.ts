import { afterAll, describe, expect, test } from '@jest/globals';
import { WebSocketServer, type ServerOptions } from 'ws';
import { cellsOf, FEW_CELLS, PEERS, spread, type Cell, type Negotiation, type PeerName } from '../deflate/cells.mjs';
import { digestOf, ours, serveWith, ws, type End, type Reply } from '../deflate/ends.mjs';
import { makeMessages } from '../deflate/messages.mjs';
import { Peers } from '../deflate/peers.mjs';
import { runCell } from '../deflate/run-cell.mjs';

const COUNT = 1000;
const peers = new Peers();
afterAll(() => peers.close());

// A peer that is not installed fails its cells, and says how to install it.
test.each(FEW_CELLS)(
  '1000 messages: $peer as $role, $id',
  async (cell) => {
    expect(await runCell(cell, { subject: ours, peer: await peers.get(cell.peer), seed: '1', count: COUNT })).toEqual(
      [],
    );
  },
  90_000,
);

test('every peer and role is among them', () => {
  const roles = Object.entries(PEERS).flatMap(([peer, { roles: all }]) => all.map((role) => `${peer}/${role}`));
  expect(new Set(FEW_CELLS.map(({ peer, role }) => `${peer}/${role}`))).toEqual(new Set(roles));
});

test('each peer has 196 cells in each role, no two alike, and those that are picked are among them', () => {
  for (const [peer, { roles }] of Object.entries(PEERS)) {
    for (const role of roles) {
      const cells = cellsOf(peer as PeerName, role);
      expect(new Set(cells.map(({ id }) => id)).size).toBe(7 * 7 * 4);
      const some = spread(cells, 28);
      expect(
        new Set(some.map(({ serverTakeover, clientTakeover }) => `${serverTakeover} ${clientTakeover}`)).size,
      ).toBe(4);
      expect([some.length, new Set(some.map(({ serverBits }) => serverBits)).size]).toEqual([28, 7]);
      expect(new Set(some.map(({ clientBits }) => clientBits)).size).toBe(7);
    }
  }
  const ids = new Set(FEW_CELLS.flatMap(({ peer, role }) => cellsOf(peer, role)).map(({ id }) => id));
  expect(FEW_CELLS.filter(({ id }) => !ids.has(id))).toEqual([]);
});

test('the messages are the same for the same seed, half of them text, within 8 MiB, beyond 65 535 bytes', () => {
  const messages = makeMessages('seed', COUNT);
  expect(digestOf(makeMessages('seed', COUNT))).toBe(digestOf(messages));
  expect(digestOf(makeMessages('other', COUNT))).not.toBe(digestOf(messages));
  const sizes = messages.map(({ bytes }) => bytes.length).sort((a, b) => a - b);
  expect(messages.filter(({ binary }) => binary)).toHaveLength(COUNT / 2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(8 * 1024 * 1024);
  expect([sizes[0], sizes.at(-1)! > 65_535]).toEqual([1, true]);
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  for (const { binary, bytes } of messages) if (!binary) expect(() => utf8.decode(bytes)).not.toThrow();
});

describe('the matrix sees', () => {
  const find = (id = 'ws/client/s9t/c15n/answer'): Cell => cellsOf('ws', 'client').find((cell) => cell.id === id)!;

  /** A server of `ws` that answers the message number 7 in another way. */
  const serverThat = (reply: Reply): End => ({ ...ws, serve: serveWith(WebSocketServer, {}, reply) });
  const onSeventh = (wrong: Reply): End =>
    serverThat((socket, data, binary, index) =>
      index === 7 ? wrong(socket, data, binary, index) : socket.send(data, { binary }),
    );
  let kept: () => void = () => undefined;

  /** Agrees on what the cell wants, and compresses with the widest window and takeover. */
  class LyingServer extends WebSocketServer {
    constructor(options: ServerOptions) {
      const asked = options.perMessageDeflate as Negotiation;
      super({
        ...options,
        perMessageDeflate: { ...asked, serverMaxWindowBits: 15, serverNoContextTakeover: false },
      });
      this.on('headers', (lines) => {
        const at = lines.findIndex((line) => line.startsWith('Sec-WebSocket-Extensions:'));
        const line = lines[at]!.replace(
          'server_max_window_bits=15',
          `server_max_window_bits=${asked.serverMaxWindowBits}`,
        );
        lines[at] = `${line}${asked.serverNoContextTakeover ? '; server_no_context_takeover' : ''}`;
      });
    }
  }
  const lying: End = { ...ws, serve: serveWith(LyingServer) };

  const FAULTS: readonly { name: string; id?: string; subject: End; problem: RegExp }[] = [
    {
      name: 'a window wider than agreed',
      id: 'ws/client/s9t/c14t/answer',
      subject: lying,
      problem: /^client: .*invalid distance/,
    },
    {
      name: 'takeover where none was agreed',
      id: 'ws/client/s15n/c14n/answer',
      subject: lying,
      problem: /^client: .*invalid distance/,
    },
    {
      name: 'a changed byte',
      subject: onSeventh((socket, data, binary) => {
        socket.send(Buffer.concat([Buffer.of((data[0] ?? 0) ^ 1), data.subarray(1)]), { binary });
      }),
      problem: /^message 7: .* different from byte 0$/,
    },
    {
      name: 'another order',
      subject: serverThat((socket, data, binary, index) => {
        const send = (): void => socket.send(data, { binary });
        if (index === 7) return void (kept = send);
        send();
        if (index === 8) kept();
      }),
      problem: /^message 7: /,
    },
    {
      name: 'the other kind of message',
      subject: onSeventh((socket, data, binary) => socket.send(data, { binary: !binary })),
      problem: /^message 7: (binary .* text|text .* binary) of/,
    },
    {
      name: 'a connection that is cut',
      subject: onSeventh((socket) => socket.terminate()),
      problem: /^client: closed with 1006$/,
    },
    {
      name: 'messages that are not compressed',
      subject: serverThat((socket, data, binary) => socket.send(data, { binary, compress: false })),
      problem: /^the server sent \d+ of \d+ large texts as they are/,
    },
    {
      name: 'other parameters',
      subject: {
        ...ws,
        serve: (task) => ws.serve({ ...task, options: { ...task.options, serverMaxWindowBits: 10 } }),
      },
      problem: /^agreed on server 10 takeover, client 15 instead of server 9 takeover, client 15$/,
    },
    {
      name: 'an extension that is not agreed on',
      subject: { ...ws, serve: serveWith(WebSocketServer, { perMessageDeflate: false }) },
      problem: /^agreed on no permessage-deflate/,
    },
    {
      name: 'a handshake that fails',
      subject: { ...ws, serve: serveWith(WebSocketServer, { verifyClient: () => false }) },
      problem: /^no connection$/,
    },
  ];

  test.each(FAULTS)('$name', async ({ id, subject, problem }) => {
    const cell = find(id);
    const run = { subject, peer: ws, seed: '1', count: 40 };
    expect(await runCell(cell, { ...run, subject: ws })).toEqual([]);
    expect(await runCell(cell, run)).toContainEqual(expect.stringMatching(problem));
  });
});
