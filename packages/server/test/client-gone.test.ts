import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { type ServerOptions } from '../src/index.js';
import { MODES, startAs } from './modes.js';
import { handshake, RawPeer } from './support.js';

const HANDSHAKE = handshake();

/** Where a client may go: what it sent, and who has not answered yet. */
const STEPS: [step: string, sent: string, slow: keyof ServerOptions | undefined][] = [
  ['before the first byte', '', undefined],
  ['in the middle of the request', HANDSHAKE.slice(0, 50), undefined],
  ['right behind the request', HANDSHAKE, undefined],
  ['while origins thinks', handshake({ Origin: 'https://a.example' }), 'origins'],
  ['while verifyClient thinks', HANDSHAKE, 'verifyClient'],
  ['while handleProtocols thinks', handshake({ 'Sec-WebSocket-Protocol': 'a' }), 'handleProtocols'],
];

test.each(MODES.flatMap((mode) => STEPS.map((step) => [mode, ...step] as const)))(
  'on %s, a client that goes %s leaves its places behind, by RST and by FIN',
  async (mode, _step, sent, slow) => {
    let leave: (() => void) | undefined;
    const asked = jest.fn();
    const late: (() => void)[] = [];
    /** Answers later while there is one who leaves, else at once. */
    const ask = <Answer>(name: string, value: Answer): Answer | Promise<Answer> => {
      if (!leave) return value;
      asked(name);
      if (slow !== name) return Promise.resolve(value);
      setImmediate(leave);
      return new Promise((resolve) => late.push(() => resolve(value)));
    };
    const { server, port } = await startAs(mode, {
      maxConnections: 1,
      maxConnectionsPerAddress: 1,
      maxPending: 1,
      origins: () => ask('origins', true),
      verifyClient: () => ask('verifyClient', true),
      handleProtocols: () => ask('handleProtocols', 'a'),
    });
    for (const how of ['resetAndDestroy', 'destroy'] as const) {
      for (let turns = 0; turns < 3; turns++) {
        const raw = new RawPeer(port);
        leave = () => void raw.socket[how]();
        await once(raw.socket, 'connect');
        if (sent !== '') await new Promise((done) => raw.socket.write(sent, done));
        for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
        if (slow === undefined) leave();
        await raw.closed;
        leave = undefined;
        await isFree(port);
        for (const client of server.clients) client.terminate();
        await Promise.all([...server.clients].map((client) => client.closed));
      }
    }
    expect(late).toHaveLength(slow === undefined ? 0 : 6);
    if (slow !== undefined) expect(asked.mock.calls.filter(([name]) => name === slow)).toHaveLength(6);
    for (const answer of late) answer(); // to nobody
    await new Promise(setImmediate);
    expect(server.clients.size).toBe(0);
    await isFree(port);
  },
);

/** The server learns of it a little later than the client that went: until then it says no. */
async function isFree(port: number): Promise<void> {
  for (;;) {
    const raw = new RawPeer(port).write(HANDSHAKE);
    const head = await Promise.race([raw.until('\r\n\r\n'), raw.closed]);
    if (head.includes(' 101 ')) return;
    expect(head).toMatch(/^HTTP\/1\.1 (503|429) /);
  }
}
