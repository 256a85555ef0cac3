import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { answer, checkAnswer, DeflateError, offer, type DeflateElement } from '../src/index.js';
import { BITS, NO_BITS, written } from './elements.js';

const SERVER_WINDOW = 'server_max_window_bits';
const CLIENT_WINDOW = 'client_max_window_bits';

const bits = fc.integer({ min: 8, max: 15 });
const optionsOf = fc.record(
  {
    serverNoContextTakeover: fc.boolean(),
    clientNoContextTakeover: fc.boolean(),
    serverMaxWindowBits: fc.oneof(bits, fc.constant(false as const)),
    clientMaxWindowBits: fc.oneof(bits, fc.boolean()),
  },
  { requiredKeys: [] },
);

test('what our server answers to our client, our client accepts, and both mean the same by it', () => {
  fc.assert(
    fc.property(fc.array(optionsOf, { minLength: 1, maxLength: 3 }), optionsOf, (ofClient, ofServer) => {
      const answered = answer(offer(ofClient), ofServer);
      if (answered === undefined) return;
      const { response, parameters: server } = answered;
      let client;
      try {
        client = checkAnswer(response, ofClient);
      } catch (error) {
        // That the client takes no such demand is the one thing that an offer cannot say.
        expect(error).toBeInstanceOf(DeflateError);
        expect(ofClient.some((one) => one.clientNoContextTakeover === false)).toBe(true);
        return;
      }
      expect(client.serverNoContextTakeover).toBe(server.serverNoContextTakeover);
      expect(client.serverMaxWindowBits).toBe(server.serverMaxWindowBits);
      // What the client announced it keeps to, repeated or not; a server counts on the answer alone.
      const announces = ofClient.some((one) => typeof one.clientMaxWindowBits === 'number');
      if (announces && !written(response).includes(CLIENT_WINDOW)) {
        expect(client.clientMaxWindowBits).toBeLessThanOrEqual(server.clientMaxWindowBits);
      } else expect(client.clientMaxWindowBits).toBe(server.clientMaxWindowBits);
      if (client.clientNoContextTakeover !== server.clientNoContextTakeover) {
        expect(client.clientNoContextTakeover && ofClient.some((one) => one.clientNoContextTakeover)).toBe(true);
      }
    }),
    { numRuns: 2000 },
  );
});

const value = fc.oneof(
  fc.constant(true as const),
  fc.string(),
  fc.integer({ min: -1, max: 17 }).map(String),
  fc.constantFrom(...NO_BITS),
);
// prettier-ignore
const name = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('server_no_context_takeover', 'client_no_context_takeover', SERVER_WINDOW, CLIENT_WINDOW) },
  { weight: 1, arbitrary: fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'hasOwnProperty')) },
);
const anyElement: fc.Arbitrary<DeflateElement> = fc.record({
  name: fc.oneof({ weight: 9, arbitrary: fc.constant('permessage-deflate') }, { weight: 1, arbitrary: fc.string() }),
  parameters: fc.array(fc.tuple(name, value), { maxLength: 5 }),
});

test('whatever a client offers: a server answers it in a way that the client can take, or not at all', () => {
  fc.assert(
    fc.property(fc.array(anyElement), optionsOf, (offers, options) => {
      const answered = answer(offers, options);
      if (answered === undefined) return;
      const { clientMaxWindowBits, serverMaxWindowBits } = answered.parameters;
      for (const one of [clientMaxWindowBits, serverMaxWindowBits]) expect(BITS).toContain(one);
      const names = answered.response.parameters.map(([one]) => one);
      expect(new Set(names).size).toBe(names.length);
      expect(checkAnswer(answered.response, { clientMaxWindowBits: names.includes(CLIENT_WINDOW) })).toEqual(
        answered.parameters,
      );
      expect(offers.some((one) => one.name === 'permessage-deflate')).toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('whatever a server answers: a client takes it, or says by a DeflateError why not', () => {
  fc.assert(
    fc.property(anyElement, fc.array(optionsOf, { maxLength: 3 }), (response, options) => {
      try {
        expect(Object.keys(checkAnswer(response, options))).toHaveLength(4);
      } catch (error) {
        if (!(error instanceof DeflateError)) throw error;
        expect(error.message.length).toBeLessThan(400);
      }
    }),
    { numRuns: 2000 },
  );
});
