import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import fc from 'fast-check';
import type { ServerOptions } from '../src/index.js';
import { MODES, startAs, type Mode } from './modes.js';
import { handshake, RawPeer } from './support.js';

// Whatever clients and the user's code do, in whatever order: when all are gone, every limit is exactly what it was. A count that was left behind
// would keep somebody out here for ever, and one that was given back twice would let one too many in.

const CONNECTIONS = 4;
const PER_ADDRESS = 3;
const PENDING = 3;
const ADDRESSES = ['127.0.0.1', '127.0.0.2'];

/** What a client sends; the header says what `verifyClient` does with it. */
const REQUESTS = {
  nothing: '',
  half: handshake().slice(0, 60),
  plain: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  garbage: 'what?\r\n\r\n',
  malformed: handshake({ 'Sec-WebSocket-Key': 'x' }),
  foreign: handshake({ Origin: 'https://evil.example' }),
  ...Object.fromEntries(
    ['accept', 'refuse', 'throw', 'reject', 'later'].map((name) => [name, handshake({ 'X-Verify': name })]),
  ),
  'bad protocol': handshake({ 'X-Verify': 'accept', 'Sec-WebSocket-Protocol': 'b' }),
};

const begin = fc.record({
  act: fc.constant('begin' as const),
  request: fc.constantFrom(...Object.entries(REQUESTS)).map(([, text]) => text),
  address: fc.constantFrom(...ADDRESSES),
});
const other = fc.record({
  act: fc.constantFrom('reset', 'end', 'destroy', 'answer', 'deny', 'terminate', 'finish', 'turn', 'turn', 'wait'),
  which: fc.nat(),
});
const steps = fc.array(fc.oneof({ weight: 3, arbitrary: begin }, { weight: 4, arbitrary: other }), {
  minLength: 1,
  maxLength: 40,
});

test.each(MODES)('no counter is left behind, nor given back twice (%s)', async (mode) => {
  await fc.assert(
    fc.asyncProperty(steps, (list) => run(mode, list)),
    { numRuns: 60 },
  );
});

async function run(mode: Mode, list: typeof steps extends fc.Arbitrary<infer List> ? List : never): Promise<void> {
  const replies: ((accept: boolean) => void)[] = [];
  const verify = (name: unknown): boolean | Promise<boolean> => {
    if (name === 'throw') throw new Error('of the user');
    if (name === 'reject') return Promise.reject(new Error('of the user'));
    return name === 'later' ? new Promise((resolve) => replies.push(resolve)) : name !== 'refuse';
  };
  const options: Partial<ServerOptions> = {
    maxConnections: CONNECTIONS,
    maxConnectionsPerAddress: PER_ADDRESS,
    maxPending: PENDING,
    verifyClient: ({ req }) => verify(req.headers['x-verify']),
    handleProtocols: () => 'a',
  };
  const { server, port } = await startAs(mode, options);
  const raws: RawPeer[] = [];
  const pick = <Item>(items: Iterable<Item>, which: number): Item | undefined => {
    const all = [...items];
    return all[which % all.length];
  };
  for (const step of list) {
    if (step.act === 'begin') {
      raws.push(new RawPeer(port, step.address).write(step.request));
      continue;
    }
    const raw = pick(raws, step.which);
    if (step.act === 'reset' || step.act === 'destroy') cut(raw, step.act === 'reset');
    else if (step.act === 'end') raw?.socket.end();
    else if (step.act === 'answer') pick(replies, step.which)?.(true);
    else if (step.act === 'deny') pick(replies, step.which)?.(false);
    else if (step.act === 'terminate') pick(server.clients, step.which)?.terminate();
    else if (step.act === 'finish') pick(server.clients, step.which)?.close(1000);
    else if (step.act === 'turn') await new Promise(setImmediate);
    else if (raw?.socket.connecting) await Promise.race([once(raw.socket, 'connect'), raw.closed]);
  }
  raws.forEach((raw, at) => cut(raw, at % 2 === 0));
  await Promise.all(raws.map((raw) => raw.closed));
  await checkLimits(mode, port);
  for (const reply of replies) reply(true);
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
  const { connections, pending } = server.metrics();
  expect([connections, pending]).toEqual([0, 0]);
}

/** `resetAndDestroy` begins with a FIN, and where the peer's comes meanwhile Node leaves the socket open for ever: what it does afterwards is this. */
function cut(raw: RawPeer | undefined, byReset: boolean): void {
  if (!raw) return;
  const { socket } = raw;
  if (byReset && !socket.connecting && !socket.writableEnded) Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}

async function checkLimits(mode: Mode, port: number): Promise<void> {
  await checkPending(port, mode === 'port' ? '' : handshake({ 'X-Verify': 'later' }));
  const open: RawPeer[] = [];
  for (const [address, count] of [
    [ADDRESSES[0], PER_ADDRESS],
    [ADDRESSES[1], CONNECTIONS - PER_ADDRESS],
  ] as const) {
    for (let i = 0; i < count; i++) open.push(await admitted(port, address));
    const head = await answered(new RawPeer(port, address).write(handshake()));
    expect(head).toMatch(count === PER_ADDRESS ? /^HTTP\/1\.1 429 / : /^HTTP\/1\.1 503 /);
  }
  for (const { socket } of open) socket.destroy();
}

const answered = (raw: RawPeer): Promise<string> => Promise.race([raw.until('\r\n\r\n'), raw.closed]);

/** The server learns that somebody is gone a little later than we do. */
async function admitted(port: number, address: string | undefined): Promise<RawPeer> {
  for (;;) {
    const raw = new RawPeer(port, address).write(handshake());
    if ((await answered(raw)).includes(' 101 ')) return raw;
  }
}

/** Clients that wait, or are silent: as many as there are places stay, one more does not. */
async function checkPending(port: number, text: string): Promise<void> {
  for (;;) {
    const staying = Array.from({ length: PENDING + 1 }, (_, at) => new RawPeer(port, ADDRESSES[at % 2]).write(text));
    await Promise.race(staying.map(answered)); // 503, or 429 while somebody is still there who has gone
    const stayed = staying.filter(({ received }) => received === '');
    for (const { socket } of staying) socket.destroy();
    await Promise.all(staying.map((raw) => raw.closed));
    expect(stayed.length).toBeLessThanOrEqual(PENDING);
    if (stayed.length === PENDING) return;
  }
}
