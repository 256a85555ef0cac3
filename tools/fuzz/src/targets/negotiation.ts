// Invariant: whatever permessage-deflate offers and answers come, each is accepted, declined or refused as RFC 7692 §7 has it, by a naive
// reading, and nothing but a DeflateError is thrown; what our client offers and our server answers, both read alike, and then every message
// arrives as it was sent, whole, in fragments or prepared for many, and keeps to the agreed window; no name means anything by itself.
import { formatExtensions, negotiateExtensions, parseExtensions } from '@ws/handshake';
import {
  answer,
  checkAnswer,
  DeflateError,
  offer,
  PerMessageDeflate,
  type DeflateElement,
  type DeflateParameters,
  type NegotiationOptions,
} from '@ws/deflate';
import { zlibBackend } from '@ws/deflate/node';
import { Inflater } from '@ws/testing';
import { must, same } from '../engine/failure.js';
import { extensionsOf } from '../oracle/http.js';
import { hashOf, Random } from '../random.js';
import type { MakeTarget } from '../target.js';

const NAME = 'permessage-deflate';
const NAMES = [
  'server_no_context_takeover',
  'client_no_context_takeover',
  'server_max_window_bits',
  'client_max_window_bits',
] as const;
type Name = (typeof NAMES)[number];

const BACKENDS = [
  zlibBackend(),
  zlibBackend({ fastPath: false }),
  zlibBackend({ maxContexts: 1 }),
  zlibBackend({ maxContexts: 0, syncDeflateLimit: 0 }),
];

/** Two octets of options: bits from 8 to 15 behind the other values. */
function optionsOf(one: number, two: number): NegotiationOptions {
  const bits = (octet: number): number | undefined => (octet >= 4 && octet < 12 ? octet + 4 : undefined);
  const [server, client] = [two & 15, two >> 4];
  const given = {
    serverNoContextTakeover: ([undefined, true, false, 'as-offered'] as const)[one & 3],
    clientNoContextTakeover: [undefined, true, false, undefined][(one >> 2) & 3],
    serverMaxWindowBits: server === 1 ? (false as const) : bits(server),
    clientMaxWindowBits: client === 1 ? false : client === 2 ? true : bits(client),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** What a list of parameters says, if it is one that may be there. §7.1 */
function naiveParameters(
  parameters: DeflateElement['parameters'],
  isAnswer: boolean,
): Partial<Record<Name, number | true>> | undefined {
  const said: Partial<Record<Name, number | true>> = Object.create(null) as Record<string, never>;
  for (const [name, value] of parameters) {
    if (!(NAMES as readonly string[]).includes(name) || said[name as Name] !== undefined) return undefined;
    const isWindow = name.endsWith('bits');
    const isNumber = value !== true && /^([89]|1[0-5])$/.test(value);
    const isBare = value === true && (!isWindow || (name === 'client_max_window_bits' && !isAnswer));
    if (!(isWindow && isNumber) && !isBare) return undefined;
    said[name as Name] = value === true ? true : Number(value);
  }
  return said;
}

function checkOurAnswer(offers: readonly DeflateElement[], options: NegotiationOptions): void {
  const answered = answer(offers, options);
  const acceptable = offers.filter(
    ({ name, parameters }) => name === NAME && naiveParameters(parameters, false) !== undefined,
  );
  if (answered === undefined) {
    must(Object.keys(options).length > 0 || acceptable.length === 0, 'a good offer is declined');
    for (const one of acceptable) must(answer([one], options) === undefined, 'an offer is declined among others');
    return;
  }
  const accepted = acceptable.find((one) => answer([one], options) !== undefined);
  must(accepted !== undefined, 'an offer is accepted that is none');
  same(answered, answer([accepted], options), 'not the first good offer is answered');
  const said = naiveParameters(answered.response.parameters, true);
  const asked = naiveParameters(accepted.parameters, false)!;
  must(said !== undefined && answered.response.name === NAME, 'our answer is none');
  must(
    asked.server_no_context_takeover === undefined || said.server_no_context_takeover === true,
    '§7.1.1.1 is not kept',
  );
  must(
    asked.server_max_window_bits === undefined ||
      Number(said.server_max_window_bits) <= Number(asked.server_max_window_bits),
    '§7.1.2.1 is not kept',
  );
  const { client_max_window_bits: window } = said;
  must(
    window === undefined || asked.client_max_window_bits !== undefined,
    '§7.1.2.2: a client window that was not offered',
  );
  must(
    window === undefined ||
      asked.client_max_window_bits === true ||
      Number(window) <= Number(asked.client_max_window_bits),
    '§7.1.2.2 is not kept',
  );
  const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits } = options;
  must(
    serverNoContextTakeover === false ||
      serverNoContextTakeover === 'as-offered' ||
      said.server_no_context_takeover === true,
    'serverNoContextTakeover does nothing',
  );
  must(
    serverNoContextTakeover !== false || said.server_no_context_takeover === undefined,
    'serverNoContextTakeover: false does nothing',
  );
  must(
    clientNoContextTakeover === false || said.client_no_context_takeover === true,
    'clientNoContextTakeover does nothing',
  );
  if (typeof serverMaxWindowBits === 'number')
    must(said.server_max_window_bits === serverMaxWindowBits, 'serverMaxWindowBits does nothing');
  if (typeof clientMaxWindowBits === 'number')
    must(Number(window) <= clientMaxWindowBits, 'clientMaxWindowBits does nothing');
  if (clientMaxWindowBits === false) must(window === undefined, 'clientMaxWindowBits: false does nothing');
  same(answered.parameters, meant(said), 'our answer means something else');
}

const meant = (said: Partial<Record<Name, number | true>>): DeflateParameters => ({
  serverNoContextTakeover: said.server_no_context_takeover !== undefined,
  clientNoContextTakeover: said.client_no_context_takeover !== undefined,
  serverMaxWindowBits: Number(said.server_max_window_bits ?? 15),
  clientMaxWindowBits: Number(said.client_max_window_bits ?? 15),
});

function checkTheirAnswer(response: DeflateElement, options: NegotiationOptions): void {
  let parameters: DeflateParameters | undefined;
  try {
    parameters = checkAnswer(response, options);
  } catch (error) {
    must(error instanceof DeflateError && error.code === 'WS_ERR_INVALID_DEFLATE_PARAMETERS', `threw ${String(error)}`);
  }
  const said = response.name === NAME ? naiveParameters(response.parameters, true) : undefined;
  const { serverNoContextTakeover, clientNoContextTakeover, serverMaxWindowBits, clientMaxWindowBits = true } = options;
  const clientLimit = typeof clientMaxWindowBits === 'number' ? clientMaxWindowBits : 15;
  const isGood =
    said !== undefined &&
    !(serverNoContextTakeover === true && said.server_no_context_takeover === undefined) &&
    !(clientNoContextTakeover === false && said.client_no_context_takeover !== undefined) &&
    !(serverMaxWindowBits && !(Number(said.server_max_window_bits) <= serverMaxWindowBits)) &&
    !(
      said.client_max_window_bits !== undefined &&
      (clientMaxWindowBits === false || Number(said.client_max_window_bits) > clientLimit)
    );
  must(
    (parameters !== undefined) === isGood,
    () => `an answer is ${parameters ? 'accepted' : 'refused'}: ${JSON.stringify(response)}`,
  );
  if (!parameters || !said) return;
  const plain = meant(said);
  const clientOnly = {
    clientNoContextTakeover: plain.clientNoContextTakeover || clientNoContextTakeover === true,
    clientMaxWindowBits: Math.min(plain.clientMaxWindowBits, clientLimit),
  };
  same(parameters, { ...plain, ...clientOnly }, 'an answer is read as something else');
}

/** @returns what both ends agreed on */
function negotiate(
  ofClient: NegotiationOptions,
  ofServer: NegotiationOptions,
): { client: DeflateParameters; server: DeflateParameters } | undefined {
  const offered = parseExtensions(formatExtensions(offer(ofClient)));
  const answered = answer(offered, ofServer);
  if (answered === undefined) return undefined;
  const [response] = parseExtensions(formatExtensions([answered.response]));
  must(response !== undefined, 'an answer is lost on the way');
  const { parameters: server } = answered;
  let client: DeflateParameters;
  try {
    client = checkAnswer(response, ofClient);
  } catch (error) {
    must(
      error instanceof DeflateError && ofClient.clientNoContextTakeover === false,
      `our own answer is refused: ${String(error)}`,
    );
    return undefined;
  }
  same(
    [client.serverNoContextTakeover, client.serverMaxWindowBits],
    [server.serverNoContextTakeover, server.serverMaxWindowBits],
    'the ends disagree',
  );
  must(
    client.clientMaxWindowBits <= server.clientMaxWindowBits,
    'the client has a larger window than the server knows',
  );
  must(
    client.clientNoContextTakeover || !server.clientNoContextTakeover,
    'the client takes over what the server forgets',
  );
  return { client, server };
}

interface Frame {
  readonly payload: Buffer;
  readonly rsv: number;
}

const encode = async (
  end: PerMessageDeflate,
  payload: Uint8Array,
  fragment: Parameters<PerMessageDeflate['encode']>[1],
): Promise<Frame> =>
  new Promise((resolve, reject) => {
    end.encode(payload, fragment, (error, bytes, rsv) =>
      error ? reject(error) : resolve({ payload: Buffer.from(bytes), rsv }),
    );
  });

async function decode(end: PerMessageDeflate, payload: Uint8Array, most: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  await new Promise<void>((resolve, reject) => {
    const piece = { opcode: 2, first: true, last: true, length: payload.length, remaining: most } as const;
    end.decode(
      payload,
      piece,
      (part) => parts.push(part),
      (error) => (error ? reject(error) : resolve()),
    );
  });
  return Buffer.concat(parts);
}

async function exchange(
  agreed: { client: DeflateParameters; server: DeflateParameters },
  text: Uint8Array,
  random: Random,
): Promise<void> {
  const backend = random.pick(BACKENDS);
  const ends = {
    client: new PerMessageDeflate({ role: 'client', backend, parameters: agreed.client }),
    server: new PerMessageDeflate({ role: 'server', backend: random.pick(BACKENDS), parameters: agreed.server }),
  };
  const readers = {
    client: new Inflater(agreed.server.serverMaxWindowBits, !agreed.server.serverNoContextTakeover),
    server: new Inflater(agreed.server.clientMaxWindowBits, !agreed.server.clientNoContextTakeover),
  };
  try {
    for (let messages = 1 + random.below(5); messages > 0; messages--) {
      const from = random.pick(['client', 'server'] as const);
      const to = from === 'client' ? 'server' : 'client';
      const message = Buffer.alloc(
        random.below(random.pick([2, 300, 3000])),
        text.length > 0 ? text.subarray(random.below(text.length)) : 1,
      );
      const frames = await send(ends[from], message, random);
      const payload = Buffer.concat(frames.map((frame) => frame.payload));
      must(
        frames.every(({ rsv }, i) => rsv === 0 || (rsv === 4 && i === 0)),
        'a reserved bit is set where none is',
      );
      if (frames[0]?.rsv !== 4) {
        must(payload.equals(message), 'a message is changed and not compressed');
        continue;
      }
      must(payload.length > 0, 'a compressed message is empty');
      must(readers[to].message(payload).equals(message), 'a message is compressed into another one');
      must((await decode(ends[to], payload, message.length)).equals(message), 'a message arrives as another one');
    }
  } finally {
    ends.client.close();
    ends.server.close();
  }
}

async function send(end: PerMessageDeflate, message: Buffer, random: Random): Promise<Frame[]> {
  const compress = random.oneIn(8) ? false : random.oneIn(2) ? true : undefined;
  const told = { opcode: 2, compress, length: message.length } as const;
  if (!random.oneIn(3)) {
    const prepared = random.oneIn(3) ? new Map<unknown, unknown>() : undefined;
    return [await encode(end, message, { ...told, first: true, fin: true, prepared })];
  }
  const pieces = random.cut(message, 1 + random.below(message.length + 1));
  if (pieces.length === 0 || random.oneIn(4)) pieces.push(new Uint8Array(0));
  const frames: Frame[] = [];
  for (const [i, piece] of pieces.entries())
    frames.push(
      await encode(end, piece, {
        ...told,
        first: i === 0,
        fin: i === pieces.length - 1,
        length: random.oneIn(2) ? message.length : undefined,
      }),
    );
  return frames;
}

const WORDS = [
  'permessage-deflate',
  ...NAMES,
  '; ',
  '=',
  ', ',
  '"',
  '\\',
  '8',
  '10',
  '15',
  '16',
  '07',
  '"9"',
  'x-webkit-deflate-frame',
  '__proto__',
  'constructor',
  'toString',
];

export const makeTarget: MakeTarget = ({ counters }) => ({
  name: 'negotiation',
  covers: [
    'deflate/parameters',
    'deflate/negotiation-options',
    'deflate/compression',
    'deflate/permessage-deflate',
    'deflate/node/context-pool',
    'deflate/incompressible',
    'handshake/extensions',
  ],
  maxLength: 600,
  seeds: () =>
    [
      'permessage-deflate; client_max_window_bits',
      'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits="12"',
      'permessage-deflate; server_max_window_bits=8, permessage-deflate',
      'permessage-deflate; client_max_window_bits=9; unknown, __proto__; constructor',
    ].flatMap((text, i) =>
      [0, 0x24, 0x68, 0xbf].map((octet) =>
        Buffer.concat([Buffer.from([octet, octet * 3, i, octet * 5]), Buffer.from(text)]),
      ),
    ),
  dictionary: WORDS.map((word) => Buffer.from(word)),
  describe: (input) =>
    JSON.stringify([
      optionsOf(input[0] ?? 0, input[1] ?? 0),
      optionsOf(input[2] ?? 0, input[3] ?? 0),
      Buffer.from(input.subarray(4)).toString('latin1'),
    ]),
  async run(input) {
    const random = new Random(hashOf(input));
    const [ofServer, ofClient] = [optionsOf(input[0] ?? 0, input[1] ?? 0), optionsOf(input[2] ?? 0, input[3] ?? 0)];
    const text = input.subarray(4);
    const elements = extensionsOf(Buffer.from(text).toString('latin1')) ?? [];
    checkOurAnswer(elements, ofServer);
    for (const element of elements) checkTheirAnswer(element, ofClient);
    const chosen = negotiateExtensions(elements, [
      { name: NAME, accept: (parameters) => answer([{ name: NAME, parameters }], ofServer)?.response.parameters },
    ]);
    same(
      chosen,
      [answer(elements, ofServer)?.response].filter((one) => one !== undefined),
      'negotiated among others it is something else',
    );
    const agreed = negotiate(ofClient, ofServer);
    counters.saw(`${chosen.length} ${JSON.stringify(agreed?.server)}`);
    if (agreed) await exchange(agreed, text, random);
  },
});
