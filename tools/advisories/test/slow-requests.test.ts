import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { launchServer, type ServerVictim } from './victims.js';
import { request, Wire } from './wire.js';

/** ms */
const PATIENCE = 400;
const ATTACKERS = 100;

/** What somebody sends who means to stay: all of it, or the beginning, of which the rest never comes. */
const HALVES: [name: string, text: string][] = [
  ['nothing', ''],
  ['a byte', 'G'],
  ['half a request line', 'GET /'],
  ['half a head', request().slice(0, 80)],
  ['all but the last byte', request().slice(0, -1)],
  ['a POST whose body never comes', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n'],
  ['a chunked body that never ends', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n'],
  ['a handshake with a body', request({ 'Content-Length': '1000000000' })],
  ['a handshake with half a chunked body', `${request({ 'Transfer-Encoding': 'chunked' })}ffff\r\n`],
  [
    'a body that is expected to be asked for',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n',
  ],
];

async function attackers(server: ServerVictim, count = ATTACKERS): Promise<Wire[]> {
  const wires = [];
  for (let i = 0; i < count; i++) wires.push(await Wire.dial(server.port));
  return wires;
}

/** Whoever asks in time is let in: on a busy machine that may not be the first one who means to. */
async function letsIn(server: ServerVictim): Promise<void> {
  for (;;) {
    const wire = (await Wire.dial(server.port)).write(request());
    const head = await wire.head().catch(() => undefined);
    wire.cut();
    if (head !== undefined) return expect(head.status).toBe(101);
  }
}

advisory('slow-requests', (check) => {
  for (const [name, text] of HALVES) {
    check(`${ATTACKERS} connections send ${name}: each of them is ended`, async () => {
      const server = await serverOf();
      const wires = await attackers(server);
      for (const wire of wires) if (text !== '') wire.write(text);
      await server.expectUnharmed();
      await Promise.all(wires.map((wire) => wire.over()));
      await letsIn(server);
    });
  }

  check('who sends a byte of a head now and then gets no more time', async () => {
    const server = await serverOf();
    const wires = await attackers(server, 20);
    const text = request({ 'X-Long': 'a'.repeat(8000) });
    let at = 0;
    const drip = setInterval(() => {
      for (const wire of wires) if (!wire.socket.destroyed) wire.write(text.charAt(at));
      at++;
    }, PATIENCE / 40);
    await Promise.all(wires.map((wire) => wire.over()));
    clearInterval(drip);
    expect(at).toBeLessThan(text.length);
  });

  check('plain requests one after the other on one connection: each is told, and none keeps it', async () => {
    const server = await launchServer();
    for (let i = 0; i < 20; i++) {
      const wire = await Wire.dial(server.port);
      wire.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(50));
      expect((await wire.head()).status).toBe(426);
      await wire.over();
    }
  });

  check(
    '`maxPending` silent connections, and one more: the newcomer has an answer, and the process its descriptors',
    async () => {
      const server = await launchServer({ options: { maxPending: 50, handshakeTimeout: 60_000 } });
      const wires = await attackers(server, 50);
      const head = await server.answerTo(request());
      expect([101, 503]).toContain(head.status);
      if (head.status === 503) expect(Number(head.headers.get('retry-after')?.[0])).toBeGreaterThan(0);
      for (const wire of wires) wire.cut();
      // Their places are free again.
      let { status } = await server.answerTo(request());
      while (status === 503) ({ status } = await server.answerTo(request()));
      expect(status).toBe(101);
    },
  );

  check('handshakes that wait for the program are ended as well', async () => {
    // Until they have asked it is the http server's time that runs, and there is enough of it.
    const server = await launchServer({
      way: 'http',
      options: { handshakeTimeout: PATIENCE },
      hooks: { verifyClient: 'never' },
    });
    const wires = await attackers(server, 20);
    const heads = await Promise.all(wires.map((wire) => wire.write(request()).head()));
    expect(new Set(heads.map(({ status }) => status))).toEqual(new Set([503]));
  });

  let shared: Promise<ServerVictim> | undefined;
  const serverOf = (): Promise<ServerVictim> => (shared ??= launchServer({ options: { handshakeTimeout: PATIENCE } }));
});
