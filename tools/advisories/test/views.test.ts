import { expect } from '@jest/globals';
import { advisory } from './advisory.js';
import { hostileAfterOpen, sharedClient, sharedServer, type Sent } from './victims.js';
import { CLOSE, frame, type Wire } from './wire.js';

/** What came, for each value that was not refused; frames in hexadecimal. */
async function arrivals(wire: Wire, sent: readonly Sent[]): Promise<(Sent & { readonly wire: string | null })[]> {
  const all = [];
  for (const one of sent) {
    const got = one.threw === null ? await wire.frame() : undefined;
    all.push({ ...one, wire: got?.payload.toString('hex') ?? null });
  }
  return all;
}

/** Either it was refused, or its bytes were sent and no others; what has no bytes is refused. */
function expectOwnBytes(all: readonly (Sent & { readonly wire: string | null })[]): void {
  expect(all.length).toBeGreaterThan(100);
  const wrong = all.filter(({ bytes, threw, wire }) =>
    threw === null ? bytes === null || wire !== bytes : threw !== 'TypeError',
  );
  expect(wrong).toEqual([]);
  // Every view and every buffer is taken, but those whose memory is gone.
  const refused = all.filter(({ bytes, threw }) => bytes !== null && threw !== null);
  expect(refused.filter(({ name }) => !/ (given away|has shrunk)$/.test(name))).toEqual([]);
}

advisory('odd-views', (check) => {
  const server = sharedServer();
  const client = sharedClient();

  for (const method of ['send', 'ping', 'pong']) {
    check(`${method} of a server`, async () => {
      const wire = await server().open();
      const sent = await server().ask<Sent[]>('battery', { method });
      expectOwnBytes(await arrivals(wire, sent));
    });

    check(`${method} of a client, masked`, async () => {
      const wires: Wire[] = [];
      const url = await hostileAfterOpen((wire) => void wires.push(wire));
      const id = await client().connect({ url, options: { perMessageDeflate: false } });
      await client().ask('opened', id);
      const sent = await client().ask<Sent[]>('battery', { id, method });
      const [wire] = wires;
      if (wire) expectOwnBytes(await arrivals(wire, sent));
      expect(wires).toHaveLength(1);
    });
  }

  check('send of a server that compresses', async () => {
    const wire = await compressing().open({ 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    const sent = await compressing().ask<Sent[]>('battery', { method: 'send' });
    const all = await arrivals(wire, sent);
    // Below the threshold of compression: sent as they are.
    expectOwnBytes(all);
  });

  const compressing = sharedServer({ options: { perMessageDeflate: true } });
});

advisory('close-reason-views', (check) => {
  const server = sharedServer();
  const client = sharedClient();

  /** What close took, with the reason that came; an Error that it threw is a TypeError or a RangeError. */
  function expectOwnReason(one: Sent, payload: Buffer | undefined): void {
    if (one.threw !== null) {
      expect([one.name, one.threw]).toEqual([one.name, expect.stringMatching(/^(Type|Range)Error$/)]);
    } else {
      expect([one.name, payload?.subarray(2).toString('hex') ?? '']).toEqual([one.name, one.bytes]);
    }
  }

  check('each kind of reason, on a server', async () => {
    const names = await server().ask<string[]>('names');
    let taken = 0;
    for (const only of names) {
      const wire = await server().open();
      const [one] = await server().ask<Sent[]>('battery', { method: 'close', only });
      if (one === undefined) throw new Error(`${only} is not in the battery`);
      const closing = one.threw === null ? await wire.frame() : undefined;
      if (closing) expect(closing.opcode).toBe(CLOSE);
      if (one.threw === null) taken++;
      expectOwnReason(one, closing?.payload);
      wire.cut();
    }
    expect(taken).toBeGreaterThan(5);
  });

  check('each kind of reason, on a client', async () => {
    const wires: Wire[] = [];
    const url = await hostileAfterOpen((wire) => void wires.push(wire));
    for (const only of await client().ask<string[]>('names')) {
      const id = await client().connect({ url });
      await client().ask('opened', id);
      const [one] = await client().ask<Sent[]>('battery', { id, method: 'close', only });
      const wire = wires.pop();
      if (one === undefined || wire === undefined) throw new Error(`${only} did not run`);
      expectOwnReason(one, one.threw === null ? (await wire.frame())?.payload : undefined);
      wire.write(frame(CLOSE, Buffer.of(3, 232), { masked: false })).cut();
      if (one.threw !== null) await client().ask('terminate', id);
    }
  });
});
